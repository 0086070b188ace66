/* summary_document.c - the document "vigil.summary/1": two sorted streams, what is stored and what is live, merged by name. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "store/questions.h"
#include "store/summaries.h"

#define NAMES 4 /* database, file, process, op: bit i of enum store_by is name i */

/* Its errors are refusals, whatever it is summed up with. */
#define LOCK "lock"

static const char *const keys[NAMES] = {"db", "file", "process", "op"};

/* A live row with its names as they would be stored; "" for those that are not asked for. */
struct live {
        json_t *name[NAMES];
        const struct store_summary *row;
};

struct group {
        bool open;
        char *name[NAMES];
        uint64_t count, bytes, errors, refused;
        struct vigil_hist hist;
};

struct merge {
        struct live *live;
        size_t nlive, next;
        struct group group;
        struct answer answer;
};

/* The order of SQLite's BINARY collation. */
static int compare(const char *const a[NAMES], const char *const b[NAMES])
{
        int r = 0;
        for (size_t i = 0; i < NAMES && r == 0; i++)
                r = strcmp(a[i], b[i]);
        return r;
}

static void live_names(const struct live *l, const char *ret[NAMES])
{
        for (size_t i = 0; i < NAMES; i++)
                ret[i] = json_string_value(l->name[i]);
}

static int compare_live(const void *a, const void *b)
{
        const char *x[NAMES], *y[NAMES];
        live_names(a, x);
        live_names(b, y);
        return compare(x, y);
}

/* Rows counted per program have a process, those counted per file have none. */
static bool wanted(unsigned by, const char *file, const char *process)
{
        return process[0] ? by & STORE_BY_PROCESS : file[0] && (!(by & STORE_BY_PROCESS) || by & STORE_BY_FILE);
}

static int add_live(struct merge *m, const struct store_summary *row, unsigned by)
{
        const char *const names[NAMES] = {row->database, row->file, row->process, row->op};
        struct live *l = &m->live[m->nlive++];
        *l = (struct live){.row = row};
        for (size_t i = 0; i < NAMES; i++) {
                const char *name = by >> i & 1 ? names[i] : "";
                l->name[i] = text_json(name, strlen(name));
                if (!l->name[i])
                        return -ENOMEM;
        }
        return 0;
}

static int sort_live(struct merge *m, const struct store_query *q, unsigned by, const struct store_summary *live,
                     size_t n)
{
        m->live = calloc(n ? n : 1, sizeof(*m->live));
        if (!m->live)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                bool in_time = !q->until_ns || live[i].start_s < q->until_ns / 1000000000;
                bool of_it = !q->database || strcmp(q->database, live[i].database) == 0;
                int r = in_time && of_it && wanted(by, live[i].file, live[i].process) ? add_live(m, &live[i], by)
                                                                                      : 0;
                if (r < 0)
                        return r;
        }
        qsort(m->live, m->nlive, sizeof(*m->live), compare_live);
        return 0;
}

static void merge_done(struct merge *m)
{
        for (size_t i = 0; i < m->nlive; i++)
                for (size_t k = 0; k < NAMES; k++)
                        json_decref(m->live[i].name[k]);
        free(m->live);
        for (size_t k = 0; k < NAMES; k++)
                free(m->group.name[k]);
        json_decref(m->answer.list);
}

static void put_us(json_t *o, const char *key, const struct vigil_hist *h, unsigned per_mille)
{
        uint64_t ns = per_mille ? hist_quantile(h, per_mille) : h->max_ns;
        uint64_t us = clock_us(ns);
        json_object_set_new(o, key, h->count ? json_integer((json_int_t)us) : json_null());
}

/* The group becomes an entry. */
static int end_group(struct merge *m)
{
        struct group *g = &m->group;
        if (!g->open)
                return 0;
        json_t *o = json_object();
        for (size_t i = 0; i < NAMES; i++) {
                json_object_set_new(o, keys[i], g->name[i][0] ? json_string(g->name[i]) : json_null());
                free(g->name[i]);
        }
        json_object_set_new(o, "count", json_integer((json_int_t)g->count));
        json_object_set_new(o, "bytes", json_integer((json_int_t)g->bytes));
        json_object_set_new(o, "errors", json_integer((json_int_t)g->errors));
        json_object_set_new(o, "refused", json_integer((json_int_t)g->refused));
        json_object_set_new(o, "timed", json_integer((json_int_t)g->hist.count));
        put_us(o, "p50_us", &g->hist, 500);
        put_us(o, "p95_us", &g->hist, 950);
        put_us(o, "p99_us", &g->hist, 990);
        put_us(o, "max_us", &g->hist, 0);
        *g = (struct group){0};
        return json_array_append_new(m->answer.list, o) < 0 ? -ENOMEM : 0;
}

/* @return 0 with the group of these names open; 1: there is no room for another */
static int into_group(struct merge *m, const char *const names[NAMES])
{
        struct group *g = &m->group;
        if (g->open && compare(names, (const char *const *)g->name) == 0)
                return 0;
        int r = end_group(m);
        if (r < 0)
                return r;
        if (json_array_size(m->answer.list) >= m->answer.limit) {
                m->answer.cut = true;
                return 1;
        }
        for (size_t i = 0; i < NAMES; i++) {
                g->name[i] = strdup(names[i]);
                if (!g->name[i])
                        return -ENOMEM;
        }
        g->open = true;
        return 0;
}

