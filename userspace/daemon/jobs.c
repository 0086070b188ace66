/* jobs.c - see jobs.h: when jobs are read, and what comes back. */
#include "daemon/jobs.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/core.h"
#include "daemon/guard.h"
#include "daemon/jobs_private.h"

#define NS_PER_MS 1000000ull
#define NS_PER_S  1000000000ull

/* Between two looks at all processes of the host, and between those after somebody has ended: who comes in his place? */
#define SCAN_NS      (5 * NS_PER_S)
#define SCAN_SOON_NS (1 * NS_PER_S)
#define SOON_FOR_NS  (30 * NS_PER_S)

/* Between two samples of those who are in question; of many not so often (samples.h). */
#define SAMPLE_NS (2 * NS_PER_S)

/* Looks at all processes, and verdicts on all that is in question, take longer the more there are: at most a twentieth of a CPU. */
#define REST_SHARE 20

/* A reading that fails because of a lock or a deadline is tried again before anything is said. */
#define RETRY_NS (1 * NS_PER_S)

static_assert(JOB_FIELDS == CONFIG_JOB_FIELDS, "the configuration names each field");

int jobs_new(struct jobs **ret)
{
        struct jobs *j = calloc(1, sizeof(*j));

        if (!j)
                return -ENOMEM;
        j->samples = samples_new();
        if (!j->samples) {
                free(j);
                return -ENOMEM;
        }
        *ret = j;
        return 0;
}

void jobs_free(struct daemon *d)
{
        if (!d->jobs)
                return;
        for (size_t i = 0; d->orchestrators && i < orchestrators_count(d->orchestrators); i++) {
                struct orchestrator *o = orchestrators_at(d->orchestrators, i);
                job_table_free(o->jobs);
                o->jobs = NULL;
        }
        samples_free(d->jobs->samples);
        free(d->jobs);
        d->jobs = NULL;
}

static bool has_jobs(const struct orchestrator *o)
{
        return o->of->jobs.query || o->of->jobs.files;
}

static void on_gone(struct daemon *d, struct orchestrator *o)
{
        if (!o->jobs)
                return;
        jobs_tell_gone(d, o);
        job_table_free(o->jobs);
        o->jobs = NULL;
}

int jobs_apply(struct daemon *d)
{
        uint64_t now = clock_boottime_ns();
        int r = orchestrators_apply(d, on_gone);

        for (size_t i = 0; r == 0 && i < orchestrators_count(d->orchestrators); i++) {
                struct orchestrator *o = orchestrators_at(d->orchestrators, i);
                if (!o->jobs && !(o->jobs = calloc(1, sizeof(*o->jobs))))
                        return -ENOMEM;
                o->jobs->due_ns = has_jobs(o) ? now : 0;
                o->jobs->read.sound = o->jobs->asked.sound = false; /* the question may be another one */
        }
        d->jobs->scan_due_ns = 0;
        return r;
}

/* ---- readings ---- */

static void trouble(struct job_table *t, bool failed, const char *why)
{
        t->failed = failed;
        snprintf(t->trouble, sizeof(t->trouble), "%s", why);
}

/* The values of the status that count, a line for each. Static storage. */
static const char *running(const struct config_jobs *c)
{
        static char lines[CONFIG_MAX_RUNNING * 64];
        size_t n = 0;

        if (!c->running)
                return "running\nprocessing\nin_progress";
        lines[0] = '\0';
        for (char **value = c->running; *value && n < sizeof(lines); value++)
                n += (size_t)snprintf(lines + n, sizeof(lines) - n, "%s%s", n ? "\n" : "", *value);
        return lines;
}

static void ask(struct daemon *d, struct orchestrator *o)
{
        const struct config_jobs *c = &o->of->jobs;
        const struct guard *g = o->of->database ? guards_by_name(d->guards, o->of->database) : NULL;
        struct job_table *t = o->jobs;
        struct action_request r = {.kind = ACTION_JOBS,
                                   .database = o->name,
                                   .path = "",
                                   .reason = "schedule",
                                   .jobs = {.path = c->query && g ? guard_path(d, g) : NULL,
                                            .query = c->query,
                                            .files = c->files,
                                            .running = running(c),
                                            .deadline_ms = c->deadline_ms,
                                            .max_rows = c->max_rows}};

        if (t->asked_ns || (c->query && !r.jobs.path))
                return;
        for (size_t f = 0; f < JOB_FIELDS; f++)
                r.jobs.name[f] = c->query ? c->column[f] : c->pointer[f];
        t->asked_ns = t->begun_ns = clock_boottime_ns();
        t->due_ns = t->asked_ns + c->every_ms * NS_PER_MS;
        t->again = false;
        job_witness_take(d, o, &t->asked);
        int e = actions_start(d->actions, &r, NULL);
        if (e == 0)
                return;
        t->asked_ns = 0;
        trouble(t, true,
                e == -EAGAIN    ? "the helper that reads them has failed too often of late and rests for an hour"
                : e == -ENOBUFS ? "too many actions wait"
                                : strerror(-e));
        jobs_tell_reading(d, o);
}

