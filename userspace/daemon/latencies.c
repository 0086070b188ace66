/* latencies.c - see latencies.h. */
#include "daemon/latencies.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/attribution.h"
#include "daemon/cases.h"
#include "daemon/core.h"
#include "daemon/guard.h"
#include "daemon/latencies_json.h"
#include "detect/wording.h"

#define NS_PER_MS 1000000ull
#define NS_PER_S  1000000000ull

#define CODE "latency-spike"

/* A turn is a sixth of the window, within these. */
#define SHORTEST_NS NS_PER_S
#define LONGEST_NS  (5 * NS_PER_S)
/* The second's timer comes a little late, or a little early. */
#define SLACK_NS (NS_PER_S / 4)

struct latencies {
        struct counted *before, *now; /* as it was when the last turn but one, and the last one, began */
        uint64_t before_ns, now_ns;   /* 0: not yet */
        bool incomplete;              /* has been told */
        bool begun;                   /* what the last run left of databases that are not judged has been ended */
};

int latencies_new(struct latencies **ret)
{
        struct latencies *l = *ret = calloc(1, sizeof(*l));
        int r = l ? counted_new(&l->before) : -ENOMEM;

        return r < 0 ? r : counted_new(&l->now);
}

void latencies_free(struct latencies *l)
{
        if (!l)
                return;
        counted_free(l->before);
        counted_free(l->now);
        free(l);
}

void latencies_forget(struct guard *g)
{
        if (!g->latency)
                return;
        latency_free(g->latency->rule);
        attribution_done(g->latency->why);
        free(g->latency);
        g->latency = NULL;
}

struct latency_limits latencies_limits(const struct config_latency *c)
{
        uint64_t turn = c->window_ms * NS_PER_MS / 6;

        return (struct latency_limits){.factor = c->factor,
                                       .turn_ns = turn < SHORTEST_NS  ? SHORTEST_NS
                                                  : turn > LONGEST_NS ? LONGEST_NS
                                                                      : turn,
                                       .window_ns = c->window_ms * NS_PER_MS,
                                       .hold_ns = c->hold_ms * NS_PER_MS,
                                       .accept_ns = c->accept_ms * NS_PER_MS,
                                       .warm_up_ns = c->warm_up_ms * NS_PER_MS,
                                       .min_samples = c->min_samples,
                                       .floor_ns = {[LATENCY_READ] = c->floor_read_ms * NS_PER_MS,
                                                    [LATENCY_SYNC] = c->floor_sync_ms * NS_PER_MS,
                                                    [LATENCY_LOCK] = c->floor_lock_ms * NS_PER_MS,
                                                    [LATENCY_COMMIT] = c->floor_commit_ms * NS_PER_MS,
                                                    [LATENCY_CHECKPOINT] = c->floor_checkpoint_ms * NS_PER_MS}};
}

/* ---- of one database ---- */

/* The number that a name of the store stands for; -1: none of ours. Waits for locks are called "lock". */
static int number_of(const char *name, const char *(*name_of)(unsigned), const unsigned *numbers, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(name_of(numbers[i]), name) == 0)
                        return (int)numbers[i];
        return -1;
}

static int on_stored(void *userdata, const struct store_baseline *b)
{
        static const unsigned ops[] = {VIGIL_OP_READ, VIGIL_OP_SYNC, VIGIL_OP_LOCK_WAIT, VIGIL_OP_COMMIT,
                                       VIGIL_OP_CHECKPOINT};
        static const unsigned roles[] = {VIGIL_ROLE_OTHER, VIGIL_ROLE_MAIN,    VIGIL_ROLE_WAL,
                                         VIGIL_ROLE_SHM,   VIGIL_ROLE_JOURNAL, VIGIL_ROLE_DIRECTORY};
        int op = number_of(b->op, op_name, ops, sizeof(ops) / sizeof(*ops));
        int role = number_of(b->file, role_name, roles, sizeof(roles) / sizeof(*roles));
        struct latency_series *s = op < 0 || role < 0 ? NULL
                                                      : latency_series(userdata, (unsigned)role, (unsigned)op);

        /* What somebody else wrote there is not ours to use. */
        return s && baseline_unpack(&s->baseline, b->hour, b->learned, b->size) == -ENOMEM ? -ENOMEM : 0;
}

