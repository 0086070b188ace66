/* latencies_json.c - see latencies_json.h. */
#include "daemon/latencies_json.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/attribution.h"
#include "daemon/core.h"
#include "daemon/guard.h"
#include "daemon/latencies.h"
#include "detect/wording.h"
#include "model/hist.h"
#include "report/neighbours.h"
#include "report/pick.h"
#include "report/shares.h"

#define NS_PER_S  1000000000ull
#define NS_PER_MS 1000000ull

static json_int_t us(uint64_t ns)
{
        return (json_int_t)clock_us(ns);
}

/* Two digits behind the point are more than is known. */
static json_t *factor_json(double factor)
{
        double hundredths = factor * 100 + 0.5;

        return factor > 0 && factor < 1e12 ? json_real((double)(uint64_t)hundredths / 100) : json_null();
}

static json_t *time_json(uint64_t boottime_ns)
{
        char at[TEXT_TIME_LEN];

        if (!boottime_ns)
                return json_null();
        text_time(at, daemon_realtime(boottime_ns));
        return json_string(at);
}

static json_t *usual_json(const struct latency_series *s)
{
        const struct baseline_usual *u = &s->usual;

        if (!u->samples)
                return json_null();
        return json_pack("{s:s, s:I, s:I, s:I}", "from", baseline_from_name(u->from), "p50_us", us(u->p50_ns),
                         "p95_us", us(u->p95_ns), "samples", (json_int_t)u->samples);
}

/* ---- a spike ---- */

/* The place of the program of this name, else the one that took least. */
static size_t place_of(const struct guard_latency *l, const char *comm)
{
        for (size_t i = 0; i < LATENCIES_PROGRAMS; i++)
                if (strncmp(l->program[i].comm, comm, VIGIL_COMM_LEN) == 0)
                        return i;
        return LATENCIES_PROGRAMS - 1;
}

/* A commit has its syncs in it: of one program the longer one counts. */
static void note_program(struct guard_latency *l, const char *comm, uint64_t ns)
{
        size_t at = place_of(l, comm);
        struct latency_program mine = {.ns = ns};

        if (ns <= l->program[at].ns)
                return;
        memcpy(mine.comm, comm, sizeof(mine.comm));
        for (; at > 0 && ns > l->program[at - 1].ns; at--)
                l->program[at] = l->program[at - 1];
        l->program[at] = mine;
}

void latencies_programs(struct daemon *d, const struct tally *rows)
{
        for (size_t i = 0; i < guards_count(d->guards); i++) {
                struct guard_latency *l = guards_at(d->guards, i)->latency;
                if (l)
                        memset(l->program, 0, sizeof(l->program));
        }
        for (size_t i = 0; i < rows->n; i++) {
                const struct tally_row *row = &rows->row[i];
                if (!row->timed || row->key.role != COUNTED_OF_A_PROCESS)
                        continue;
                const struct guard *g = guards_by_id(d->guards, row->key.db);
                if (g && g->latency)
                        note_program(g->latency, row->key.comm, row->hist.sum_ns);
        }
}

static json_t *programs_json(const struct guard_latency *l)
{
        json_t *names = json_array();

        for (size_t i = 0; i < LATENCIES_PROGRAMS && l->program[i].ns; i++)
                json_array_append_new(names,
                                      text_json(l->program[i].comm, strnlen(l->program[i].comm, VIGIL_COMM_LEN)));
        return names;
}

static json_t *operation_json(const struct latency_series *s)
{
        return json_pack("{s:s, s:s, s:o, s:I, s:I, s:I, s:I, s:o}", "file", role_name(s->role), "op",
                         op_name(s->op), "factor", factor_json(s->peak_factor), "p95_us", us(s->peak_p95_ns),
                         "max_us", us(s->max_ns), "slow", (json_int_t)s->slow_samples, "slow_from_us",
                         us(s->slow_ns), "usual", usual_json(s));
}

