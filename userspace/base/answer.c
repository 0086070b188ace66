/* answer.c - lines of JSON from somebody who is not trusted. */
#include "base/answer.h"

#include <errno.h>

#include "base/cleanup.h"

int answer_begin(struct answer *a)
{
        a->line = malloc(a->limit);
        return a->line ? 0 : -ENOMEM;
}

static bool take_progress(const struct answer *a, const json_t *line)
{
        const json_t *done = json_object_get(line, "done"), *total = json_object_get(line, "total");
        if (json_object_size(line) != 2 || !json_is_integer(done) || !json_is_integer(total) ||
            json_integer_value(done) < 0 || json_integer_value(total) < 0)
                return false;
        if (a->on_progress)
                a->on_progress(a->userdata, (uint64_t)json_integer_value(done),
                               (uint64_t)json_integer_value(total));
        return true;
}

static void take_line(struct answer *a)
{
        json_t *line = json_loadb(a->line, a->used, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(line)) {
                json_decref(line);
                line = NULL;
        }
        if (line && take_progress(a, line)) {
                json_decref(line);
        } else {
                json_decref(a->last);
                a->last = line;
                a->said += a->used;
        }
        a->used = 0;
}

void answer_feed(struct answer *a, const char *bytes, size_t n)
{
        for (size_t i = 0; i < n && !a->flooded; i++) {
                if (bytes[i] == '\n')
                        take_line(a);
                else if (a->said + a->used >= a->limit)
                        a->flooded = true;
                else
                        a->line[a->used++] = bytes[i];
        }
}

json_t *answer_end(struct answer *a)
{
        if (a->used > 0 && !a->flooded)
                take_line(a);
        return TAKE_PTR(a->last);
}

void answer_done(struct answer *a)
{
        json_decref(a->last);
        free(a->line);
}