/* One of an earlier run that is not over yet: it is this one's to end. */
static void take_over(struct daemon *d, const struct guard *g)
{
        struct incident *const *list;
        size_t n = incidents_list(d->incidents, &list);

        for (size_t i = 0; i < n; i++)
                if (list[i]->status != INCIDENT_RESOLVED && strcmp(list[i]->code, CODE) == 0 && list[i]->database &&
                    strcmp(list[i]->database, g->name) == 0)
                        snprintf(g->latency->incident, sizeof(g->latency->incident), "%s", list[i]->id);
}

/* @return 0; -EBUSY: not yet, but at the next turn; -ENOMEM */
static int begin(struct daemon *d, struct guard *g, uint64_t now)
{
        struct store *s = keeper_store(d->keeper);

        /* What is learned before what is stored has been read would replace it. */
        if (!s || (keeper_waiting(d->keeper) && !keeper_trouble(d->keeper)))
                return -EBUSY;
        const struct latency_limits limits = latencies_limits(&g->of->latency);
        struct guard_latency *l = calloc(1, sizeof(*l));

        if (!l || latency_new(&limits, &l->rule) < 0) {
                free(l);
                return -ENOMEM;
        }
        int r = store_load_baselines(s, g->name, on_stored, l->rule);
        if (keeper_will_answer(r)) {
                latency_free(l->rule);
                free(l);
                return -EBUSY;
        }
        l->began_ns = l->first_ns = now;
        g->latency = l;
        if (r < 0)
                log_warn("database %s: what is usual for it cannot be read from the store: it is learned anew",
                         g->name);
        take_over(d, g);
        return 0;
}

/* ---- spikes ---- */

static void say(struct daemon *d, struct guard *g)
{
        char detail[DETECT_DETAIL_LEN];

        latencies_detail(d, g, detail);
        struct incident *i = case_raise(d, CODE, g, detail, latencies_spike_json(d, g));
        if (!i)
                return;
        snprintf(g->latency->incident, sizeof(g->latency->incident), "%s", i->id);
        case_set(d, i->id, "latency", latencies_spike_json(d, g));
}

static void end(struct daemon *d, struct guard *g, json_t *evidence)
{
        struct incident *i = incidents_find(d->incidents, g->latency->incident);

        g->latency->incident[0] = 0;
        if (!i) {
                json_decref(evidence);
                return;
        }
        if (latency_spike(g->latency->rule)->to_ns)
                case_set(d, i->id, "latency", latencies_spike_json(d, g));
        case_fulfil(d, i, ENDS_WHEN_OVER, "over", evidence);
}

void latencies_stop(struct daemon *d, struct guard *g)
{
        if (g->latency && g->latency->incident[0])
                end(d, g, json_pack("{s:s}", "ended", "not-judged"));
        latencies_forget(g);
}

/* What an earlier run told of: over when this one has looked on for long enough and found nothing. */
static void end_taken_over(struct daemon *d, struct guard *g, const struct latency_limits *limits, uint64_t now)
{
        uint64_t looked = now - g->latency->first_ns;
        bool usual = false;

        for (size_t i = 0; i < latency_count(g->latency->rule); i++)
                usual |= latency_at(g->latency->rule, i)->state == LATENCY_USUAL;
        if (looked > LATENCY_IDLE_NS || (usual && looked > limits->window_ns + limits->hold_ns))
                end(d, g, json_pack("{s:s}", "ended", "not-seen-again"));
}

/* Where the time of a spike goes, up to the last turn with something slow in it. */
static void follow_time(struct daemon *d, struct guard *g, enum latency_event event, uint64_t now)
{
        const struct latency_spike *k = latency_spike(g->latency->rule);

        if (event == LATENCY_BEGAN) {
                attribution_done(g->latency->why);
                attribution_begin(d, g, k->from_ns, &g->latency->why);
        }
        if (k->on && k->to_ns == now)
                attribution_extend(d, g, g->latency->why);
}

static void end_turn(struct daemon *d, struct guard *g, uint64_t now)
{
        const struct latency_limits limits = latencies_limits(&g->of->latency);
        struct guard_latency *l = g->latency;
        const struct latency_turn turn = {.from_ns = l->began_ns,
                                          .to_ns = now,
                                          .at_s = daemon_realtime(now) / (int64_t)NS_PER_S,
                                          .bytes = l->bytes,
                                          .disturbed = l->disturbed};

        l->began_ns = now;
        l->bytes = 0;
        l->disturbed = false;
        latency_limit(l->rule, &limits);
        enum latency_event event = latency_turn(l->rule, &turn);
        follow_time(d, g, event, now);
        switch (event) {
        case LATENCY_BEGAN:
                say(d, g);
                break;
        case LATENCY_GROWS:
                if (l->incident[0])
                        case_set(d, l->incident, "latency", latencies_spike_json(d, g));
                break;
        case LATENCY_OVER:
                end(d, g, latencies_spike_json(d, g));
                break;
        case LATENCY_NOTHING:
                if (l->incident[0] && !latency_spike(l->rule)->on)
                        end_taken_over(d, g, &limits, now);
                break;
        }
}