json_t *latencies_spike_json(struct daemon *d, const struct guard *g)
{
        const struct latency_spike *k = latency_spike(g->latency->rule);
        json_t *operations = json_array();

        for (size_t i = 0; i < latency_count(g->latency->rule); i++) {
                const struct latency_series *s = latency_at(g->latency->rule, i);
                if (s->peak_factor > 0)
                        json_array_append_new(operations, operation_json(s));
        }
        json_t *o = json_pack("{s:o, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:s?}", "from", time_json(k->from_ns), "to",
                              k->on ? json_null() : time_json(k->to_ns), "peak_at", time_json(k->peak_ns), "file",
                              role_name(k->peak_role), "op", op_name(k->peak_op), "factor", factor_json(k->factor),
                              "operations", operations, "programs", programs_json(g->latency), "ended",
                              k->on         ? NULL
                              : k->accepted ? "accepted"
                              : k->idle     ? "idle"
                                            : "calm");
        if (o)
                attribution_put(d, g, g->latency->why, o);
        return o;
}

/* A second cause is named when it took so many percent. */
#define ALSO 20

/* One who is named, with his unit or container, and one cause with him; all causes, with room for the rest of the sentence. */
#define WHO_LEN    160
#define CAUSE_LEN  (WHO_LEN + 40)
#define CAUSES_LEN (DETECT_DETAIL_LEN - 80)

/* "94 % lock-wait, held by driver (pid 12) while others waited 1.2 s in all". */
static void one_cause(char *ret, size_t size, const json_t *share, const json_t *neighbours)
{
        const char *cause = pick_text(share, "cause", "unexplained");
        char who[WHO_LEN] = "";

        if (strcmp(cause, "lock-wait") == 0)
                neighbours_holder_text(who, sizeof(who), neighbours);
        else if (delay_is_of_device(cause))
                neighbours_device_text(who, sizeof(who), neighbours, 1);
        snprintf(ret, size, "%.0f %% %s%s%s", json_number_value(json_object_get(share, "percent")), cause,
                 !who[0]                           ? ""
                 : strcmp(cause, "lock-wait") == 0 ? ", held by "
                                                   : "; beside it on ",
                 who);
}

/* Where the time of the slow ones went, most of all. A second cause is named if it can be named in full. */
static void causes(char *ret, size_t size, const json_t *spike, const char *op)
{
        bool of_syncs = strcmp(op, "sync") == 0 || strcmp(op, "checkpoint") == 0;
        const json_t *shares = NULL, *neighbours = json_object_get(spike, "neighbours");
        char first[CAUSE_LEN], second[CAUSE_LEN] = "";
        json_t *a;
        size_t i;

        ret[0] = 0;
        json_array_foreach (json_object_get(spike, "attribution"), i, a)
                if (strcmp(pick_text(a, "op", ""), of_syncs ? "sync" : "commit") == 0)
                        shares = json_object_get(a, "shares");
        if (!json_array_size(shares))
                return;
        one_cause(first, sizeof(first), json_array_get(shares, 0), neighbours);
        const json_t *next = json_array_get(shares, 1);
        if (json_number_value(json_object_get(next, "percent")) >= ALSO)
                one_cause(second, sizeof(second), next, neighbours);
        if (!second[0] || snprintf(ret, size, ": %s; %s", first, second) >= (int)size)
                snprintf(ret, size, ": %.*s", (int)size - 3, first);
}

void latencies_detail(struct daemon *d, const struct guard *g, char ret[DETECT_DETAIL_LEN])
{
        const struct latency_spike *k = latency_spike(g->latency->rule);
        const struct latency_series *s = latency_series(g->latency->rule, k->peak_role, k->peak_op);
        char slow[TEXT_DURATION_LEN], usual[TEXT_DURATION_LEN], why[CAUSES_LEN];
        uint64_t usual_ns = s ? s->usual.p95_ns : 0;
        json_t *spike = latencies_spike_json(d, g);

        causes(why, sizeof(why), spike, op_name(k->peak_op));
        json_decref(spike);
        /* Where usually nobody waits, the factor counts from the floor. */
        bool waits = s && s->op == VIGIL_OP_LOCK_WAIT && usual_ns <= hist_bound(0);
        text_duration(slow, !s ? 0 : waits ? s->peak_p95_ns : (uint64_t)(k->factor * (double)usual_ns));
        text_duration(usual, usual_ns);
        if (waits)
                snprintf(ret, DETECT_DETAIL_LEN, "%s on %s takes about %s, and usually nobody waits%s",
                         op_name(k->peak_op), role_name(k->peak_role), slow, why);
        else
                snprintf(ret, DETECT_DETAIL_LEN, "%s on %s takes about %s, %.0f times its usual %s%s",
                         op_name(k->peak_op), role_name(k->peak_role), slow, k->factor, usual, why);
}

