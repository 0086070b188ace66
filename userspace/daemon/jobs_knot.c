/* jobs_knot.c - jobs that are blocked by a deadlock or convoy: that has one cause, so it is one incident (tangles.h). */
#include <string.h>

#include "base/clock.h"
#include "daemon/core.h"
#include "daemon/guard.h"
#include "daemon/jobs_private.h"
#include "daemon/tangles.h"

/* @p k is why @job does not get on, as it is judged now. */
static bool is_kept_by(struct daemon *d, const struct orchestrator *o, const struct job *job,
                       const struct lock_knot *k)
{
        const struct job_limits l = job_limits_of(o->of);
        struct job_case c;
        struct job_judgement j;

        job_case_fill(d, o, job, clock_boottime_ns(), &c);
        job_judge(&c.facts, &l, &j);
        if (j.verdict != JOB_BLOCKED || j.process == JOB_NOBODY || strcmp(j.reason, "lock") != 0)
                return false;
        const struct job_process *p = &c.process[j.process];
        return lock_knot_keeps(k, d->tangles->waiter, &p->id, &p->now->wait[j.wait]);
}

static bool keeps_any(struct daemon *d, const struct orchestrator *o, const struct lock_knot *k)
{
        const struct job_table *t = o->jobs;

        for (size_t i = 0; i < t->n; i++)
                if (t->job[i].told == JOB_BLOCKED && is_kept_by(d, o, &t->job[i], k))
                        return true;
        return false;
}

const char *jobs_kept_by(struct daemon *d, const struct lock_knot *k)
{
        for (size_t i = 0; i < orchestrators_count(d->orchestrators); i++) {
                const struct orchestrator *o = orchestrators_at(d->orchestrators, i);
                if (o->jobs && o->jobs->firing[JOB_BLOCKED] && keeps_any(d, o, k))
                        return o->jobs->blocked_in;
        }
        return NULL;
}

const char *jobs_knot_incident(struct daemon *d, const struct orchestrator *o)
{
        for (size_t i = 0; d->tangles && i < d->tangles->nknots; i++) {
                const struct lock_knot *k = &d->tangles->knot[i];
                const struct guard *g = guards_by_id(d->guards, lock_knot_database(k, d->tangles->waiter));
                if (g && g->tangle[k->kind].told && keeps_any(d, o, k))
                        return g->tangle[k->kind].incident;
        }
        return NULL;
}
