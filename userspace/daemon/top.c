/* top.c - see top.h. */
#include "daemon/top.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/core.h"
#include "daemon/counted.h"
#include "daemon/guard.h"
#include "daemon/latencies.h"
#include "daemon/latencies_json.h"
#include "daemon/live.h"
#include "daemon/live_database.h"
#include "daemon/tangles.h"
#include "detect/lock_tell.h"
#include "detect/wording.h"

#define NS_PER_S  1e9
#define NS_PER_MS 1000000

#define WAITS_SHOWN 3 /* of one database; more are counted */

static json_int_t us(uint64_t ns)
{
        return (json_int_t)clock_us(ns);
}

/* Tenths are as exact as anybody can read. */
static json_t *rate(uint64_t count, uint64_t span_ns)
{
        return span_ns ? json_real((double)(uint64_t)((double)count * NS_PER_S * 10 / (double)span_ns + 0.5) / 10)
                       : json_null();
}

static json_t *quantile(const struct vigil_hist *h, unsigned per_mille)
{
        return h->count ? json_integer(us(hist_quantile(h, per_mille))) : json_null();
}

/* ---- rows ---- */

static const struct latency_series *series_of(const struct guard *g, const struct tally_row *t)
{
        unsigned op = t->key.op == VIGIL_OP_LOCK_WR ? VIGIL_OP_LOCK_WAIT : t->key.op;

        for (size_t i = 0; g->latency && i < latency_count(g->latency->rule); i++) {
                const struct latency_series *s = latency_at(g->latency->rule, i);
                if (s->role == t->key.role && s->op == op)
                        return s;
        }
        return NULL;
}

static json_t *row_json(const struct guard *g, const struct tally_row *t, uint64_t span_ns)
{
        bool process = t->key.role == COUNTED_OF_A_PROCESS;
        const struct latency_series *s = series_of(g, t);
        json_t *o = json_pack("{s:s, s:o, s:o, s:s}", "db", g->name, "file",
                              process ? json_null() : json_string(role_name(t->key.role)), "process",
                              process ? text_json(t->key.comm, strnlen(t->key.comm, VIGIL_COMM_LEN)) : json_null(),
                              "op", op_name(t->key.op));

        json_object_set_new(o, "per_s", rate(t->count, span_ns));
        json_object_set_new(o, "bytes_per_s", rate(t->bytes, span_ns));
        json_object_set_new(o, "errors", json_integer((json_int_t)t->errors));
        json_object_set_new(o, "timed_per_s", rate(t->hist.count, span_ns));
        json_object_set_new(o, "refused_per_s", rate(t->key.op == VIGIL_OP_LOCK_WR ? t->errors : 0, span_ns));
        json_object_set_new(o, "p50_us", quantile(&t->hist, 500));
        json_object_set_new(o, "p95_us", quantile(&t->hist, 950));
        json_object_set_new(o, "p99_us", quantile(&t->hist, 990));
        json_object_set_new(o, "max_us", quantile(&t->hist, 1000));
        json_object_set_new(o, "usual_p95_us",
                            s && s->usual.samples ? json_integer(us(s->usual.p95_ns)) : json_null());
        return o;
}

/* ---- databases ---- */

struct sums {
        uint64_t commits, syncs, bytes, errors;
        struct vigil_hist commit, sync;
};

static void sum(struct sums *s, const struct tally_row *t)
{
        switch (t->key.op) {
        case VIGIL_OP_COMMIT:
                s->commits += t->count;
                hist_add(&s->commit, &t->hist);
                break;
        case VIGIL_OP_SYNC:
                if (t->key.role == VIGIL_ROLE_DIRECTORY) /* of all that is in it, and not timed */
                        break;
                s->syncs += t->count;
                hist_add(&s->sync, &t->hist);
                break;
        case VIGIL_OP_WRITE:
                s->bytes += t->bytes;
                break;
        }
        if (t->key.op != VIGIL_OP_LOCK_WR) /* to be refused a lock is no error */
                s->errors += t->errors;
}

static json_t *spike_json(struct daemon *d, const struct guard *g)
{
        return g->latency && latency_spike(g->latency->rule)->on ? latencies_spike_json(d, g) : json_null();
}

/* ---- who waits ---- */

static int longest_first(const void *a, const void *b)
{
        const struct lock_waiter *x = *(const struct lock_waiter *const *)a,
                                 *y = *(const struct lock_waiter *const *)b;

        return x->wait.since_ns < y->wait.since_ns ? -1 : x->wait.since_ns > y->wait.since_ns;
}

