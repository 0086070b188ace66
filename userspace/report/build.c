/* build.c - JSON values out of what the model holds. */
#include "report/build.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

void put(struct build *b, json_t *object, const char *key, json_t *value)
{
        if (json_object_set_new(object, key, value) < 0)
                b->failed = true;
}

void append(struct build *b, json_t *array, json_t *value)
{
        if (json_array_append_new(array, value) < 0)
                b->failed = true;
}

void put_bytes(struct build *b, json_t *object, const char *key, const char *text)
{
        if (!text)
                put(b, object, key, json_null());
        else if (text_json_set(object, key, text, strlen(text)) < 0)
                b->failed = true;
}

void put_text(struct build *b, json_t *object, const char *key, const char *text)
{
        put(b, object, key, text ? json_string(text) : json_null());
}

void put_number(struct build *b, json_t *object, const char *key, uint64_t n)
{
        put(b, object, key, json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n));
}

void put_time(struct build *b, json_t *object, const char *key, uint64_t ns)
{
        if (!ns || !model_session(b->m)) {
                put(b, object, key, json_null());
                return;
        }
        char text[TEXT_TIME_LEN];
        text_time(text, model_realtime(b->m, ns));
        put_text(b, object, key, text);
}

void put_argv(struct build *b, json_t *object, const char *argv, size_t n)
{
        json_t *array = json_array(), *hex = json_array();
        bool odd = false;
        for (size_t at = 0; at < n;) {
                size_t len = strnlen(argv + at, n - at);
                json_t *one = json_object();
                if (text_json_set(one, "a", argv + at, len) < 0)
                        b->failed = true;
                json_t *h = json_object_get(one, "a_hex");
                odd |= h != NULL;
                append(b, array, json_incref(json_object_get(one, "a")));
                append(b, hex, h ? json_incref(h) : json_null());
                json_decref(one);
                at += len + 1;
        }
        put(b, object, "argv", array);
        if (odd)
                put(b, object, "argv_hex", hex);
        else
                json_decref(hex);
}

json_t *build_trust(struct build *b, const struct trust *t)
{
        json_t *o = json_object(), *reasons = json_array();
        put_text(b, o, "level", trust_level_name(t->level));
        for (size_t i = 0; i < t->nreasons; i++)
                append(b, reasons, json_string(t->reason[i]));
        put(b, o, "reasons", reasons);
        return o;
}

json_t *build_process(struct build *b, const struct model_death *d)
{
        json_t *o = json_object();
        const struct model_process *p = d->process;
        put_number(b, o, "pid", d->id.tgid);
        put_number(b, o, "start_ns", d->id.start_ns);
        put_bytes(b, o, "comm", d->id.comm);
        put_bytes(b, o, "exe", p ? p->exe : NULL);
        if (p && p->argv)
                put_argv(b, o, p->argv, p->argv_len);
        else
                put(b, o, "argv", json_null());
        if (p && p->argv_cut)
                put(b, o, "argv_cut", json_true());
        put_number(b, o, "uid", d->uid);
        put_number(b, o, "ppid", d->ppid);
        put_bytes(b, o, "cgroup", model_cgroup(b->m, d->cgroup_id));
        return o;
}
