/* job_detail.c - a verdict on a job as one sentence: the verdict before the evidence. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "detect/job_private.h"
#include "detect/wording.h"

struct sentence {
        char text[DETECT_DETAIL_LEN];
        size_t n;
};

static void __attribute__((format(printf, 2, 3))) add(struct sentence *s, const char *format, ...)
{
        va_list args;

        if (s->n >= sizeof(s->text))
                return;
        va_start(args, format);
        int n = vsnprintf(s->text + s->n, sizeof(s->text) - s->n, format, args);
        va_end(args);
        s->n += n > 0 ? (size_t)n : 0;
}

const char *job_database(const struct job_facts *f, unsigned db)
{
        static _Thread_local char number[32];
        const char *name = f->database ? f->database(db, f->userdata) : NULL;

        if (name)
                return name;
        snprintf(number, sizeof(number), "database %u", db);
        return number;
}

static void add_process(struct sentence *s, const struct vigil_ident *id)
{
        char comm[VIGIL_COMM_LEN + 1];

        text_printable(comm, sizeof(comm), id->comm[0] ? id->comm : "process");
        add(s, "%s (pid %u)", comm, id->tgid);
}

static void add_span(struct sentence *s, const char *before, uint64_t since, uint64_t now)
{
        char span[TEXT_DURATION_LEN];

        if (!since || since > now)
                return;
        text_duration(span, now - since);
        add(s, "%s%s", before, span);
}

static void add_holder(struct sentence *s, const struct evidence_holder *h, uint64_t now)
{
        char locks[128];

        lock_text(locks, sizeof(locks), h->conflicting ? h->conflicting : h->locks);
        if (h->id.tgid)
                add_process(s, &h->id);
        else
                add(s, "an open file whose owner cannot be named");
        add(s, " with %s", locks);
        add_span(s, " for ", h->since_ns, now);
}

static void add_lock(struct sentence *s, const struct job_facts *f, const struct evidence_wait *w, uint64_t now)
{
        char lock[64];

        lock_text(lock, sizeof(lock), w->lock);
        add_span(s, " has waited ", w->since_ns, now);
        add(s, " for the %s lock of %s, held by ", lock, job_database(f, w->db));
        if (!w->nholders) {
                add(s, "nobody at this instant");
                return;
        }
        add_holder(s, &w->holder[0], now);
        if (w->nholders > 1)
                add(s, " and %zu more", w->nholders - 1);
}

static void add_knot(struct sentence *s, const struct lock_knot *k)
{
        if (k && k->kind == KNOT_DEADLOCK)
                add(s, "; a deadlock of %zu processes", k->nmembers);
        else if (k)
                add(s, "; a convoy: %zu processes wait for it", k->nmembers);
}

static void add_sync(struct sentence *s, const struct job_facts *f, const struct process_evidence *e)
{
        add_span(s, " has been in a sync for ", e->sync.since_ns, e->at_ns);
        if (e->sync.whole)
                add(s, " of a whole file system");
        else if (e->sync.db)
                add(s, " of %s (%s)", job_database(f, e->sync.db), role_name(e->sync.role));
        if (e->sync.device[0])
                add(s, ", on device %s", e->sync.device);
}

static void add_stop(struct sentence *s, const struct process_evidence *e, uint64_t since)
{
        add(s, " is stopped%s%s", e->stop.sig ? " by " : "", e->stop.sig ? text_signal(e->stop.sig) : "");
        if (e->stop.by.tgid) {
                add(s, " from ");
                add_process(s, &e->stop.by);
        }
        add_span(s, " for ", since, e->at_ns);
}

static void blocked(struct sentence *s, const struct job_facts *f, const struct job_judgement *j)
{
        const struct process_evidence *e = f->process[j->process].now;

        add_process(s, &e->id);
        if (strcmp(j->reason, "lock") == 0) {
                add_lock(s, f, &e->wait[j->wait], e->at_ns);
                add_knot(s, j->knot);
        } else if (strcmp(j->reason, "sync") == 0) {
                add_sync(s, f, e);
        } else if (strcmp(j->reason, "stopped") == 0) {
                add_stop(s, e, j->since_ns);
        } else if (strcmp(j->reason, "traced") == 0) {
                add(s, " is held by a debugger");
        } else if (strcmp(j->reason, "frozen") == 0) {
                add(s, " is in a frozen cgroup");
        } else if (strcmp(j->reason, "throttled") == 0) {
                add(s, " gets no CPU: its cgroup is throttled");
        } else {
                add(s, " sleeps uninterruptibly%s%s", e->wchan[0] ? " in " : "", e->wchan);
        }
}

static void orphaned(struct sentence *s, const struct job_facts *f, const struct job_judgement *j)
{
        if (j->process == JOB_NOBODY) {
                add(s, "no process of %s is running", f->orchestrator ? f->orchestrator : "its orchestrator");
                return;
        }
        const struct job_process *p = &f->process[j->process];
        if (strcmp(j->reason, "pid-reused") == 0) {
                add(s, "its process is gone: pid %u is another process by now, ", p->id.tgid);
                add_process(s, &p->id);
                return;
        }
        add(s, "its process ");
        add_process(s, &p->id);
        add(s, " has ended");
        if (p->certificate)
                add(s, " (certificate %s)", p->certificate);
}

static void stuck(struct sentence *s, const struct job_facts *f, const struct job_limits *l,
                  const struct job_judgement *j)
{
        const struct job_process *p = j->process == JOB_NOBODY ? NULL : &f->process[j->process];
        char quiet[TEXT_DURATION_LEN];

        text_duration(quiet, job_quiet_ns(f));
        if (p)
                add_process(s, &p->id);
        if (j->verdict == JOB_SPINNING)
                add(s, " uses %u %% of a CPU and writes nothing", p ? job_motion_of(p, l).cpu_percent : 0);
        else
                add(s, " is alive, and nothing moves");
        if (p && j->verdict == JOB_STALLED && p->now && p->now->wchan[0])
                add(s, " (it sleeps in %s)", p->now->wchan);
        add(s, "; the job has not changed for %s", quiet);
}

static void overdue(struct sentence *s, const struct job_facts *f, const struct job_judgement *j)
{
        add(s, "it has been running");
        add_span(s, " for ", f->started_ns, f->now_ns);
        add(s, " and goes on");
        if (!isnan(j->rate) && !isnan(f->progress))
                add(s, ": at %g%s%.6g, %.3g per minute", f->progress, isnan(f->total) ? "" : " of ",
                    isnan(f->total) ? 0.0 : f->total, j->rate * 60);
        if (!isnan(j->left_s)) {
                char left[TEXT_DURATION_LEN];
                text_duration(left, (uint64_t)(j->left_s * 1e9));
                add(s, ", done in %s", left);
        }
}

static void not_known(struct sentence *s, const struct job_judgement *j)
{
        static const struct {
                const char *reason, *text;
        } why[] = {
                {"row-not-read", "its row could not be read"},
                {"reading-is-old", "its row could not be read for as long as it may stand still"},
                {"row-older-than-the-end", "its process has ended since its row was read"},
                {"process-not-known", "it does not change, and which process works for it is not known"},
                {"too-many-processes",
                 "it does not change; it has so many processes that not all of them were looked at"},
                {"one-sample", "it does not change, and its process has been looked at once only"},
                {"counters-not-readable", "it does not change, and what its process does cannot be read"},
        };

        for (size_t i = 0; i < sizeof(why) / sizeof(why[0]); i++)
                if (strcmp(why[i].reason, j->reason) == 0)
                        add(s, "%s", why[i].text);
}

static void healthy(struct sentence *s, const struct job_judgement *j)
{
        if (strcmp(j->reason, "row-changes") == 0)
                add(s, "it progresses");
        else if (strcmp(j->reason, "database-written") == 0)
                add(s, "its process writes to the database");
        else
                add(s, "its process works");
}

void job_detail(const struct job_facts *f, const struct job_limits *l, struct job_judgement *j)
{
        struct sentence s = {0};

        switch (j->verdict) {
        case JOB_ORPHANED:
                orphaned(&s, f, j);
                break;
        case JOB_BLOCKED:
                blocked(&s, f, j);
                break;
        case JOB_STALLED:
        case JOB_SPINNING:
                stuck(&s, f, l, j);
                break;
        case JOB_OVERDUE:
                overdue(&s, f, j);
                break;
        case JOB_UNKNOWN:
                not_known(&s, j);
                break;
        case JOB_HEALTHY:
                healthy(&s, j);
                break;
        }
        memcpy(j->detail, s.text, sizeof(j->detail));
}