/* ---- turns ---- */

/* That nobody waits for the lock is learned, too, from the first write on. */
static void expect_waits(struct latency *l, unsigned role)
{
        if (role == VIGIL_ROLE_WAL)
                latency_series(l, VIGIL_ROLE_SHM, VIGIL_OP_LOCK_WAIT);
        else if (role == VIGIL_ROLE_JOURNAL)
                latency_series(l, VIGIL_ROLE_MAIN, VIGIL_OP_LOCK_WAIT);
}

static void take(struct daemon *d, const struct tally_row *row)
{
        struct guard *g = guards_by_id(d->guards, row->key.db);

        if (!g || !g->latency || row->key.role == COUNTED_OF_A_PROCESS)
                return;
        if (row->key.op == VIGIL_OP_WRITE) {
                g->latency->bytes += row->bytes;
                expect_waits(g->latency->rule, row->key.role);
        }
        if (!row->timed)
                return;
        unsigned op = row->key.op == VIGIL_OP_LOCK_WR ? VIGIL_OP_LOCK_WAIT : row->key.op;
        struct latency_series *s = latency_series(g->latency->rule, row->key.role, op);
        if (s)
                latency_add(s, &row->hist);
}

/* The rows of the turn before become those before that. @return 0 or -errno */
static int count(struct daemon *d, uint64_t now)
{
        struct latencies *l = d->latencies;
        struct counted *oldest = l->before;
        struct tally rows = {0};
        bool first = !l->now_ns;

        l->before = l->now;
        l->now = oldest;
        l->before_ns = l->now_ns;
        l->now_ns = now;
        int r = counted_since(d, l->before, &rows, l->now);
        for (size_t i = 0; r == 0 && !first && i < rows.n; i++)
                take(d, &rows.row[i]);
        if (r == 0)
                latencies_programs(d, &rows);
        tally_done(&rows);
        return r;
}

/* How long the shortest turn of all is; 0: nothing is watched. Databases begin and end here. */
static uint64_t prepare(struct daemon *d, uint64_t now)
{
        uint64_t shortest = 0;
        bool busy = false; /* the store: each of them would wait for it */

        for (size_t i = 0; i < guards_count(d->guards); i++) {
                struct guard *g = guards_at(d->guards, i);
                if (!g->of->latency.enabled && !d->latencies->begun)
                        cases_over(d, CODE, g->name, "over");
                if (g->state == GUARD_WATCHED && !shortest)
                        shortest = LONGEST_NS;
                if (g->state != GUARD_WATCHED || !g->of->latency.enabled) {
                        latencies_stop(d, g);
                        continue;
                }
                int r = g->latency ? 0 : busy ? -EBUSY : begin(d, g, now);
                busy = busy || r == -EBUSY;
                if (r < 0)
                        continue;
                g->latency->disturbed |= actions_at_work_on(d->actions, g->name);
                uint64_t turn = latencies_limits(&g->of->latency).turn_ns;
                shortest = turn < shortest ? turn : shortest;
        }
        d->latencies->begun = true;
        return shortest;
}

void latencies_second(struct daemon *d)
{
        struct latencies *l = d->latencies;
        uint64_t now = clock_boottime_ns(), shortest = prepare(d, now);

        if (!shortest || (l->now_ns && now + SLACK_NS < l->now_ns + shortest))
                return;
        int r = count(d, now);
        attribution_turn(d, now);
        if (r < 0 && !l->incomplete)
                log_error("how long operations take cannot be told completely: %s", strerror(-r));
        l->incomplete = r < 0;
        for (size_t i = 0; i < guards_count(d->guards); i++) {
                struct guard *g = guards_at(d->guards, i);
                if (g->latency &&
                    now + SLACK_NS >= g->latency->began_ns + latencies_limits(&g->of->latency).turn_ns)
                        end_turn(d, g, now);
        }
}

int latencies_recent(struct daemon *d, struct tally *ret_rows, uint64_t *ret_ns)
{
        struct latencies *l = d->latencies;

        *ret_rows = (struct tally){0};
        *ret_ns = 0;
        if (!l->before_ns)
                return 0;
        *ret_ns = clock_boottime_ns() - l->before_ns;
        return counted_since(d, l->before, ret_rows, NULL);
}