static json_t *wait_json(struct daemon *d, const struct lock_waiter *w)
{
        const struct database_names names = guard_names(d);

        return json_pack("{s:o, s:o}", "process", ident_json(&w->id), "waits_for",
                         lock_wait_json(&w->wait, &names, clock_boottime_ns()));
}

/* As it was at the last look, which is two seconds old at most. */
static void put_waits(struct daemon *d, const struct guard *g, json_t *o)
{
        const struct lock_waiter *of_it[TANGLE_WAITERS];
        size_t n = 0;

        if (!d->tangles->known && g->state == GUARD_WATCHED) {
                json_object_set_new(o, "waiters", json_null());
                json_object_set_new(o, "waits", json_null());
                return;
        }
        json_t *waits = json_array();
        for (size_t i = 0; i < d->tangles->nwaiters && g->state == GUARD_WATCHED; i++)
                if (d->tangles->waiter[i].wait.db == g->id)
                        of_it[n++] = &d->tangles->waiter[i];
        qsort(of_it, n, sizeof(void *), longest_first);
        for (size_t i = 0; i < n && i < WAITS_SHOWN; i++)
                json_array_append_new(waits, wait_json(d, of_it[i]));
        json_object_set_new(o, "waiters", json_integer((json_int_t)n));
        json_object_set_new(o, "waits", waits);
}

static json_t *database_json(struct daemon *d, const struct guard *g, const struct sums *sums, uint64_t span_ns)
{
        const struct sums none = {0}, s = g->state == GUARD_WATCHED ? sums[g->id] : none;
        json_t *o = json_object();

        text_json_set(o, "db", g->name, strlen(g->name));
        json_object_set_new(o, "state", json_string(live_state(d, g)));
        live_put_account(d, g, o);
        json_object_set_new(o, "commits_per_s", rate(s.commits, span_ns));
        json_object_set_new(o, "syncs_per_s", rate(s.syncs, span_ns));
        json_object_set_new(o, "write_bytes_per_s", rate(s.bytes, span_ns));
        json_object_set_new(o, "errors", json_integer((json_int_t)s.errors));
        json_object_set_new(o, "commit_p50_us", quantile(&s.commit, 500));
        json_object_set_new(o, "commit_p99_us", quantile(&s.commit, 990));
        json_object_set_new(o, "sync_p50_us", quantile(&s.sync, 500));
        json_object_set_new(o, "sync_p99_us", quantile(&s.sync, 990));
        json_object_set_new(o, "spike", spike_json(d, g));
        put_waits(d, g, o);
        return o;
}

static json_t *databases_json(struct daemon *d, const char *database, const struct tally *rows, uint64_t span_ns)
{
        struct sums *sums = calloc(VIGIL_MAX_DBS, sizeof(*sums)); /* by the kernel's id */
        json_t *list = sums ? json_array() : NULL;

        for (size_t i = 0; sums && i < rows->n; i++)
                if (rows->row[i].key.db < VIGIL_MAX_DBS && rows->row[i].key.role != COUNTED_OF_A_PROCESS)
                        sum(&sums[rows->row[i].key.db], &rows->row[i]);
        for (size_t i = 0; list && i < guards_count(d->guards); i++) {
                const struct guard *g = guards_at(d->guards, i);
                if (!database || strcmp(g->name, database) == 0)
                        json_array_append_new(list, database_json(d, g, sums, span_ns));
        }
        free(sums);
        return list;
}

/* ---- the document ---- */

static json_t *rows_json(struct daemon *d, const char *database, const struct tally *rows, uint64_t span_ns)
{
        json_t *list = json_array();

        for (size_t i = 0; i < rows->n; i++) {
                const struct guard *g = guards_by_id(d->guards, rows->row[i].key.db);
                if (g && (!database || strcmp(g->name, database) == 0))
                        json_array_append_new(list, row_json(g, &rows->row[i], span_ns));
        }
        return list;
}

int top_document(struct daemon *d, const char *database, json_t **ret)
{
        struct tally rows;
        char at[TEXT_TIME_LEN];
        uint64_t span_ns;
        int exit, r = latencies_recent(d, &rows, &span_ns);

        if (r == 0) {
                text_time(at, daemon_now());
                *ret = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "schema", "vigil.top/1", "vigil",
                                 VIGIL_VERSION, "at", at, "span_ms",
                                 span_ns ? json_integer((json_int_t)(span_ns / NS_PER_MS)) : json_null(), "health",
                                 live_health(d, &exit), "incidents", live_incidents(d), "databases",
                                 databases_json(d, database, &rows, span_ns), "rows",
                                 rows_json(d, database, &rows, span_ns));
                r = *ret ? 0 : -ENOMEM;
        }
        tally_done(&rows);
        return r;
}
