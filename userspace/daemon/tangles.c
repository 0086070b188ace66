/* tangles.c - see tangles.h. */
#include "daemon/tangles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "daemon/cases.h"
#include "daemon/core.h"
#include "daemon/guard.h"
#include "daemon/jobs.h"

#define LOOK_NS 1500000000ull /* called each second: every two seconds */

/* Looks without it: a busy handler that sleeps long has not given up yet. */
#define GONE_LOOKS 2

static const char *const code[] = {[KNOT_DEADLOCK] = "lock-deadlock", [KNOT_CONVOY] = "lock-convoy"};

int tangles_new(struct tangles **ret)
{
        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

/* Of two of a kind the one that matters more: certain before suspected before what may end by itself, then the one that has lasted longer. */
static bool outranks(const struct lock_knot *a, const struct lock_knot *b)
{
        if (a->may_end != b->may_end)
                return b->may_end;
        if (a->may_end && a->idle_ns != b->idle_ns)
                return a->idle_ns && (!b->idle_ns || a->idle_ns < b->idle_ns);
        return a->since_ns < b->since_ns;
}

/* That one of the kind at this database; NULL: none. */
static const struct lock_knot *foremost(const struct tangles *t, const struct guard *g, enum knot_kind kind)
{
        const struct lock_knot *found = NULL;

        for (size_t i = 0; i < t->nknots; i++) {
                const struct lock_knot *k = &t->knot[i];
                if (k->kind == kind && lock_knot_database(k, t->waiter) == g->id && (!found || outranks(k, found)))
                        found = k;
        }
        return found;
}

/* Whether a lock may be another thread's than that which waits matters in rings alone. */
static void look_at_threads(struct tangles *t)
{
        for (size_t i = 0; i < t->nknots; i++)
                for (size_t m = 0; t->knot[i].kind == KNOT_DEADLOCK && m < t->knot[i].nmembers; m++) {
                        struct lock_waiter *w = &t->waiter[t->knot[i].member[m]];
                        if (!lock_knot_is_own(&t->knot[i], t->waiter, m))
                                sensor_other_threads(&w->id, w->wait.tid, &w->others);
                }
}

static void tell(struct daemon *d, struct guard *g, const struct lock_knot *k, uint64_t now)
{
        const struct database_names names = guard_names(d);
        struct sentence s = {0};
        char detail[DETECT_DETAIL_LEN];

        lock_knot_tell(&s, k, d->tangles->waiter, &names, now);
        case_as_of(detail, s.text);
        json_t *evidence = lock_knot_json(k, d->tangles->waiter, &names, now);
        const char *incident = jobs_kept_by(d, k);
        const struct incident *in;

        if (k->may_end)
                in = case_raise_doubtful(d, code[k->kind], SEVERITY_P2, g, detail, evidence, incident,
                                         "other-thread-may-let-go");
        else
                in = case_raise_in(d, code[k->kind], g, detail, evidence, incident);
        if (!in)
                return;
        g->tangle[k->kind].told = true;
        g->tangle[k->kind].suspected = k->may_end;
        snprintf(g->tangle[k->kind].incident, sizeof(g->tangle[k->kind].incident), "%s", in->id);
}

static void look_at(struct daemon *d, struct guard *g, enum knot_kind kind, uint64_t now)
{
        const struct lock_limits limits = {.deadlock_after_ms = g->of->locks.deadlock_after_ms,
                                           .suspect_after_ms = g->of->locks.suspect_after_ms,
                                           .convoy_after_ms = g->of->locks.convoy_after_ms};
        const struct lock_knot *k = foremost(d->tangles, g, kind);
        struct guard_tangle *t = &g->tangle[kind];

        if (k) {
                t->gone = 0;
                /* What was suspected, and is certain now, is told once more. */
                if (((!t->told || t->suspected) && lock_knot_lasts(k, &limits, now)) ||
                    (!t->told && lock_knot_is_suspect(k, &limits, now)))
                        tell(d, g, k, now);
        } else if ((t->told || !t->settled) && ++t->gone >= GONE_LOOKS) {
                cases_over(d, code[kind], g->name, "over");
                t->told = false;
                t->settled = true;
        }
}

void tangles_second(struct daemon *d)
{
        struct tangles *t = d->tangles;
        uint64_t now = clock_boottime_ns();

        if (now < t->due_ns)
                return;
        t->due_ns = now + LOOK_NS;
        t->nwaiters = t->nknots = 0;
        t->known = sensor_waiters(d->sensor, t->waiter, TANGLE_WAITERS, &t->nwaiters) >= 0;
        if (!t->known) {
                t->nwaiters = 0;
                return;
        }
        t->nknots = lock_graph_knots(t->waiter, t->nwaiters, t->knot, TANGLE_KNOTS);
        look_at_threads(t);
        lock_watch_look(&t->watch, t->knot, t->nknots, t->waiter, now);
        for (size_t i = 0; i < guards_count(d->guards); i++) {
                struct guard *g = guards_at(d->guards, i);
                look_at(d, g, KNOT_DEADLOCK, now);
                look_at(d, g, KNOT_CONVOY, now);
        }
}
