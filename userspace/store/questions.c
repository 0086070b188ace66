/* questions.c - see questions.h. */
#include "store/questions.h"

#include <errno.h>

#include "base/clock.h"
#include "base/text.h"

#define LOOK_EVERY 10000 /* operations of SQLite's machine: well under a millisecond */

size_t question_limit(const struct store_query *q)
{
        size_t n = q->limit ? q->limit : QUESTION_LIMIT;
        return n < QUESTION_LIMIT_MAX ? n : QUESTION_LIMIT_MAX;
}

static int is_late(void *userdata)
{
        const struct store *s = userdata;
        return clock_boottime_ns() > s->deadline_ns;
}

void question_begin(struct store *s, const struct store_query *q)
{
        s->deadline_ns = clock_boottime_ns() + (q->deadline_ms ? q->deadline_ms : QUESTION_MS) * 1000000ull;
        sqlite3_progress_handler(s->db, LOOK_EVERY, is_late, s);
}

void question_end(struct store *s)
{
        sqlite3_progress_handler(s->db, 0, NULL, NULL);
}

/* @return 1: goes on, 0: no more rows or no more room, or -errno */
static int add_row(struct store *s, sqlite3_stmt *rows, struct answer *a,
                   int (*make)(struct store *s, sqlite3_stmt *row, json_t **ret))
{
        json_t *entry = NULL;
        int r = store_next(s, rows);
        if (r != 1)
                return r;
        if (json_array_size(a->list) >= a->limit || a->bytes > QUESTION_BYTES) {
                a->cut = true;
                return 0;
        }
        for (int i = 0; i < sqlite3_column_count(rows); i++)
                a->bytes += (size_t)sqlite3_column_bytes(rows, i);
        r = make(s, rows, &entry);
        if (r < 0)
                return r;
        return json_array_append_new(a->list, entry) < 0 ? -ENOMEM : 1;
}

int answer_rows(struct store *s, sqlite3_stmt *rows, struct answer *a,
                int (*make)(struct store *s, sqlite3_stmt *row, json_t **ret))
{
        int r = 1;
        if (!a->list)
                a->list = json_array();
        while (r == 1)
                r = a->list ? add_row(s, rows, a, make) : -ENOMEM;
        store_done(s, rows);
        if (r < 0) {
                json_decref(a->list);
                a->list = NULL;
        }
        return r;
}

int question_ask(struct store *s, const struct question *k, const struct store_query *q, json_t **ret)
{
        struct answer a = {.limit = question_limit(q)};
        sqlite3_stmt *rows = NULL;
        int r = q->id ? ASK(s, k->by_id, &rows, V_TEXT(q->id))
                      : ASK(s, k->by_range, &rows, V_TEXT(NULL), V_TEXT(q->status), V_TEXT(q->database),
                            V_INT(q->since_ns), V_INT(q->until_ns));
        if (r == 0) {
                question_begin(s, q);
                r = answer_rows(s, rows, &a, k->make);
                question_end(s);
        }
        if (r < 0)
                return r;
        if (q->id && json_array_size(a.list) == 0) {
                json_decref(a.list);
                return -ENOENT;
        }
        json_t *document = json_pack("{s:s, s:o}", "schema", k->schema, k->key, a.list);
        if (!document || (a.cut && json_object_set_new(document, "cut", json_true()) < 0)) {
                json_decref(document);
                return -ENOMEM;
        }
        *ret = document;
        return 0;
}

void answer_time(json_t *o, const char *key, int64_t ns)
{
        char text[TEXT_TIME_LEN];
        text_time(text, ns);
        json_object_set_new(o, key, ns ? json_string(text) : json_null());
}

void answer_text(json_t *o, const char *key, sqlite3_stmt *row, int column)
{
        const char *text = (const char *)sqlite3_column_text(row, column);
        size_t n = (size_t)sqlite3_column_bytes(row, column);
        json_object_set_new(o, key, text ? text_json(text, n) : json_null());
}
