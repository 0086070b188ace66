/* job_blocked.c - what keeps one process from going on. */
#include <string.h>

#include "detect/job_private.h"

#define NS_PER_S 1000000000ull

static bool held_off(const struct job_process *p, uint64_t min_ns, struct job_judgement *j)
{
        const struct process_evidence *now = p->now, *before = p->before;
        bool both = before && !before->gone;
        uint64_t since = p->held_ns ? p->held_ns : both ? before->at_ns : now->at_ns;

        if (now->stop.stopped && (!both || before->stop.stopped || now->stop.ns)) {
                j->reason = "stopped";
                since = now->stop.ns ? now->stop.ns : since;
        } else if (now->stop.traced && both && before->stop.traced) {
                j->reason = "traced";
        } else if (now->cgroup.frozen && both && before->cgroup.frozen) {
                j->reason = "frozen";
        } else {
                return false;
        }
        j->since_ns = since;
        return now->at_ns >= since + min_ns; /* a signal may have come after the look began */
}

static bool waits_for_lock(const struct process_evidence *now, uint64_t min_ns, struct job_judgement *j)
{
        for (size_t i = 0; i < now->nwaits; i++) {
                if (now->at_ns < now->wait[i].since_ns + min_ns)
                        continue;
                j->reason = "lock";
                j->wait = i;
                j->since_ns = now->wait[i].since_ns;
                return true;
        }
        return false;
}

static bool waits_for_sync(const struct process_evidence *now, uint64_t min_ns, struct job_judgement *j)
{
        if (!now->sync.since_ns || now->at_ns < now->sync.since_ns + min_ns)
                return false;
        j->reason = "sync";
        j->since_ns = now->sync.since_ns;
        return true;
}

/* The same sleep in both samples. That it lasted all the time between them is likely and no more: nothing was done meanwhile. */
static bool sleeps_deeply(const struct process_evidence *now, const struct process_evidence *before,
                          const struct job_motion *m, struct job_judgement *j)
{
        if (!m->known || m->cpu_percent || m->io || now->state != 'D' || before->state != 'D' ||
            now->tid != before->tid || strcmp(now->wchan, before->wchan) != 0)
                return false;
        j->reason = "uninterruptible";
        j->since_ns = before->at_ns;
        return true;
}

/* The kernel sums that time up over CPUs, levels and everybody in the cgroup: it counts only with a process that wants to run and
 * gets next to nothing. */
static bool is_throttled(const struct process_evidence *now, const struct process_evidence *before,
                         const struct job_limits *l, const struct job_motion *m, struct job_judgement *j)
{
        if (!m->known || now->cgroup.throttled_us <= before->cgroup.throttled_us)
                return false;
        bool wants_cpu = m->ready_percent >= 50 || (now->running && before->running);
        if (!wants_cpu || m->storage || m->cpu_percent >= l->spinning_percent)
                return false;
        uint64_t us = now->cgroup.throttled_us - before->cgroup.throttled_us;
        j->reason = "throttled";
        j->since_ns = before->at_ns;
        return us >= m->span_ns / 1000 / 2;
}

bool job_process_is_blocked(const struct job_process *p, const struct job_limits *l, uint64_t min_ns, bool quiet,
                            struct job_judgement *j)
{
        const struct job_motion m = job_motion_of(p, l);

        if (!p->now || p->now->gone || !min_ns)
                return false;
        if (held_off(p, min_ns, j))
                return true;
        if (m.database)
                return false;
        if (waits_for_lock(p->now, min_ns, j) || waits_for_sync(p->now, min_ns, j))
                return !p->now->last_write_ns || p->now->last_write_ns <= j->since_ns + NS_PER_S;
        return quiet && (sleeps_deeply(p->now, p->before, &m, j) || is_throttled(p->now, p->before, l, &m, j));
}
