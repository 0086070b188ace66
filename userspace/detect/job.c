/* job.c - see job.h, which has the rules as a table. */
#include "detect/job.h"

#include <math.h>
#include <string.h>

#include "detect/job_private.h"

#define NS_PER_MS 1000000ull
#define NS_PER_S  1000000000ull

const struct job_limits job_limits_default = {
        .stuck_after_ms = 12ull * 3600 * 1000,
        .no_progress_ms = 600000,
        .blocked_after_ms = 30000,
        .window_ms = 1000,
        .spinning_percent = 20,
};

const char *job_verdict_name(enum job_verdict v)
{
        static const char *const names[] = {
                [JOB_HEALTHY] = "healthy",     [JOB_ORPHANED] = "job-orphaned", [JOB_BLOCKED] = "job-blocked",
                [JOB_STALLED] = "job-stalled", [JOB_SPINNING] = "job-spinning", [JOB_OVERDUE] = "job-overdue",
                [JOB_UNKNOWN] = "unknown"};
        return names[v];
}

/* ---- limits ---- */

static uint64_t no_progress_ns(const struct job_limits *l)
{
        return (l->no_progress_ms ? l->no_progress_ms : l->stuck_after_ms) * NS_PER_MS;
}

static uint64_t blocked_after_ns(const struct job_limits *l)
{
        return l->blocked_after_ms ? l->blocked_after_ms * NS_PER_MS : no_progress_ns(l);
}

static bool is_quiet(const struct job_facts *f, uint64_t for_ns)
{
        return for_ns && job_quiet_ns(f) >= for_ns;
}

/* It need not have been quiet since: what its processes wait for says that, for itself. */
static bool moved_before(const struct job_facts *f, uint64_t ns)
{
        uint64_t last = job_moved_ns(f);

        return last && f->now_ns - last >= ns;
}

/* ---- the processes ---- */

static bool has_ended(const struct job_process *p)
{
        return p->ended_ns || (p->now && p->now->gone);
}

/* Rows carry whole seconds, and two clocks. */
#define CLOCK_SLACK_NS (2 * NS_PER_S)

static bool began_after(const struct job_process *p, uint64_t ns)
{
        return p->tie == JOB_TIE_PID && ns && p->id.start_ns > ns + CLOCK_SLACK_NS;
}

/* The row named it from the first look on, and was written last before that process began. Only its own clock says so, which may be
 * without a zone, and who takes a job need not touch that time: believed of a row alone that stands still. */
static bool is_younger_than_row(const struct job_facts *f, const struct job_limits *l, const struct job_process *p)
{
        return began_after(p, f->updated_ns) && p->tied_ns == f->first_seen_ns && !f->changed_ns &&
               f->read_ns >= f->first_seen_ns + blocked_after_ns(l);
}

/* The process of this number began after the row had named it: the number is another process's by now. */
static bool is_reused(const struct job_facts *f, const struct job_limits *l, const struct job_process *p)
{
        return began_after(p, p->tied_ns) || is_younger_than_row(f, l, p);
}

static bool lives(const struct job_facts *f, const struct job_limits *l, const struct job_process *p)
{
        return !has_ended(p) && !is_reused(f, l, p);
}

static bool stands_for_it(const struct job_process *p)
{
        return p->tie == JOB_TIE_PID || p->tie == JOB_TIE_WRITES;
}

/* The first process that fits; JOB_NOBODY. */
static size_t first_process(const struct job_facts *f, const struct job_limits *l, bool alive, bool tied_only)
{
        for (size_t i = 0; i < f->nprocesses; i++)
                if (lives(f, l, &f->process[i]) == alive && (!tied_only || stands_for_it(&f->process[i])))
                        return i;
        return JOB_NOBODY;
}

/* A database of it moves, or has until a moment ago. */
static bool database_moves(const struct job_facts *f, const struct job_limits *l, uint64_t for_ns)
{
        for (size_t i = 0; i < f->nprocesses; i++) {
                const struct job_process *p = &f->process[i];
                if (!lives(f, l, p) || !p->now)
                        continue;
                if (job_motion_of(p, l).database)
                        return true;
                if (p->now->last_write_ns && f->now_ns < p->now->last_write_ns + for_ns)
                        return true;
        }
        return false;
}

/* ---- rules: each says whether it fits, and fills what is particular to it ---- */

typedef bool (*rule_fn)(const struct job_facts *f, const struct job_limits *l, struct job_judgement *j);