/* Before its time: what comes of it is a reading, at once or a little later. */
static void ask_soon(struct daemon *d, struct orchestrator *o)
{
        o->jobs->read.sound = false;
        if (job_table_may_read(o->jobs, clock_boottime_ns()))
                ask(d, o);
}

static struct orchestrator *by_name(struct daemon *d, const char *name)
{
        for (size_t i = 0; d->orchestrators && i < orchestrators_count(d->orchestrators); i++)
                if (strcmp(orchestrators_at(d->orchestrators, i)->name, name) == 0)
                        return orchestrators_at(d->orchestrators, i);
        return NULL;
}

/* What is odd in a reading that succeeded, in one line. */
static void note_odd(struct job_table *t, const struct config_jobs *c, const json_t *answer)
{
        json_int_t nodd = json_integer_value(json_object_get(answer, "nodd"));
        const char *first = json_string_value(json_array_get(json_object_get(answer, "odd"), 0));
        char more[64] = "", odd[JOBS_ODD_BYTES + 16] = "", text[sizeof(t->trouble)];

        if (t->more)
                snprintf(more, sizeof(more), "there are more than %u: only these are followed", c->max_rows);
        if (nodd > 0)
                snprintf(odd, sizeof(odd), "%s%s", first ? first : "?", nodd > 1 ? " (and others)" : "");
        snprintf(text, sizeof(text), "%s%s%s%s%s", more, *more && *odd ? "; " : "", odd,
                 t->twice && (*more || *odd) ? "; " : "", t->twice ? "an id stands in more than one row" : "");
        trouble(t, false, text);
}

static void take(struct daemon *d, struct orchestrator *o, const json_t *answer, uint64_t ms)
{
        struct job_table *t = o->jobs;
        bool first = !t->read_ns;

        const struct job_reading reading = {.partial = json_is_true(json_object_get(answer, "partial")),
                                            .began_ns = t->asked_ns,
                                            .ended_ns = clock_boottime_ns(),
                                            .offset_ns = clock_realtime_offset_ns()};

        if (job_table_take(t, json_object_get(answer, "rows"), &reading) < 0) {
                trouble(t, true, "out of memory");
                return;
        }
        t->read_ns = t->asked_ns;
        t->confirmed_ns = 0;
        t->read_ms = ms;
        t->read = t->asked;
        t->read.sound = t->read.sound && json_is_true(json_object_get(answer, "lasting"));
        t->more = json_is_true(json_object_get(answer, "more"));
        snprintf(t->method, sizeof(t->method), "%s", json_string_value(json_object_get(answer, "method")));
        note_odd(t, &o->of->jobs, answer);
        if (first)
                t->unreadable = true; /* an earlier run may have told so */
        jobs_judge(d, o, true);
        jobs_tell(d, o);
}

void jobs_read_done(struct daemon *d, const struct action_request *r, const json_t *answer, const char *failure,
                    uint64_t ms)
{
        struct orchestrator *o = by_name(d, r->database);
        json_int_t error = json_integer_value(json_object_get(answer, "error"));
        char why[400];

        if (!o || !o->jobs || !o->jobs->asked_ns || d->ending)
                return;
        struct job_table *t = o->jobs;
        bool before = t->failed;
        if (answer && error == 0) {
                take(d, o, answer, ms);
        } else {
                if (answer)
                        snprintf(why, sizeof(why), "%s", json_string_value(json_object_get(answer, "reason")));
                else
                        snprintf(why, sizeof(why), "the helper that reads them failed: %s", failure);
                trouble(t, true, why);
                t->due_ns = clock_boottime_ns() + RETRY_NS;
        }
        /* A lock, a deadline: once is none. And a database that has not been there yet may still come. */
        bool yet_to_come = error == -ENOENT && !t->read_ns;
        if (!t->failed || (before && !yet_to_come) || (error != -EBUSY && error != -ETIME && !yet_to_come))
                jobs_tell_reading(d, o);
        if (t->failed && before && t->due_ns < t->asked_ns + o->of->jobs.every_ms * NS_PER_MS)
                t->due_ns = t->asked_ns + o->of->jobs.every_ms * NS_PER_MS;
        t->asked_ns = 0;
        if (t->again)
                ask_soon(d, o);
}

/* ---- ends ---- */

/* What ended may have written last what it had to say: the row is read anew, and then judged. */
static void on_ended(struct daemon *d, struct orchestrator *o)
{
        uint64_t now = clock_boottime_ns();

        d->jobs->ended_ns = now;
        d->jobs->scan_due_ns = now + SCAN_SOON_NS / 4;
        if (!o->jobs || !has_jobs(o))
                return;
        o->jobs->again = o->jobs->asked_ns != 0;
        ask_soon(d, o);
}

void jobs_turn(struct daemon *d)
{
        orchestrators_turn(d, on_ended);
}

