/* jobs_facts.c - which processes work for a job, and all else that its verdict rests on. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core.h"
#include "daemon/guard.h"
#include "daemon/jobs_private.h"
#include "daemon/tangles.h"

#define NS_PER_MS 1000000ull

/* Rows carry whole seconds, rounded down, and another clock. */
#define SECOND_NS 1000000000ull
#define SLACK_NS  (2 * SECOND_NS)

#define BLOCKED_AFTER_MS 30000

/* Some looks, one a second. */
#define UNUSED_NS (3 * SECOND_NS)

struct job_limits job_limits_of(const struct config_orchestrator *of)
{
        struct job_limits l = job_limits_default;
        uint64_t blocked = of->jobs.blocked_after_ms;

        l.stuck_after_ms = of->jobs.stuck_after_ms;
        l.no_progress_ms = of->jobs.no_progress_ms;
        if (!blocked)
                blocked = l.no_progress_ms && l.no_progress_ms < BLOCKED_AFTER_MS ? l.no_progress_ms
                                                                                  : BLOCKED_AFTER_MS;
        l.blocked_after_ms = blocked;
        return l;
}

/* Of database @db, or, where there is none, of any. */
static const struct job_death *death_of(const struct jobs *jobs, const struct vigil_ident *id, unsigned db)
{
        size_t n = jobs->ndeaths < JOB_DEATHS ? jobs->ndeaths : JOB_DEATHS;
        const struct job_death *found = NULL;

        for (size_t i = 0; i < n; i++)
                if (jobs->death[i].id.tgid == id->tgid && jobs->death[i].id.start_ns == id->start_ns &&
                    (!found || jobs->death[i].db == db))
                        found = &jobs->death[i];
        return found;
}

/* Who began later is not whom the row names: it was written while it was read, and clocks of rows are not asked here. */
static uint64_t named_by(const struct job *job)
{
        return job->pid_seen_ns + SECOND_NS;
}

/* Of those that had that number since the boot, an earlier run may have seen many: the row's was there when the job began. */
static bool is_of_its_time(const struct job_death *x, const struct job *job)
{
        uint64_t began = job->started_ns ? job->started_ns : job->updated_ns;

        return !x->remembered || x->ended_ns + SLACK_NS >= began;
}

/* Of the process that the row names and no scan has seen alive. A living one that had the number by then is that process. NULL: none
 * is known. */
static const struct job_death *death_by_number(const struct jobs *jobs, const struct job *job)
{
        size_t n = jobs->ndeaths < JOB_DEATHS ? jobs->ndeaths : JOB_DEATHS;
        const struct job_death *found = NULL;

        for (size_t i = 0; i < n; i++) {
                const struct job_death *x = &jobs->death[i];
                bool other = job->stranger.tgid && job->stranger.start_ns != x->id.start_ns &&
                             job->stranger.start_ns <= named_by(job);
                if (x->id.tgid == job->pid && x->id.start_ns <= named_by(job) && !other && is_of_its_time(x, job) &&
                    (!found || x->id.start_ns > found->id.start_ns))
                        found = x;
        }
        return found;
}

/* ---- processes ---- */

static void tie(const struct jobs *jobs, struct job_case *c, enum job_tie how, const struct vigil_ident *id,
                uint64_t ended_ns)
{
        struct job_process *p = &c->process[c->facts.nprocesses];

        if (c->facts.nprocesses == JOB_PROCESSES) {
                c->facts.cut = true;
                return;
        }
        c->facts.nprocesses++;
        const struct job_death *death = ended_ns ? death_of(jobs, id, c->db) : NULL;
        *p = (struct job_process){
                .tie = how, .id = *id, .ended_ns = ended_ns, .certificate = death ? death->certificate : NULL};
        p->now = ended_ns ? NULL : samples_now(jobs->samples, id);
        p->before = ended_ns ? NULL : samples_before(jobs->samples, id);
        p->held_ns = ended_ns ? 0 : samples_held_ns(jobs->samples, id);
        p->gone_ns = p->now && p->now->gone ? p->now->at_ns : 0;
}

/* What a process writes for its number is that of its own PID namespace. */
static uint32_t own_pid(const struct member *m)
{
        return m->own_pid ? m->own_pid : m->id.tgid;
}

/* Who had the number when the row began to name it. NULL: nobody; or several of them have it, each in a namespace of its own. */
static const struct member *member_of(const struct orchestrator *o, const struct job *job)
{
        const struct member *best = NULL;
        unsigned living = 0;

        for (size_t i = 0; i < o->n; i++)
                living += own_pid(&o->member[i]) == job->pid && !o->member[i].ended_ns;
        for (size_t i = 0; living < 2 && i < o->n; i++) {
                const struct member *m = &o->member[i];
                if (own_pid(m) != job->pid || (best && m->id.start_ns > named_by(job)))
                        continue;
                if (!best || best->id.start_ns > named_by(job) || m->id.start_ns > best->id.start_ns)
                        best = m;
        }
        return best;
}