/* ---- the document ---- */

static void put_window(json_t *o, const struct latency_series *s, uint64_t window_ns)
{
        const struct vigil_hist *h = &s->window;
        static const struct {
                const char *key;
                unsigned per_mille;
        } quantiles[] = {{"p50_us", 500}, {"p95_us", 950}, {"p99_us", 990}, {"max_us", 1000}};

        json_object_set_new(o, "window_s", json_integer((json_int_t)(window_ns / NS_PER_S)));
        json_object_set_new(o, "count", json_integer((json_int_t)h->count));
        for (size_t i = 0; i < sizeof(quantiles) / sizeof(*quantiles); i++)
                json_object_set_new(o, quantiles[i].key,
                                    h->count ? json_integer(us(hist_quantile(h, quantiles[i].per_mille)))
                                             : json_null());
}

static json_t *row_json(const struct guard *g, const struct latency_series *s)
{
        json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "db", g->name, "file", role_name(s->role), "op",
                              op_name(s->op), "state", latency_state_name(s->state));

        put_window(o, s, latencies_limits(&g->of->latency).window_ns);
        json_object_set_new(o, "usual", usual_json(s));
        json_object_set_new(o, "slow_from_us", s->slow_ns ? json_integer(us(s->slow_ns)) : json_null());
        json_object_set_new(o, "slow", json_integer((json_int_t)s->slow));
        json_object_set_new(o, "factor", factor_json(s->factor));
        return o;
}

static json_t *spike_row(struct daemon *d, const struct guard *g)
{
        json_t *o = latencies_spike_json(d, g);

        json_object_set_new(o, "db", json_string(g->name));
        json_object_set_new(o, "incident",
                            g->latency->incident[0] ? json_string(g->latency->incident) : json_null());
        return o;
}

/* Where the time of the last window went. */
static json_t *why_row(struct daemon *d, const struct guard *g)
{
        uint64_t window_ns = latencies_limits(&g->of->latency).window_ns, now = clock_boottime_ns();
        struct attribution_span *span = NULL;
        json_t *o = json_pack("{s:s}", "db", g->name);

        attribution_begin(d, g, now > window_ns ? now - window_ns : 0, &span);
        attribution_extend(d, g, span);
        json_object_set_new(o, "span_ms",
                            span ? json_integer((json_int_t)(attribution_length_ns(span) / NS_PER_MS))
                                 : json_null());
        attribution_put(d, g, span, o);
        attribution_done(span);
        return o;
}

json_t *latencies_document(struct daemon *d, const char *database, bool why)
{
        json_t *rows = json_array(), *spikes = json_array(), *off = json_array(), *whys = why ? json_array() : NULL;
        char at[TEXT_TIME_LEN];

        for (size_t i = 0; i < guards_count(d->guards); i++) {
                const struct guard *g = guards_at(d->guards, i);
                if (database && strcmp(database, g->name) != 0)
                        continue;
                if (!g->of->latency.enabled)
                        json_array_append_new(off, json_string(g->name));
                if (!g->latency)
                        continue;
                for (size_t k = 0; k < latency_count(g->latency->rule); k++)
                        json_array_append_new(rows, row_json(g, latency_at(g->latency->rule, k)));
                if (why)
                        json_array_append_new(whys, why_row(d, g));
                if (latency_spike(g->latency->rule)->on)
                        json_array_append_new(spikes, spike_row(d, g));
        }
        text_time(at, daemon_now());
        return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o*}", "schema", "vigil.latency/1", "at", at, "rows", rows,
                         "spikes", spikes, "not_judged", off, "why", whys);
}
