/* jobs_tell.c - findings about jobs: one for each orchestrator and verdict, and their end. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/cases.h"
#include "daemon/core.h"
#include "daemon/guard.h"
#include "daemon/jobs_private.h"

#define NAMED 16 /* ids in one finding; more are counted */

/* More jobs of the same kind are told of so often, not more. */
#define AGAIN_NS 30000000000ull

#define UNREADABLE "jobs-unreadable"

static struct guard *guard_of(const struct daemon *d, const struct orchestrator *o)
{
        return o->of->database ? guards_by_name(d->guards, o->of->database) : NULL;
}

/* An incident is of a database and a code: it goes on while any orchestrator of that database has one. */
static bool fires_elsewhere(const struct daemon *d, const struct orchestrator *o, int verdict)
{
        for (size_t i = 0; i < orchestrators_count(d->orchestrators); i++) {
                const struct orchestrator *other = orchestrators_at(d->orchestrators, i);
                if (other == o || guard_of(d, other) != guard_of(d, o) || !other->jobs)
                        continue;
                if (verdict < 0 ? other->jobs->unreadable : other->jobs->firing[verdict])
                        return true;
        }
        return false;
}

static void over(struct daemon *d, const struct orchestrator *o, int verdict, const char *by)
{
        const char *code = verdict < 0 ? UNREADABLE : job_verdict_name((enum job_verdict)verdict);

        if (!fires_elsewhere(d, o, verdict))
                cases_over(d, code, guard_of(d, o) ? o->of->database : NULL, by);
}

/* ---- verdicts ---- */

/* The first of the worst. */
static const struct job *worst_of(const struct job_table *t, enum job_verdict v)
{
        const struct job *worst = NULL;

        for (size_t i = 0; i < t->n; i++)
                if (t->job[i].told == v && (!worst || t->job[i].severity < worst->severity))
                        worst = &t->job[i];
        return worst;
}

static json_t *ids_of(const struct job_table *t, enum job_verdict v)
{
        json_t *ids = json_array();

        for (size_t i = 0; i < t->n; i++) {
                if (t->job[i].told == v && json_array_size(ids) < NAMED)
                        json_array_append_new(ids, text_json(t->job[i].id, strlen(t->job[i].id)));
        }
        return ids;
}

static void raise(struct daemon *d, struct orchestrator *o, enum job_verdict v)
{
        struct job_table *t = o->jobs;
        uint64_t now = clock_boottime_ns();
        json_t *evidence;
        const struct job *job = worst_of(t, v);
        const struct job_limits l = job_limits_of(o->of);
        char sentence[DETECT_DETAIL_LEN + 200], detail[DETECT_DETAIL_LEN], many[64] = "";
        struct job_case c;
        struct job_judgement j;

        if (!job)
                return;
        job_case_fill(d, o, job, now, &c);
        job_judge(&c.facts, &l, &j);
        if (t->count[v] > 1)
                snprintf(many, sizeof(many), " (and %zu more)", t->count[v] - 1);
        snprintf(sentence, sizeof(sentence), "job %.60s of %s%s: %s", job->id, o->name, many,
                 job->detail ? job->detail : j.detail);
        case_as_of(detail, sentence);
        evidence = json_pack("{s:s, s:I, s:o, s:o}", "orchestrator", o->name, "count", (json_int_t)t->count[v],
                             "jobs", ids_of(t, v), "evidence", job_evidence(&c.facts, &j));
        const struct incident *in = case_raise_as(d, job_verdict_name(v), job->severity, guard_of(d, o), detail,
                                                  evidence, v == JOB_BLOCKED ? jobs_knot_incident(d, o) : NULL);
        if (v == JOB_BLOCKED)
                snprintf(t->blocked_in, sizeof(t->blocked_in), "%s", in ? in->id : "");
        t->firing[v] = true;
        t->told_severity[v] = job->severity;
        t->told_count[v] = t->count[v];
        t->told_ns[v] = now;
}

static bool is_worse(const struct job_table *t, enum job_verdict v)
{
        const struct job *worst = worst_of(t, v);

        return worst && worst->severity < t->told_severity[v];
}

void jobs_tell(struct daemon *d, struct orchestrator *o)
{
        struct job_table *t = o->jobs;
        uint64_t now = clock_boottime_ns();

        for (enum job_verdict v = JOB_HEALTHY; v < JOB_VERDICTS; v++) {
                if (v == JOB_HEALTHY || v == JOB_UNKNOWN)
                        continue;
                bool more = t->count[v] > t->told_count[v] && now - t->told_ns[v] >= AGAIN_NS;
                if (t->count[v] && (!t->told_count[v] || more || is_worse(t, v))) {
                        raise(d, o, v);
                        continue;
                }
                if (!t->count[v])
                        t->told_count[v] = 0;
                if (job_table_is_over(t, v, now)) {
                        t->firing[v] = false;
                        over(d, o, (int)v, "jobs");
                }
        }
}

/* ---- readings ---- */

void jobs_tell_reading(struct daemon *d, struct orchestrator *o)
{
        struct job_table *t = o->jobs;
        char detail[sizeof(t->trouble) + 160];

        if (!t->trouble[0]) {
                if (t->unreadable) {
                        t->unreadable = false;
                        t->unreadable_told[0] = '\0';
                        over(d, o, -1, "read");
                }
                return;
        }
        if (strcmp(t->trouble, t->unreadable_told) == 0)
                return;
        if (t->failed)
                snprintf(detail, sizeof(detail), "the jobs of %s are not known: %s", o->name, t->trouble);
        else
                snprintf(detail, sizeof(detail), "some jobs of %s are not understood: %s", o->name, t->trouble);
        case_raise(d, UNREADABLE, guard_of(d, o), detail,
                   json_pack("{s:s, s:s, s:b}", "orchestrator", o->name, "reason", t->trouble, "failed",
                             (int)t->failed));
        t->unreadable = true;
        snprintf(t->unreadable_told, sizeof(t->unreadable_told), "%s", t->trouble);
}

void jobs_tell_gone(struct daemon *d, struct orchestrator *o)
{
        for (enum job_verdict v = JOB_HEALTHY; v < JOB_VERDICTS; v++)
                if (o->jobs->firing[v])
                        over(d, o, (int)v, "configuration");
        if (o->jobs->unreadable)
                over(d, o, -1, "configuration");
}
