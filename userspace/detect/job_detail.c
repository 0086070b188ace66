/* job_detail.c - a verdict on a job as one sentence: the verdict before the evidence. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "detect/job_private.h"
#include "detect/sentence.h"
#include "detect/wording.h"

static void add_knot(struct sentence *s, const struct lock_knot *k)
{
        if (k && k->kind == KNOT_DEADLOCK)
                sentence_add(s, "; a deadlock of %zu processes", k->nmembers);
        else if (k)
                sentence_add(s, "; a convoy: %zu processes wait for it", k->nmembers);
}

static void add_sync(struct sentence *s, const struct job_facts *f, const struct process_evidence *e)
{
        sentence_span(s, " has been in a sync for ", e->sync.since_ns, e->at_ns);
        if (e->sync.whole)
                sentence_add(s, " of a whole file system");
        else if (e->sync.db)
                sentence_add(s, " of %s (%s)", database_name(&f->names, e->sync.db), role_name(e->sync.role));
        if (e->sync.device[0])
                sentence_add(s, ", on device %s", e->sync.device);
}

static void add_stop(struct sentence *s, const struct process_evidence *e, uint64_t since)
{
        sentence_add(s, " is stopped%s%s", e->stop.sig ? " by " : "", e->stop.sig ? text_signal(e->stop.sig) : "");
        if (e->stop.by.tgid) {
                sentence_add(s, " from ");
                sentence_process(s, &e->stop.by);
        }
        sentence_span(s, " for ", since, e->at_ns);
}

static void blocked(struct sentence *s, const struct job_facts *f, const struct job_limits *l,
                    const struct job_judgement *j)
{
        const struct job_process *p = &f->process[j->process];
        const struct process_evidence *e = p->now;

        sentence_process(s, &e->id);
        if (strcmp(j->reason, "lock") == 0) {
                lock_wait_tell(s, &e->wait[j->wait], &f->names, e->at_ns);
                add_knot(s, j->knot);
        } else if (strcmp(j->reason, "sync") == 0) {
                add_sync(s, f, e);
        } else if (strcmp(j->reason, "stopped") == 0) {
                add_stop(s, e, j->since_ns);
        } else if (strcmp(j->reason, "traced") == 0) {
                sentence_add(s, " is held by a debugger");
                sentence_span(s, ", for at least ", j->since_ns, e->at_ns);
        } else if (strcmp(j->reason, "frozen") == 0) {
                sentence_add(s, " is in a frozen cgroup");
                sentence_span(s, ", for at least ", j->since_ns, e->at_ns);
        } else if (strcmp(j->reason, "throttled") == 0) {
                sentence_add(s, " gets %u %% of a CPU: its cgroup is throttled", job_motion_of(p, l).cpu_percent);
        } else {
                sentence_add(s, " sleeps uninterruptibly%s%s", e->wchan[0] ? " in " : "", e->wchan);
        }
}

static void orphaned(struct sentence *s, const struct job_facts *f, const struct job_judgement *j)
{
        if (j->process == JOB_NOBODY) {
                sentence_add(s, "no process of %s is running%s",
                             f->orchestrator ? f->orchestrator : "its orchestrator",
                             f->younger ? " but such as began after the job had changed last" : "");
                return;
        }
        const struct job_process *p = &f->process[j->process];
        if (strcmp(j->reason, "pid-reused") == 0) {
                sentence_add(s, "its process is gone: pid %u is another process by now, ", p->id.tgid);
                sentence_process(s, &p->id);
                return;
        }
        if (p->id.comm[0]) {
                sentence_add(s, "its process ");
                sentence_process(s, &p->id);
        } else {
                sentence_add(s, "its process (pid %u)", p->id.tgid);
        }
        sentence_add(s, " has ended");
        if (p->certificate)
                sentence_add(s, " (certificate %s)", p->certificate);
}

/* @asks: it is taken for one who asks somebody else. */
static void add_sleep(struct sentence *s, const struct process_evidence *e, bool asks)
{
        const char *what = sleep_text(e->sleep.kind);

        if (what)
                sentence_add(s, ": it %s", what);
        if (e->sleep.peer[0])
                sentence_add(s, "%s%s", e->sleep.kind == SLEEP_MESSAGE ? " from " : ", with a connection to ",
                             e->sleep.peer);
        if (e->sleep.connections > 1)
                sentence_add(s, " and %u more", e->sleep.connections - 1);
        if (asks && !e->sleep.connections && e->connect_ns && e->connect_ns <= e->at_ns) {
                sentence_span(s, ", and opened a connection ", e->connect_ns, e->at_ns);
                sentence_add(s, " ago");
        }
        if (e->wchan[0])
                sentence_add(s, " (%s)", e->wchan);
}

static void stuck(struct sentence *s, const struct job_facts *f, const struct job_limits *l,
                  const struct job_judgement *j)
{
        const struct job_process *p = j->process == JOB_NOBODY ? NULL : &f->process[j->process];
        char quiet[TEXT_DURATION_LEN];

        text_duration(quiet, job_quiet_ns(f));
        if (p)
                sentence_process(s, &p->id);
        if (j->verdict == JOB_SPINNING)
                sentence_add(s, " uses %u %% of a CPU and writes nothing", p ? job_motion_of(p, l).cpu_percent : 0);
        else
                sentence_add(s, " is alive, and nothing moves");
        if (p && j->verdict == JOB_STALLED && p->now)
                add_sleep(s, p->now, strcmp(j->reason, "waits-for-message") == 0);
        sentence_add(s, "; the job has not changed for %s", quiet);
}

/* Longer than that nobody plans. */
#define LEFT_MAX_S (100.0 * 365 * 86400)

static void add_rate(struct sentence *s, const struct job_facts *f, double per_minute)
{
        sentence_add(s, ": at %.12g", f->progress);
        if (!isnan(f->total))
                sentence_add(s, " of %.12g", f->total);
        sentence_add(s, fabs(per_minute) < 100 ? ", %.3g per minute" : ", %.0f per minute", per_minute);
}

static void overdue(struct sentence *s, const struct job_facts *f, const struct job_judgement *j)
{
        sentence_add(s, "it has been running");
        sentence_span(s, " for ", f->started_ns, f->now_ns);
        sentence_add(s, " and goes on");
        if (!isnan(j->rate) && !isnan(f->progress))
                add_rate(s, f, j->rate * 60);
        if (!isnan(j->left_s) && j->left_s < LEFT_MAX_S) {
                char left[TEXT_DURATION_LEN];
                text_duration(left, (uint64_t)(j->left_s * 1e9));
                sentence_add(s, ", done in %s at that rate", left);
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
                {"one-sample", "it does not change, and its process has not been looked at twice yet"},
                {"counters-not-readable", "it does not change, and what its process does cannot be read"},
        };

        for (size_t i = 0; i < sizeof(why) / sizeof(why[0]); i++)
                if (strcmp(why[i].reason, j->reason) == 0)
                        sentence_add(s, "%s", why[i].text);
}

static void healthy(struct sentence *s, const struct job_judgement *j)
{
        if (strcmp(j->reason, "row-changes") == 0)
                sentence_add(s, "it progresses");
        else if (strcmp(j->reason, "database-written") == 0)
                sentence_add(s, "its process writes to the database");
        else
                sentence_add(s, "its process works");
}

void job_detail(const struct job_facts *f, const struct job_limits *l, struct job_judgement *j)
{
        struct sentence s = {0};

        switch (j->verdict) {
        case JOB_ORPHANED:
                orphaned(&s, f, j);
                break;
        case JOB_BLOCKED:
                blocked(&s, f, l, j);
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