static bool descends(const struct orchestrator *o, const struct member *m, uint32_t pid)
{
        for (int depth = 0; m && depth < 8; depth++) {
                if (m->ppid == pid)
                        return true;
                m = orchestrator_member(o, m->ppid);
        }
        return false;
}

/* Of each descendant one is the child of @pid, also one that has ended. */
static bool has_children(const struct orchestrator *o, uint32_t pid)
{
        for (size_t i = 0; i < o->n; i++)
                if (o->member[i].ppid == pid)
                        return true;
        return false;
}

/* The row names it. @param m  NULL: it is no member */
static void tie_by_pid(const struct jobs *jobs, const struct orchestrator *o, const struct job *job,
                       const struct member *m, struct job_case *c)
{
        static const struct process_evidence gone = {.gone = true};
        const struct job_death *death = m ? NULL : death_by_number(jobs, job);

        if (m)
                tie(jobs, c, JOB_TIE_PID, &m->id, m->ended_ns);
        else if (death)
                tie(jobs, c, JOB_TIE_PID, &death->id, death->ended_ns);
        else
                tie(jobs, c, JOB_TIE_PID, &job->stranger, 0);
        c->process[0].tied_ns = job->pid_seen_ns;
        if (!c->process[0].id.tgid) {
                c->process[0].id.tgid = job->pid;
                c->process[0].now = job->nobody_ns ? &gone : NULL; /* NULL: who has it could not be looked up */
                c->process[0].gone_ns = job->nobody_ns;
        }
        /* While it lives its children count, too; afterwards the others: one of them may have taken the job over. */
        bool alive = m && !m->ended_ns;
        if (alive && !has_children(o, m->id.tgid))
                return;
        for (size_t i = 0; i < o->n; i++) {
                const struct member *other = &o->member[i];
                if (other->ended_ns || other == m)
                        continue;
                if (!alive)
                        tie(jobs, c, JOB_TIE_TREE, &other->id, 0);
                else if (descends(o, other, m->id.tgid))
                        tie(jobs, c, JOB_TIE_CHILD, &other->id, 0);
        }
}

/* When a job moved last: between these two. */
struct moved {
        uint64_t from_ns, to_ns;
};

static struct moved moved_of(const struct job *job, const struct job_facts *f)
{
        struct moved m = {.from_ns = f->updated_ns   ? f->updated_ns
                                     : f->changed_ns ? f->changed_ns
                                                     : f->first_seen_ns,
                          .to_ns = job->moved_by_ns};

        if (f->updated_ns && f->updated_ns + SECOND_NS < m.to_ns)
                m.to_ns = f->updated_ns + SECOND_NS;
        return m;
}

/* It was there when the job moved last, so it may be the one that moves it. Who came later has not touched it. */
static bool could_work(const struct member *m, struct moved moved)
{
        uint64_t start = m->id.start_ns ? m->id.start_ns : procinfo_start_ns(m->ticks);

        return start <= moved.to_ns && (!m->ended_ns || m->ended_ns + SLACK_NS >= moved.from_ns);
}

static bool has_written(const struct jobs *jobs, const struct member *m, unsigned db, uint64_t since_ns)
{
        const struct process_evidence *e = samples_now(jobs->samples, &m->id);

        for (size_t i = 0; e && db && i < e->nuses && i < VIGIL_USES; i++)
                if (e->use[i].db == db && e->use[i].commits && e->use[i].last_ns >= since_ns)
                        return true;
        return false;
}

static bool had_written(const struct jobs *jobs, const struct member *m, unsigned db, uint64_t since_ns)
{
        const struct job_death *death = db ? death_of(jobs, &m->id, db) : NULL;

        return death && death->db == db && death->last_commit_ns && death->last_commit_ns >= since_ns;
}

/* The living, of those who have written or of the others. @return how many there are of both */
static size_t tie_living(const struct jobs *jobs, const struct orchestrator *o, struct moved moved,
                         uint64_t since_ns, bool writers, struct job_case *c)
{
        size_t alive = 0;

        for (size_t i = 0; i < o->n; i++) {
                const struct member *m = &o->member[i];
                if (m->ended_ns || !could_work(m, moved))
                        continue;
                alive++;
                if (has_written(jobs, m, c->db, since_ns) == writers)
                        tie(jobs, c, writers ? JOB_TIE_WRITES : JOB_TIE_TREE, &m->id, 0);
        }
        return alive;
}

/* Who works for a job wrote when it moved last. Of the living that is seen in their samples, of the dead in their certificates. */
static void tie_by_work(const struct jobs *jobs, const struct orchestrator *o, struct moved moved,
                        struct job_case *c)
{
        uint64_t since = c->facts.started_ns > moved.from_ns ? c->facts.started_ns : moved.from_ns;