static bool row_is_unread(const struct job_facts *f, const struct job_limits *l, struct job_judgement *j)
{
        (void)l;
        j->reason = "row-not-read";
        return !f->read_ns;
}

/* Under a minute it is a matter of how often rows are read, and of an attempt or two that failed. */
#define OLD_NS (60 * NS_PER_S)

/* What it said no longer counts: it could have changed often since. */
static bool reading_is_old(const struct job_facts *f, const struct job_limits *l, struct job_judgement *j)
{
        uint64_t age = f->now_ns > f->read_ns ? f->now_ns - f->read_ns : 0;

        j->reason = "reading-is-old";
        return no_progress_ns(l) && age >= no_progress_ns(l) && age >= OLD_NS;
}

/* What ends may write last what it has to say: the row must be younger. */
static bool row_is_older_than_the_end(const struct job_facts *f, const struct job_limits *l,
                                      struct job_judgement *j)
{
        size_t i = first_process(f, l, false, true);

        j->reason = "row-older-than-the-end";
        if (first_process(f, l, true, true) != JOB_NOBODY || i == JOB_NOBODY)
                return false;
        const struct job_process *p = &f->process[i];
        uint64_t ended_by = p->ended_ns ? p->ended_ns : p->gone_ns;
        j->process = i;
        return ended_by && f->read_ns <= ended_by;
}

/* The row goes on changing, and there is somebody who could change it: another has taken the job over, whatever the row says. The change
 * must have come after the end: what a reading sees for the first time after a death may be the last that the dead has written. Of
 * an end that was not seen it is not known which came first: then the row must be standing still. */
static bool goes_on_without(const struct job_facts *f, const struct job_limits *l, const struct job_process *p)
{
        if (first_process(f, l, true, false) == JOB_NOBODY)
                return false;
        if (p->ended_ns)
                return f->changed_after_ns >= p->ended_ns;
        if (p->tie != JOB_TIE_PID)
                return false;
        if (began_after(p, p->tied_ns)) /* it had ended by then */
                return f->changed_after_ns >= p->id.start_ns;
        return f->changed_ns > p->tied_ns && !is_quiet(f, no_progress_ns(l));
}

static bool its_process_has_ended(const struct job_facts *f, const struct job_limits *l, struct job_judgement *j)
{
        size_t i = first_process(f, l, false, true);

        if (i == JOB_NOBODY || first_process(f, l, true, true) != JOB_NOBODY)
                return false;
        const struct job_process *p = &f->process[i];
        if (goes_on_without(f, l, p))
                return false;
        j->process = i;
        j->reason = is_reused(f, l, p) ? "pid-reused" : "process-ended";
        j->since_ns = p->ended_ns;
        if (f->cut && p->tie == JOB_TIE_WRITES) /* one that was not looked at may have written last */
                trust_lower(&j->trust, "too-many-processes");
        if (!p->certificate && !began_after(p, p->tied_ns))
                trust_lower(&j->trust, "death-not-seen"); /* a row's own times can be wrong */
        return true;
}

static bool nobody_runs_it(const struct job_facts *f, const struct job_limits *l, struct job_judgement *j)
{
        j->reason = "orchestrator-not-running";
        if (f->orchestrator_lives != 0 || first_process(f, l, true, false) != JOB_NOBODY)
                return false;
        trust_lower(&j->trust, "death-not-seen");
        return true;
}

static bool process_is_unknown(const struct job_facts *f, const struct job_limits *l, struct job_judgement *j)
{
        j->reason = "process-not-known";
        return first_process(f, l, true, false) == JOB_NOBODY && is_quiet(f, no_progress_ns(l));
}

static bool row_moves(const struct job_facts *f, const struct job_limits *l, struct job_judgement *j)
{
        j->reason = "row-changes";
        return f->changed_ns && !moved_before(f, blocked_after_ns(l));
}

/* ---- blocked ---- */

static const struct lock_knot *knot_of(const struct job_facts *f, const struct vigil_ident *id)
{
        for (size_t i = 0; i < f->nknots; i++)
                for (size_t m = 0; !f->knot[i].may_end && m < f->knot[i].nmembers && m < KNOT_MEMBERS; m++) {
                        const struct vigil_ident *other = &f->waiter[f->knot[i].member[m]].id;
                        if (other->tgid == id->tgid && other->start_ns == id->start_ns)
                                return &f->knot[i];
                }
        return NULL;
}

