/* jobs_show.c - vigil.jobs/1: what the tables hold, the worst first, with the evidence of this moment. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "daemon/core.h"
#include "daemon/jobs_private.h"

#define IN_FULL 200 /* with evidence; the others have none, and are the least bad ones */

/* The worst first. */
static const enum job_verdict order[] = {JOB_ORPHANED, JOB_BLOCKED, JOB_SPINNING, JOB_STALLED,
                                         JOB_OVERDUE,  JOB_UNKNOWN, JOB_HEALTHY};

static json_t *time_json(int64_t at_ns)
{
        char text[TEXT_TIME_LEN];

        if (at_ns <= 0)
                return json_null();
        text_time(text, at_ns);
        return json_string(text);
}

static json_t *number_json(double number)
{
        return isnan(number) ? json_null() : json_real(number);
}

static json_t *trust_json(const struct trust *t)
{
        json_t *reasons = json_array();

        for (size_t i = 0; i < t->nreasons; i++)
                json_array_append_new(reasons, json_string(t->reason[i]));
        return json_pack("{s:s, s:o}", "level", trust_level_name(t->level), "reasons", reasons);
}

static json_t *process_json(const struct job_case *c, const struct job_judgement *j)
{
        size_t i = j->process != JOB_NOBODY ? j->process : 0;

        if (i >= c->facts.nprocesses)
                return json_null();
        const struct vigil_ident *id = &c->process[i].id;
        return json_pack("{s:I, s:I, s:o}", "pid", (json_int_t)id->tgid, "start_ns", (json_int_t)id->start_ns,
                         "comm", text_json(id->comm, strnlen(id->comm, sizeof(id->comm))));
}

static json_t *job_json(struct daemon *d, const struct orchestrator *o, const struct job *job, bool in_full)
{
        const struct job_limits l = job_limits_of(o->of);
        struct job_case c;
        struct job_judgement j;

        job_case_fill(d, o, job, clock_boottime_ns(), &c);
        job_judge(&c.facts, &l, &j);
        bool bad = job->verdict != JOB_HEALTHY && job->verdict != JOB_UNKNOWN;
        json_t *doc = json_pack("{s:o, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "id",
                                text_json(job->id, strlen(job->id)), "orchestrator", o->name, "status",
                                job->status ? text_json(job->status, strlen(job->status)) : json_null(), "verdict",
                                job_verdict_name(job->verdict), "severity",
                                bad ? json_string(severity_name(job->severity)) : json_null(), "since",
                                time_json(job_since(job)), "process", process_json(&c, &j), "evidence",
                                in_full ? job_evidence(&c.facts, &j) : json_object(), "trust",
                                trust_json(&j.trust));
        json_object_set_new(doc, "detail", job->detail ? text_json(job->detail, strlen(job->detail)) : json_null());
        json_object_set_new(doc, "database", o->of->database ? json_string(o->of->database) : json_null());
        json_object_set_new(doc, "started_at", time_json(job->started_at));
        json_object_set_new(doc, "updated_at", time_json(job->updated_at));
        json_object_set_new(doc, "progress", number_json(job->progress));
        json_object_set_new(doc, "total", number_json(job->total));
        return doc;
}

static void put_jobs(struct daemon *d, const char *id, json_t *jobs, size_t *ret_left_out)
{
        for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++)
                for (size_t i = 0; i < orchestrators_count(d->orchestrators); i++) {
                        const struct orchestrator *o = orchestrators_at(d->orchestrators, i);
                        for (size_t n = 0; n < o->jobs->n; n++) {
                                const struct job *job = &o->jobs->job[n];
                                if (job->verdict != order[k] || (id && strcmp(job->id, id) != 0))
                                        continue;
                                size_t shown = json_array_size(jobs);
                                if (shown < JOBS_SHOWN)
                                        json_array_append_new(jobs, job_json(d, o, job, shown < IN_FULL));
                                else
                                        ++*ret_left_out;
                        }
                }
}

static json_t *reading_json(const struct job_table *t)
{
        return json_pack("{s:o, s:o, s:I, s:I, s:s?, s:s?, s:b, s:I}", "read_at",
                         t->read_ns ? time_json(daemon_realtime(t->read_ns)) : json_null(), "confirmed_at",
                         t->confirmed_ns ? time_json(daemon_realtime(t->confirmed_ns)) : json_null(), "ms",
                         (json_int_t)t->read_ms, "judged_us", (json_int_t)(t->judged_ns / 1000), "method",
                         t->method[0] ? t->method : NULL, "problem", t->trouble[0] ? t->trouble : NULL, "failed",
                         (int)t->failed, "jobs", (json_int_t)t->n);
}

static json_t *counts(const struct daemon *d)
{
        json_t *all = json_object();

        for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
                json_int_t n = 0;
                for (size_t i = 0; i < orchestrators_count(d->orchestrators); i++) {
                        const struct job_table *t = orchestrators_at(d->orchestrators, i)->jobs;
                        for (size_t j = 0; j < t->n; j++)
                                n += t->job[j].verdict == order[k];
                }
                json_object_set_new(all, job_verdict_name(order[k]), json_integer(n));
        }
        return all;
}

json_t *jobs_document(struct daemon *d, const char *id)
{
        json_t *jobs = json_array(), *orchestrators = json_array();
        uint64_t now = clock_boottime_ns();
        size_t left_out = 0;

        put_jobs(d, id, jobs, &left_out);
        for (size_t i = 0; i < orchestrators_count(d->orchestrators); i++) {
                const struct orchestrator *o = orchestrators_at(d->orchestrators, i);
                json_t *one = orchestrator_json(o, now);
                json_object_set_new(one, "database", o->of->database ? json_string(o->of->database) : json_null());
                json_object_set_new(one, "reading",
                                    o->of->jobs.query || o->of->jobs.files ? reading_json(o->jobs) : json_null());
                json_array_append_new(orchestrators, one);
        }
        return json_pack("{s:s, s:o, s:o, s:I, s:I, s:o, s:b}", "schema", "vigil.jobs/1", "jobs", jobs,
                         "orchestrators", orchestrators, "left_out", (json_int_t)left_out, "samples_left_out",
                         (json_int_t)samples_left_out(d->jobs->samples), "counts", counts(d), "one",
                         (int)(id != NULL));
}

json_t *jobs_status(const struct daemon *d)
{
        return counts(d);
}