        size_t alive = tie_living(jobs, o, moved, since, true, c);

        for (size_t i = 0; alive && i < o->n; i++)
                if (o->member[i].ended_ns && could_work(&o->member[i], moved) &&
                    had_written(jobs, &o->member[i], c->db, since))
                        tie(jobs, c, JOB_TIE_WRITES, &o->member[i].id, o->member[i].ended_ns);
        /* Those of whom nothing is known last: they are what may not fit. */
        if (alive) {
                tie_living(jobs, o, moved, since, false, c);
                return;
        }
        /* Nobody is left who could have worked for it: the one that was there last had it. */
        const struct member *last = NULL;
        for (size_t i = 0; i < o->n; i++)
                if (o->member[i].ended_ns && could_work(&o->member[i], moved) &&
                    (!last || (o->member[i].root && !last->root) ||
                     (o->member[i].root == last->root && o->member[i].ended_ns > last->ended_ns)))
                        last = &o->member[i];
        if (last)
                tie(jobs, c, JOB_TIE_WRITES, &last->id, last->ended_ns);
}

/* 1, 0, or -1: not known, as where the rule may be wrong. */
static int lives(const struct orchestrator *o, const struct job *job, struct moved moved, uint64_t now)
{
        for (size_t i = 0; i < o->n; i++)
                if (!o->member[i].ended_ns && could_work(&o->member[i], moved))
                        return 1;
        if (o->ever) {
                /* A row that moves while nobody is there who could move it: the rule does not find all of them. */
                uint64_t last = 0;
                for (size_t i = 0; i < o->n; i++)
                        if (o->member[i].ended_ns > last)
                                last = o->member[i].ended_ns;
                return o->living == 0 && last && moved.from_ns > last + SLACK_NS ? -1 : 0;
        }
        /* Nobody has the database open, so nobody can be at work; unless he opens it for each of his steps. Who has closed it may have
         * written last that the job is done: the row must be younger. */
        bool unused = o->jobs->unused_ns && now >= o->jobs->unused_ns + UNUSED_NS &&
                      job->read_ns > o->jobs->unused_ns;
        return unused && !job->changed_ns ? 0 : -1;
}

static unsigned younger_than(const struct orchestrator *o, struct moved moved)
{
        unsigned n = 0;

        for (size_t i = 0; i < o->n; i++)
                n += !o->member[i].ended_ns && !could_work(&o->member[i], moved);
        return n;
}

void job_note_use(struct daemon *d, struct orchestrator *o, uint64_t now)
{
        const struct guard *g = o->of->database ? guards_by_name(d->guards, o->of->database) : NULL;
        struct vigil_db account;
        bool unused = !o->ever && g && g->state == GUARD_WATCHED &&
                      sensor_account(d->sensor, g->id, &account) == 0 && account.users == 0;

        if (!unused)
                o->jobs->unused_ns = 0;
        else if (!o->jobs->unused_ns)
                o->jobs->unused_ns = now;
}

void job_case_fill(struct daemon *d, const struct orchestrator *o, const struct job *job, uint64_t now,
                   struct job_case *ret)
{
        const struct jobs *jobs = d->jobs;
        const struct guard *g = o->of->database ? guards_by_name(d->guards, o->of->database) : NULL;
        struct job_facts *f = &ret->facts;

        *f = (struct job_facts){.id = job->id,
                                .orchestrator = o->name,
                                .status = job->status,
                                .now_ns = now,
                                .read_ns = job->read_ns,
                                .started_ns = job->started_ns,
                                .updated_ns = job->updated_ns,
                                .first_seen_ns = job->first_seen_ns,
                                .changed_ns = job->changed_ns,
                                .changed_after_ns = job->changed_after_ns,
                                .progress = job->progress,
                                .total = job->total,
                                .first_progress = job->first_progress,
                                .first_progress_ns = job->first_progress_ns,
                                .process = ret->process,
                                .waiter = d->tangles ? d->tangles->waiter : NULL,
                                .knot = d->tangles ? d->tangles->knot : NULL,
                                .nknots = d->tangles ? d->tangles->nknots : 0,
                                .names = guard_names(d)};
        const struct moved moved = moved_of(job, f);

        ret->db = g && g->state == GUARD_WATCHED ? g->id : 0;
        f->orchestrator_lives = lives(o, job, moved, now);
        f->younger = younger_than(o, moved);
        const struct member *named = job->pid ? member_of(o, job) : NULL;
        /* A number of another namespace that no member has is none that could be looked up here. */
        f->pid_foreign = job->pid && !named && orchestrator_is_contained(o);
        if (job->pid && !f->pid_foreign)
                tie_by_pid(jobs, o, job, named, ret);
        else
                tie_by_work(jobs, o, moved, ret);
}