static int take_live(struct merge *m, const char *const names[NAMES])
{
        struct group *g = &m->group;
        const struct store_summary *row = m->live[m->next].row;
        int r = into_group(m, names);
        if (r != 0)
                return r;
        g->count += row->count;
        g->bytes += row->bytes;
        g->errors += row->errors;
        if (strcmp(row->op, LOCK) == 0)
                g->refused += row->errors;
        if (row->hist)
                hist_add(&g->hist, row->hist);
        m->next++;
        return 0;
}

/* Live rows whose names come before @p names; all, where that is NULL. */
static int take_live_before(struct merge *m, const char *const names[NAMES])
{
        int r = 0;
        while (r == 0 && m->next < m->nlive) {
                const char *mine[NAMES];
                live_names(&m->live[m->next], mine);
                if (names && compare(mine, names) >= 0)
                        break;
                r = take_live(m, mine);
        }
        return r;
}

static int take_stored(struct merge *m, sqlite3_stmt *row)
{
        struct group *g = &m->group;
        const char *names[NAMES];
        for (int i = 0; i < NAMES; i++)
                names[i] = store_text(row, i);
        int r = take_live_before(m, names);
        if (r == 0)
                r = into_group(m, names);
        if (r != 0)
                return r;
        g->count += (uint64_t)sqlite3_column_int64(row, 4);
        g->bytes += (uint64_t)sqlite3_column_int64(row, 5);
        g->errors += (uint64_t)sqlite3_column_int64(row, 6);
        summary_hist(row, 7, &g->hist);
        g->refused += (uint64_t)sqlite3_column_int64(row, 10);
        return 0;
}

static int merge_rows(struct store *s, struct merge *m, const struct store_query *q, unsigned by)
{
        static const char sql[] =
                "SELECT CASE WHEN ?4&1 THEN database ELSE '' END, CASE WHEN ?4&2 THEN file ELSE '' END,"
                " CASE WHEN ?4&4 THEN process ELSE '' END, CASE WHEN ?4&8 THEN op ELSE '' END,"
                " count, bytes, errors, hist, sum_ns, max_ns, CASE op WHEN '" LOCK
                "' THEN errors ELSE 0 END FROM summaries"
                " WHERE span_s IN (60, 3600) AND start_s > ?1 - 3600 AND start_s + span_s > ?1"
                " AND start_s < ?2 AND (?3 IS NULL OR database=?3)"
                " AND ((process <> '' AND ?4&4) OR (process = '' AND (?4&6) <> 4)) ORDER BY 1, 2, 3, 4";
        sqlite3_stmt *row = NULL;
        int64_t until_s = q->until_ns ? q->until_ns / 1000000000 : INT64_MAX;
        int r = ASK(s, sql, &row, V_INT(q->since_ns / 1000000000), V_INT(until_s), V_TEXT(q->database), V_INT(by));
        if (r < 0)
                return r;
        while ((r = store_next(s, row)) == 1) {
                r = take_stored(m, row);
                if (r != 0)
                        break;
        }
        store_done(s, row);
        if (r == 0)
                r = take_live_before(m, NULL);
        return r < 0 ? r : end_group(m);
}

/* Since when there are rows; now, where there are none. */
static int64_t first_ns(struct store *s)
{
        int64_t start_s = 0;
        store_number(s,
                     "SELECT min(a) FROM (SELECT min(start_s) AS a FROM summaries WHERE span_s=60"
                     " UNION ALL SELECT min(start_s) FROM summaries WHERE span_s=3600)",
                     &start_s);
        return start_s ? start_s * 1000000000 : store_now();
}

/* What is counted begins with a whole minute, or an hour where minutes have been rolled up. */
static int64_t counted_since_ns(struct store *s, int64_t since_ns)
{
        static const char sql[] = "SELECT min(start_s) FROM summaries WHERE span_s IN (60, 3600)"
                                  " AND start_s > ?1 - 3600 AND start_s <= ?1 AND start_s + span_s > ?1";
        int64_t since_s = since_ns / 1000000000, start_s = since_s / 60 * 60;
        sqlite3_stmt *row = NULL;

        if (ASK(s, sql, &row, V_INT(since_s)) < 0)
                return start_s * 1000000000;
        if (store_next(s, row) == 1 && sqlite3_column_type(row, 0) != SQLITE_NULL &&
            sqlite3_column_int64(row, 0) < start_s)
                start_s = sqlite3_column_int64(row, 0);
        store_done(s, row);
        return start_s * 1000000000;
}

int store_summary_rows(struct store *s, const struct store_query *q, unsigned by, const struct store_summary *live,
                       size_t nlive, json_t **ret)
{
        _cleanup_(merge_done) struct merge m = {.answer = {.list = json_array(), .limit = question_limit(q)}};
        int r = m.answer.list ? sort_live(&m, q, by, live, nlive) : -ENOMEM;
        if (r < 0)
                return r;
        question_begin(s, q);
        r = merge_rows(s, &m, q, by);
        question_end(s);
        if (r < 0)
                return r;
        json_t *o = json_pack("{s:s}", "schema", "vigil.summary/1");
        answer_time(o, "since", q->since_ns ? counted_since_ns(s, q->since_ns) : first_ns(s));
        if (q->since_ns)
                answer_time(o, "asked_since", q->since_ns);
        answer_time(o, "until", q->until_ns ? q->until_ns : store_now());
        json_object_set(o, "rows", m.answer.list);
        if (m.answer.cut)
                json_object_set_new(o, "cut", json_true());
        if (!o)
                return -ENOMEM;
        *ret = o;
        return 0;
}
