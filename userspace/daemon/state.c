/* state.c - see state.h. */
#include "daemon/state.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "daemon/unproven.h"

#define STATE_VERSION 1

static void cleanup_json(json_t **o)
{
        json_decref(*o);
}

void state_done(struct state_file *s)
{
        for (size_t i = 0; i < s->n; i++)
                free(s->database[i].name);
        free(s->database);
        *s = (struct state_file){0};
}

int state_write(const char *dir, const struct state_file *s)
{
        _cleanup_(cleanup_json) json_t *databases = json_array();
        _cleanup_(cleanup_json) json_t *o = NULL;
        _cleanup_free_ char *text = NULL, *path = NULL;

        for (size_t i = 0; i < s->n; i++) {
                const struct state_database *b = &s->database[i];
                json_t *one = json_pack("{s:s, s:b, s:b, s:I, s:I, s:I, s:b, s:I, s:I, s:i}", "name", b->name,
                                        "dirty", b->dirty, "in_transaction", b->in_transaction, "users",
                                        (json_int_t)b->users, "bytes_at_risk", (json_int_t)b->bytes_at_risk,
                                        "commits_at_risk", (json_int_t)b->commits_at_risk, "leftover", b->leftover,
                                        "writer_pid", (json_int_t)b->writer_pid, "writer_start_ns",
                                        (json_int_t)b->writer_start_ns, "unproven", (int)b->unproven);
                if (json_array_append_new(databases, one) < 0)
                        return -ENOMEM;
        }
        o = json_pack("{s:i, s:s, s:i, s:I, s:I, s:b, s:O}", "state", STATE_VERSION, "boot_id", s->boot_id, "pid",
                      s->pid, "run", (json_int_t)s->run, "seen_ns", (json_int_t)s->seen_ns, "orderly", s->orderly,
                      "databases", databases);
        text = o ? json_dumps(o, JSON_COMPACT) : NULL;
        if (!text || asprintf(&path, "%s/state.json", dir) < 0)
                return -ENOMEM;
        return io_write_file_atomic(path, text, strlen(text), 0600);
}

static int read_database(const json_t *o, struct state_database *ret)
{
        const char *name;
        int dirty, txn, leftover = 0, unproven = 0;
        json_int_t users, bytes, commits, pid = 0, start = 0;

        /* The last four did not exist from the beginning. */
        if (json_unpack((json_t *)o, "{s:s, s:b, s:b, s:I, s:I, s:I, s?b, s?I, s?I, s?i}", "name", &name, "dirty",
                        &dirty, "in_transaction", &txn, "users", &users, "bytes_at_risk", &bytes, "commits_at_risk",
                        &commits, "leftover", &leftover, "writer_pid", &pid, "writer_start_ns", &start, "unproven",
                        &unproven) < 0 ||
            users < 0 || users > UINT32_MAX || bytes < 0 || commits < 0 || pid < 0 || pid > INT32_MAX ||
            start < 0 || unproven < 0 || strlen(name) > 1024)
                return -EBADMSG;
        *ret = (struct state_database){.dirty = dirty,
                                       .in_transaction = txn,
                                       .users = (uint32_t)users,
                                       .bytes_at_risk = (uint64_t)bytes,
                                       .commits_at_risk = (uint64_t)commits,
                                       .unproven = (unsigned)unproven & UNPROVEN_ALL,
                                       .leftover = leftover,
                                       .writer_pid = (uint32_t)pid,
                                       .writer_start_ns = (uint64_t)start};
        ret->name = strdup(name);
        return ret->name ? 0 : -ENOMEM;
}

static int read_all(const json_t *o, struct state_file *s)
{
        const char *boot;
        json_int_t seen, run = 0;
        json_t *databases;
        int version, pid, orderly, r = 0;

        if (json_unpack((json_t *)o, "{s:i, s:s, s:i, s?I, s:I, s:b, s:o}", "state", &version, "boot_id", &boot,
                        "pid", &pid, "run", &run, "seen_ns", &seen, "orderly", &orderly, "databases",
                        &databases) < 0 ||
            version != STATE_VERSION || strlen(boot) >= sizeof(s->boot_id) || seen < 0 || !json_is_array(databases))
                return -EBADMSG;
        strcpy(s->boot_id, boot);
        s->pid = pid;
        s->run = run;
        s->seen_ns = seen;
        s->orderly = orderly;
        size_t n = json_array_size(databases);
        if (n > CONFIG_MAX_DATABASES)
                return -EBADMSG;
        s->database = calloc(n ? n : 1, sizeof(*s->database));
        if (!s->database)
                return -ENOMEM;
        for (; r == 0 && s->n < n; s->n += r == 0)
                r = read_database(json_array_get(databases, s->n), &s->database[s->n]);
        return r;
}

int state_read(const char *dir, struct state_file *ret)
{
        _cleanup_(cleanup_json) json_t *o = NULL;
        _cleanup_free_ char *text = NULL, *path = NULL;
        struct state_file s = {0};
        size_t n;

        if (asprintf(&path, "%s/state.json", dir) < 0)
                return -ENOMEM;
        int r = io_read_file(path, STATE_MAX_BYTES, &text, &n);
        if (r < 0)
                return r;
        o = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
        r = o ? read_all(o, &s) : -EBADMSG;
        if (r < 0)
                state_done(&s);
        else
                *ret = s;
        return r;
}