/* All that stand for the job are blocked. Where only the orchestrator is known, all of its processes. */
static bool every_process_is_blocked(const struct job_facts *f, const struct job_limits *l, struct job_judgement *j)
{
        bool tied_only = first_process(f, l, true, true) != JOB_NOBODY;
        size_t found = JOB_NOBODY;

        for (size_t i = 0; i < f->nprocesses; i++) {
                const struct job_process *p = &f->process[i];
                struct job_judgement one = *j;
                if (!lives(f, l, p) || p->tie == JOB_TIE_CHILD || (tied_only && !stands_for_it(p)))
                        continue;
                if (!job_process_is_blocked(p, l, blocked_after_ns(l), is_quiet(f, no_progress_ns(l)), &one))
                        return false;
                if (found == JOB_NOBODY) {
                        found = i;
                        *j = one;
                        j->process = i;
                        j->knot = strcmp(j->reason, "lock") == 0 ? knot_of(f, &p->id) : NULL;
                }
        }
        /* Another one that was not looked at may get on. */
        return found != JOB_NOBODY && (!f->cut || f->process[found].tie == JOB_TIE_PID);
}

/* ---- alive ---- */

static bool progresses(const struct job_facts *f, const struct job_limits *l, struct job_judgement *j)
{
        if (!is_quiet(f, no_progress_ns(l))) {
                j->reason = "row-changes";
                return true;
        }
        j->reason = "database-written";
        if (!database_moves(f, l, no_progress_ns(l)))
                return false;
        /* One process may work for many jobs. */
        trust_lower(&j->trust, "work-not-tied-to-the-job");
        return true;
}

/* Sums over all living processes, children included. False: something that is needed was not seen; j->reason says what. */
static bool add_up(const struct job_facts *f, const struct job_limits *l, struct job_motion *ret,
                   struct job_judgement *j)
{
        *ret = (struct job_motion){.known = true, .counted = true};
        for (size_t i = 0; i < f->nprocesses; i++) {
                const struct job_process *p = &f->process[i];
                if (!lives(f, l, p))
                        continue;
                struct job_motion m = job_motion_of(p, l);
                if (j->process == JOB_NOBODY || m.cpu_percent > ret->cpu_percent)
                        j->process = i;
                ret->known &= m.known;
                ret->counted &= m.counted || !m.known;
                ret->storage |= m.storage;
                ret->io |= m.io;
                ret->cpu_percent += m.cpu_percent;
                ret->ready_percent += m.ready_percent;
        }
        j->reason = !ret->known ? "one-sample" : "counters-not-readable";
        return ret->known && ret->counted;
}

/* Work that was seen is work, whatever was not: a child that has just begun has no second sample yet. */
static bool too_little_is_known(const struct job_facts *f, const struct job_limits *l, struct job_judgement *j)
{
        struct job_motion m;

        return !add_up(f, l, &m, j) && !m.storage;
}

static bool spins(const struct job_facts *f, const struct job_limits *l, struct job_judgement *j)
{
        struct job_motion m;

        add_up(f, l, &m, j);
        j->reason = "cpu-without-progress";
        j->since_ns = f->read_ns - job_quiet_ns(f);
        /* On a host that is short of CPU who spins mostly waits for his turn. */
        return m.cpu_percent && m.cpu_percent + m.ready_percent >= l->spinning_percent && !m.storage;
}

/* One that does is enough: what it waits for may be what the others do. JOB_NOBODY: none. */
static size_t who_awaits_message(const struct job_facts *f, const struct job_limits *l)
{
        for (size_t i = 0; i < f->nprocesses; i++)
                if (lives(f, l, &f->process[i]) && job_process_awaits_message(&f->process[i], no_progress_ns(l)))
                        return i;
        return JOB_NOBODY;
}

static bool stalls(const struct job_facts *f, const struct job_limits *l, struct job_judgement *j)
{
        struct job_motion m;
        size_t waits = who_awaits_message(f, l);

        add_up(f, l, &m, j);
        j->reason = waits == JOB_NOBODY ? "nothing-moves" : "waits-for-message";
        if (waits != JOB_NOBODY)
                j->process = waits;
        j->since_ns = f->read_ns - job_quiet_ns(f);
        return m.cpu_percent + m.ready_percent < l->spinning_percent && !m.io;
}

/* That none of those that were looked at gets on says nothing of the others. */
static bool too_many_processes(const struct job_facts *f, const struct job_limits *l, struct job_judgement *j)
{
        bool stuck = f->cut && (spins(f, l, j) || stalls(f, l, j));

        j->reason = "too-many-processes";
        j->since_ns = 0;
        return stuck;
}

