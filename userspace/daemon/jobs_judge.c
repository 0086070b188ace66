/* jobs_judge.c - verdicts: who is in question is sampled, and judged again until the answer is known. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/core.h"
#include "daemon/jobs_private.h"
#include "daemon/tangles.h"
#include "sensor/procinfo.h"

/* A certificate is a part of the finding, and comes a moment after the death. */
#define CERTIFICATE_WAIT_NS 1500000000ull

#define STRANGER_NS 10000000000ull

/* The number in the row is no member's: who has it now? */
static void look_up_stranger(struct daemon *d, const struct orchestrator *o, struct job *job, uint64_t now)
{
        const struct process_evidence *seen = samples_now(d->jobs->samples, &job->stranger);
        struct procinfo_stat stat;
        uint64_t start_ns;

        if (!job->pid || orchestrator_member(o, job->pid)) {
                /* What was found before tells nothing of who has it when that one is forgotten. */
                job->stranger = (struct vigil_ident){0};
                job->stranger_ns = job->nobody_ns = 0;
                return;
        }
        if (orchestrator_is_contained(o) || (job->stranger_ns && now - job->stranger_ns < STRANGER_NS))
                return;
        int r = procinfo_stat(job->pid, &stat);
        if (r < 0 && r != -ESRCH)
                return;
        job->stranger_ns = now;
        job->stranger = (struct vigil_ident){0};
        if (r < 0 || procinfo_is_over(&stat)) {
                if (!job->nobody_ns)
                        job->nobody_ns = seen && seen->gone ? seen->at_ns : now;
                return;
        }
        job->nobody_ns = 0;
        job->stranger.tgid = job->pid;
        memcpy(job->stranger.comm, stat.comm, sizeof(job->stranger.comm));
        if (sensor_identify(d->sensor, (pid_t)job->pid, &start_ns) < 0)
                start_ns = procinfo_start_ns(stat.ticks);
        job->stranger.start_ns = start_ns;
}

static void want_samples(struct samples *s, const struct job_case *c, uint64_t now)
{
        for (size_t i = 0; i < c->facts.nprocesses; i++)
                if (!c->process[i].ended_ns && !(c->process[i].now && c->process[i].now->gone))
                        samples_want(s, &c->process[i].id, now);
}

/* What it did before it began to wait proves nothing against it. */
static bool is_seen_to_wait(const struct job_process *p, const struct evidence_wait *wait, uint64_t blocked_ns)
{
        return p->now->at_ns >= blocked_ns && p->before && p->before->at_ns >= wait->since_ns;
}

/* Who has begun to wait for a lock since it was looked at is blocked, whatever it did then: that is worth two looks out of turn. */
static void hurry_who_waits(struct daemon *d, const struct job_case *c, uint64_t blocked_after_ns, uint64_t now)
{
        for (size_t i = 0; d->tangles && i < d->tangles->nwaiters; i++) {
                const struct lock_waiter *w = &d->tangles->waiter[i];
                uint64_t blocked_ns = w->wait.since_ns + blocked_after_ns;
                for (size_t k = 0; now >= blocked_ns && k < c->facts.nprocesses; k++) {
                        const struct job_process *p = &c->process[k];
                        if (p->now && p->id.tgid == w->id.tgid && p->id.start_ns == w->id.start_ns &&
                            !is_seen_to_wait(p, &w->wait, blocked_ns))
                                samples_hurry(d->jobs->samples, &p->id);
                }
        }
}

static bool waits_for_certificate(const struct orchestrator *o, const struct job_case *c,
                                  const struct job_judgement *j, uint64_t now)
{
        if (j->verdict != JOB_ORPHANED || !o->of->database || j->process == JOB_NOBODY)
                return false;
        const struct job_process *p = &c->process[j->process];
        return p->ended_ns && !p->certificate && now - p->ended_ns < CERTIFICATE_WAIT_NS;
}

/* Whether one of the living has written when the job moved last says only a sample. */
static bool waits_for_samples(struct job_case *c, const struct job_judgement *j, struct samples *s, uint64_t now)
{
        bool waits = false;

        if (j->verdict != JOB_ORPHANED || j->process == JOB_NOBODY || c->process[j->process].tie != JOB_TIE_WRITES)
                return false;
        for (size_t i = 0; i < c->facts.nprocesses; i++) {
                const struct job_process *p = &c->process[i];
                if (p->tie != JOB_TIE_TREE || p->ended_ns || p->now || !p->id.start_ns)
                        continue;
                samples_want(s, &p->id, now);
                waits = true;
        }
        return waits;
}

