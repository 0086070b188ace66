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

static void keep_hour(struct keeper *k, const struct guard *g, const struct latency_series *series, unsigned hour,
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

        if (b.size)
                keeper_baseline(k, &b);
}

/* What is learned now was seen a window ago, and since it was stored last the hour may have changed. */
static void keep_series(struct keeper *k, const struct guard *g, struct latency_series *series, uint64_t now)
{
        int64_t now_s = daemon_realtime(now) / (int64_t)NS_PER_S;
        unsigned hour = baseline_hour(now_s, NULL), last = baseline_hour(now_s - KEEP_S - 300, NULL);

        if (series->forgotten)
                keeper_forget_baseline(k, g->name, role_name(series->role), op_name(series->op));
        if (last != hour)
                keep_hour(k, g, series, last, now_s);
        keep_hour(k, g, series, hour, now_s);
        series->changed = series->forgotten = false;
        series->kept_ns = now;
}

static bool is_due(const struct latency_series *s, uint64_t now, bool all)
{
        return s->forgotten || (s->changed && (all || now - s->kept_ns >= KEEP_S * NS_PER_S));
}

/* Not while there is trouble: what cannot be stored now is stored with what is learned until the next time. */
void latencies_keep(struct daemon *d, bool all)
{
        uint64_t now = clock_boottime_ns();
        size_t n = 0;

        if (keeper_trouble(d->keeper))
                return;
        for (size_t i = 0; i < guards_count(d->guards); i++) {
                struct guard *g = guards_at(d->guards, i);
                for (size_t k = 0; g->latency && k < latency_count(g->latency->rule); k++) {
                        struct latency_series *s = latency_at(g->latency->rule, k);
                        if (is_due(s, now, all) && (all || n++ < KEEP_ROWS))
                                keep_series(d->keeper, g, s, now);
                }
        }
}