static bool else_moves(const struct job_facts *f, const struct job_limits *l, struct job_judgement *j)
{
        (void)f;
        (void)l;
        j->reason = "process-works";
        trust_lower(&j->trust, "work-not-tied-to-the-job");
        return true;
}

/* ---- the table ---- */

static const struct {
        rule_fn fits;
        enum job_verdict verdict;
} rules[] = {
        {row_is_unread, JOB_UNKNOWN},
        {reading_is_old, JOB_UNKNOWN},
        {row_is_older_than_the_end, JOB_UNKNOWN},
        {its_process_has_ended, JOB_ORPHANED},
        {nobody_runs_it, JOB_ORPHANED},
        {process_is_unknown, JOB_UNKNOWN},
        {row_moves, JOB_HEALTHY},
        {every_process_is_blocked, JOB_BLOCKED},
        {progresses, JOB_HEALTHY},
        {too_little_is_known, JOB_UNKNOWN},
        {too_many_processes, JOB_UNKNOWN},
        {spins, JOB_SPINNING},
        {stalls, JOB_STALLED},
        {else_moves, JOB_HEALTHY},
};

static bool is_overdue(const struct job_facts *f, const struct job_limits *l)
{
        return l->stuck_after_ms && f->started_ns && f->now_ns > f->started_ns &&
               f->now_ns - f->started_ns >= l->stuck_after_ms * NS_PER_MS;
}

/* What has stopped has no rate any more, and no end. */
static bool goes_on(enum job_verdict v)
{
        return v == JOB_HEALTHY || v == JOB_OVERDUE || v == JOB_UNKNOWN;
}

static void estimate(const struct job_facts *f, struct job_judgement *j)
{
        j->rate = j->left_s = NAN;
        if (!goes_on(j->verdict))
                return;
        if (isnan(f->progress) || isnan(f->first_progress) || f->read_ns <= f->first_progress_ns)
                return;
        double rate = (f->progress - f->first_progress) / ((double)(f->read_ns - f->first_progress_ns) / 1e9);
        if (!isfinite(rate * 60)) /* a row may hold any number */
                return;
        j->rate = rate;
        double left = !isnan(f->total) && rate > 0 && f->total >= f->progress ? (f->total - f->progress) / rate
                                                                              : NAN;
        j->left_s = isfinite(left) ? left : NAN;
}

static enum severity severity_of(enum job_verdict v, const char *reason)
{
        if (v == JOB_STALLED && strcmp(reason, "waits-for-message") == 0)
                return SEVERITY_P2;
        if (v == JOB_ORPHANED || v == JOB_BLOCKED || v == JOB_STALLED || v == JOB_SPINNING)
                return SEVERITY_P1;
        return v == JOB_OVERDUE ? SEVERITY_P2 : SEVERITY_P3;
}

static void tie_trust(const struct job_facts *f, struct job_judgement *j)
{
        if (j->process == JOB_NOBODY)
                return;
        if (f->process[j->process].tie == JOB_TIE_WRITES)
                trust_lower(&j->trust, "tied-by-writes");
        else if (f->process[j->process].tie == JOB_TIE_TREE)
                trust_lower(&j->trust, "tied-by-orchestrator");
}

void job_judge(const struct job_facts *f, const struct job_limits *l, struct job_judgement *ret)
{
        const struct job_judgement blank = {.process = JOB_NOBODY};

        for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
                struct job_judgement j = blank;
                if (!rules[i].fits(f, l, &j))
                        continue;
                j.verdict = rules[i].verdict;
                *ret = j;
                break;
        }
        estimate(f, ret);
        if (ret->verdict == JOB_HEALTHY && is_overdue(f, l)) {
                ret->verdict = JOB_OVERDUE;
                ret->since_ns = f->started_ns + l->stuck_after_ms * NS_PER_MS;
        }
        ret->severity = severity_of(ret->verdict, ret->reason);
        tie_trust(f, ret);
        if (f->pid_foreign)
                trust_lower(&ret->trust, "pid-of-another-namespace");
        job_detail(f, l, ret);
}

bool job_is_in_question(const struct job_facts *f, const struct job_limits *l)
{
        for (size_t i = 0; i < f->nprocesses; i++)
                if (stands_for_it(&f->process[i]) && !lives(f, l, &f->process[i]))
                        return true;
        return is_overdue(f, l) || is_quiet(f, no_progress_ns(l)) ||
               (blocked_after_ns(l) && moved_before(f, blocked_after_ns(l)));
}