/* Its row names a process that had ended by then: the number may be that of another one, whom no scan has met yet. */
static bool waits_for_scan(struct jobs *jobs, const struct job *job, const struct job_case *c,
                           const struct job_judgement *j, uint64_t now)
{
        if (j->verdict != JOB_ORPHANED || j->process == JOB_NOBODY || jobs->scanned_ns > job->pid_seen_ns)
                return false;
        const struct job_process *p = &c->process[j->process];
        if (p->tie != JOB_TIE_PID || !p->ended_ns || p->ended_ns >= job->pid_seen_ns)
                return false;
        jobs->scan_due_ns = now;
        return true;
}

/* A row has moved, and nobody is known who could have done it: he may end before the next scan, and would never have been there. */
static void look_who_moves_it(struct jobs *jobs, const struct orchestrator *o, const struct job *job, uint64_t now)
{
        if (!o->living && job->moved_by_ns > jobs->scanned_ns)
                jobs->scan_due_ns = now;
}

/* Its end says nothing before a reading that begins after it. Of one that failed another has been thought of. */
static void read_after_the_end(struct job_table *t, const struct job_judgement *j, uint64_t now)
{
        if (j->verdict == JOB_UNKNOWN && strcmp(j->reason, "row-older-than-the-end") == 0 && !t->failed &&
            !t->asked_ns && t->due_ns > now && job_table_may_read(t, now))
                t->due_ns = now;
}

/* A wait that asks again and again uses some CPU time, now more and now less: what was told stands until the other is seen so
 * often in a row. */
#define OTHER_WAY 3

static bool is_other_way(struct job *job, enum job_verdict v)
{
        bool turned = (v == JOB_STALLED && job->told == JOB_SPINNING) ||
                      (v == JOB_SPINNING && job->told == JOB_STALLED);

        job->other_way = turned ? job->other_way + 1 : 0;
        return turned && job->other_way < OTHER_WAY;
}

static void judge(struct daemon *d, struct orchestrator *o, struct job *job, const struct job_limits *l,
                  uint64_t now)
{
        struct job_case c;
        struct job_judgement j;

        look_up_stranger(d, o, job, now);
        look_who_moves_it(d->jobs, o, job, now);
        job_case_fill(d, o, job, now, &c);
        job->in_question = job_is_in_question(&c.facts, l);
        if (job->in_question) {
                want_samples(d->jobs->samples, &c, now);
                hurry_who_waits(d, &c, l->blocked_after_ms * 1000000, now);
        }
        job_judge(&c.facts, l, &j);
        read_after_the_end(o->jobs, &j, now);
        if (waits_for_certificate(o, &c, &j, now) || waits_for_samples(&c, &j, d->jobs->samples, now) ||
            waits_for_scan(d->jobs, job, &c, &j, now)) {
                job->in_question = true;
                return;
        }
        if (is_other_way(job, j.verdict))
                return;
        free(job->detail);
        job->detail = j.verdict == JOB_HEALTHY ? NULL : strdup(j.detail);
        job->verdict = j.verdict;
        job->since_ns = j.since_ns;
        if (j.verdict != JOB_UNKNOWN) {
                job->told = j.verdict;
                job->judged = true;
                job->severity = j.severity;
        } else {
                job->in_question = true;
        }
}

void jobs_judge(struct daemon *d, struct orchestrator *o, bool all)
{
        const struct job_limits l = job_limits_of(o->of);
        struct job_table *t = o->jobs;
        uint64_t now = clock_boottime_ns();

        for (size_t i = 0; i < t->n; i++)
                if (all || t->job[i].in_question)
                        judge(d, o, &t->job[i], &l, now);
        if (all)
                t->judged_ns = clock_boottime_ns() - now;
        memset(t->count, 0, sizeof(t->count));
        t->unjudged = 0;
        for (size_t i = 0; i < t->n; i++) {
                t->count[t->job[i].told]++;
                t->unjudged += !t->job[i].judged;
        }
}