/* One that no scan has seen in its short life: a row may name it all the same. */
static void read_rows_of(struct daemon *d, const struct vigil_ident *id)
{
        for (size_t i = 0; i < orchestrators_count(d->orchestrators); i++) {
                struct orchestrator *o = orchestrators_at(d->orchestrators, i);
                const struct member *m = orchestrator_member(o, id->tgid);
                if (m && m->id.start_ns == id->start_ns)
                        continue;
                for (size_t k = 0; o->jobs && has_jobs(o) && k < o->jobs->n; k++) {
                        if (o->jobs->job[k].pid != id->tgid)
                                continue;
                        o->jobs->again = o->jobs->asked_ns != 0;
                        ask_soon(d, o);
                        break;
                }
        }
}

void jobs_certificate(struct daemon *d, const struct vigil_ident *id, uint64_t ended_ns,
                      const struct vigil_use *use, const char *certificate)
{
        struct job_death *x;

        if (!orchestrators_count(d->orchestrators))
                return;
        x = &d->jobs->death[d->jobs->ndeaths++ % JOB_DEATHS];
        *x = (struct job_death){
                .id = *id, .ended_ns = ended_ns, .db = use->db, .last_commit_ns = use->commits ? use->last_ns : 0};
        snprintf(x->certificate, sizeof(x->certificate), "%s", certificate);
        read_rows_of(d, id);
}

/* ---- deaths of earlier runs ---- */

/* Not so many that those of this run have no room. */
#define REMEMBERED (JOB_DEATHS / 2)

static int remember(void *userdata, const struct store_death *death)
{
        struct daemon *d = userdata;
        const struct guard *g = guards_by_name(d->guards, death->database);
        int64_t ended_ns = death->ended_ns - clock_realtime_offset_ns();

        /* Of another boot, whatever the clock said then. */
        if (!death->pid || ended_ns < 0 || (uint64_t)ended_ns < death->start_ns)
                return 0;
        struct job_death *x = &d->jobs->death[d->jobs->ndeaths++ % JOB_DEATHS];
        *x = (struct job_death){.id = {.tgid = death->pid, .start_ns = death->start_ns},
                                .ended_ns = (uint64_t)ended_ns,
                                .db = g ? g->id : 0,
                                .remembered = true};
        snprintf(x->id.comm, sizeof(x->id.comm), "%s", death->comm);
        snprintf(x->certificate, sizeof(x->certificate), "%s", death->certificate);
        return 0;
}

void jobs_remember(struct daemon *d)
{
        struct store *s = keeper_store(d->keeper);

        /* Where they cannot be read now, a row's process has ended all the same, and how is not told. */
        if (s && orchestrators_count(d->orchestrators))
                store_load_deaths(s, clock_realtime_offset_ns(), REMEMBERED, remember, d);
}

/* ---- each second ---- */

static bool in_question(const struct job_table *t)
{
        for (size_t i = 0; i < t->n; i++)
                if (t->job[i].in_question)
                        return true;
        return false;
}

/* By schedule a reading is left out where it could say nothing new; what it would have said is judged all the same, since limits of
 * time go on. After an end it never is. */
static void read_what_is_due(struct daemon *d, struct orchestrator *o, uint64_t now)
{
        if (!o->jobs->due_ns || now < o->jobs->due_ns)
                return;
        if (!jobs_are_unchanged(d, o, now)) {
                ask(d, o);
                return;
        }
        o->jobs->due_ns = now + o->of->jobs.every_ms * NS_PER_MS;
        jobs_judge(d, o, true);
        jobs_tell(d, o);
}

static void scan(struct daemon *d, uint64_t now)
{
        struct jobs *j = d->jobs;

        if (now < j->scan_due_ns || now < j->scan_rest_ns)
                return;
        uint64_t began = clock_cpu_ns();
        j->scanned_ns = clock_boottime_ns();
        orchestrators_scan(d, on_ended);
        now = clock_boottime_ns(); /* that may have found an end */
        j->scan_due_ns = now + (j->ended_ns && now - j->ended_ns < SOON_FOR_NS ? SCAN_SOON_NS : SCAN_NS);
        j->scan_rest_ns = now + (clock_cpu_ns() - began) * REST_SHARE;
}

void jobs_second(struct daemon *d)
{
        uint64_t now = clock_boottime_ns();
        bool any = false;

        if (!orchestrators_count(d->orchestrators))
                return;
        scan(d, now);
        for (size_t i = 0; i < orchestrators_count(d->orchestrators); i++) {
                struct orchestrator *o = orchestrators_at(d->orchestrators, i);
                job_note_use(d, o, now);
                read_what_is_due(d, o, now);
                any = any || in_question(o->jobs);
        }
        if (!any)
                return;
        if (now >= d->jobs->sample_due_ns) {
                samples_turn(d->jobs->samples, d->sensor, now);
                d->jobs->sample_due_ns = now + SAMPLE_NS - NS_PER_S / 2;
        }
        if (now < d->jobs->judge_rest_ns)
                return;
        uint64_t began = clock_cpu_ns();
        for (size_t i = 0; i < orchestrators_count(d->orchestrators); i++) {
                jobs_judge(d, orchestrators_at(d->orchestrators, i), false);
                jobs_tell(d, orchestrators_at(d->orchestrators, i));
        }
        d->jobs->judge_rest_ns = now + (clock_cpu_ns() - began) * REST_SHARE;
}
