/* latencies_keep.c - what was learned goes into the store, an hour of the week at a time. See latencies.h. */
#include "base/clock.h"
#include "daemon/core.h"
#include "daemon/guard.h"
#include "daemon/latencies.h"
#include "detect/wording.h"

#define NS_PER_S 1000000000ull
#define KEEP_S   600
/* In one step; the rest a minute later. */
#define KEEP_ROWS 256

static int keep_hour(struct store *s, const struct guard *g, const struct latency_series *series, unsigned hour,
                     int64_t now_s)
{
        uint8_t learned[BASELINE_PACKED_MAX];
        const struct store_baseline b = {.database = g->name,
                                         .file = role_name(series->role),
                                         .op = op_name(series->op),
                                         .hour = hour,
                                         .updated_s = now_s,
                                         .learned = learned,
                                         .size = baseline_pack(&series->baseline, hour, learned)};

        return b.size ? store_put_baseline(s, &b) : 0;
}

/* What is learned now was seen a window ago, and since it was stored last the hour may have changed. */
static int keep_series(struct store *s, const struct guard *g, const struct latency_series *series, int64_t now_s)
{
        unsigned hour = baseline_hour(now_s, NULL), last = baseline_hour(now_s - KEEP_S - 300, NULL);
        int r = 0;

        if (series->forgotten)
                r = store_forget_baseline(s, g->name, role_name(series->role), op_name(series->op));
        if (r == 0 && last != hour)
                r = keep_hour(s, g, series, last, now_s);
        return r == 0 ? keep_hour(s, g, series, hour, now_s) : r;
}

static bool is_due(const struct latency_series *s, uint64_t now, bool all)
{
        return s->forgotten || (s->changed && (all || now - s->kept_ns >= KEEP_S * NS_PER_S));
}

/* Calls @p fn for each series that is due, KEEP_ROWS at most. */
static int each_due(struct daemon *d, uint64_t now, bool all,
                    int (*fn)(struct daemon *d, struct guard *g, struct latency_series *s, uint64_t now))
{
        size_t n = 0;
        int r = 0;

        for (size_t i = 0; r == 0 && i < guards_count(d->guards); i++) {
                struct guard *g = guards_at(d->guards, i);
                for (size_t k = 0; r == 0 && g->latency && k < latency_count(g->latency->rule); k++) {
                        struct latency_series *s = latency_at(g->latency->rule, k);
                        if (is_due(s, now, all) && (all || n++ < KEEP_ROWS))
                                r = fn(d, g, s, now);
                }
        }
        return r;
}

static int put(struct daemon *d, struct guard *g, struct latency_series *s, uint64_t now)
{
        return keep_series(keeper_store(d->keeper), g, s, daemon_realtime(now) / (int64_t)NS_PER_S);
}

static int done(struct daemon *d, struct guard *g, struct latency_series *s, uint64_t now)
{
        (void)d;
        (void)g;
        s->changed = s->forgotten = false;
        s->kept_ns = now;
        return 0;
}

/* Directly, not through the queue: what cannot be stored now is stored with what is learned until the next time. */
void latencies_keep(struct daemon *d, bool all)
{
        struct store *s = keeper_store(d->keeper);
        uint64_t now = clock_boottime_ns();

        if (!s || keeper_trouble(d->keeper) || store_begin(s) < 0)
                return;
        if (each_due(d, now, all, put) < 0 || store_commit(s) < 0)
                store_rollback(s);
        else
                each_due(d, now, all, done);
}
