/* job_evidence.c - what a verdict on a job rests on, as JSON (docs/JSON.md). Durations end at the sample they come from. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "detect/job_private.h"
#include "detect/wording.h"

#define MS(ns) ((json_int_t)((ns) / 1000000))

/* Sets @key unless @value is NULL, which means: out of memory. */
static int put(json_t *to, const char *key, json_t *value)
{
        return value ? json_object_set_new(to, key, value) : -1;
}

/* ---- what it waits for ---- */

static json_t *database_json(const struct job_facts *f, unsigned db)
{
        const char *name = database_name(&f->names, db);

        return text_json(name, strlen(name));
}

static json_t *sync_flight(const struct job_facts *f, const struct process_evidence *e)
{
        const struct evidence_sync *y = &e->sync;

        return json_pack("{s:o, s:o, s:o, s:o, s:I}", "database", y->db ? database_json(f, y->db) : json_null(),
                         "file", y->whole ? json_string("filesystem") : json_string(role_name(y->role)), "device",
                         y->device[0] ? text_json(y->device, strlen(y->device)) : json_null(), "waiting_ms",
                         since_json(y->since_ns, e->at_ns), "in_flight", (json_int_t)y->in_flight);
}

static json_t *stop(const struct process_evidence *e)
{
        return json_pack("{s:o, s:o, s:o}", "signal",
                         e->stop.sig ? json_string(text_signal(e->stop.sig)) : json_null(), "sender",
                         ident_json(&e->stop.by), "stopped_ms", since_json(e->stop.ns, e->at_ns));
}

/* ---- what it does ---- */

static json_t *lines(const char *text)
{
        json_t *array = json_array();

        for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n')
                json_array_append_new(array, text_json(p, strcspn(p, "\n")));
        return array;
}

static json_t *missing(unsigned bits)
{
        static const struct {
                unsigned bit;
                const char *name;
        } table[] = {{EVIDENCE_NO_THREADS, "threads"}, {EVIDENCE_NO_IO, "io"},
                     {EVIDENCE_NO_DELAYS, "delays"},   {EVIDENCE_NO_WCHAN, "wchan"},
                     {EVIDENCE_NO_STACK, "stack"},     {EVIDENCE_NO_CGROUP, "cgroup"},
                     {EVIDENCE_NO_ACCOUNT, "account"}, {EVIDENCE_NO_HOLDERS, "holders"}};
        json_t *array = json_array();

        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
                if (bits & table[i].bit)
                        json_array_append_new(array, json_string(table[i].name));
        return array;
}

/* Between two samples; null where there is one only. */
static int put_differences(json_t *o, const struct process_evidence *a, const struct process_evidence *b)
{
        const struct {
                const char *key;
                uint64_t before, now;
        } field[] = {
                {"cpu_ms", a ? a->cpu_ns / 1000000 : 0, b->cpu_ns / 1000000},
                {"run_delay_ms", a ? a->run_delay_ns / 1000000 : 0, b->run_delay_ns / 1000000},
                {"throttled_ms", a ? a->cgroup.throttled_us / 1000 : 0, b->cgroup.throttled_us / 1000},
                {"voluntary_switches", a ? a->voluntary : 0, b->voluntary},
                {"involuntary_switches", a ? a->involuntary : 0, b->involuntary},
                {"read_bytes", a ? a->read_bytes : 0, b->read_bytes},
                {"write_bytes", a ? a->write_bytes : 0, b->write_bytes},
                {"read_chars", a ? a->read_chars : 0, b->read_chars},
                {"write_chars", a ? a->write_chars : 0, b->write_chars},
                {"db_writes", a ? a->db_writes : 0, b->db_writes},
                {"commits", a ? a->commits : 0, b->commits},
        };

        for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++) {
                uint64_t n = field[i].now > field[i].before ? field[i].now - field[i].before : 0;
                if (put(o, field[i].key, a ? json_integer((json_int_t)n) : json_null()) < 0)
                        return -1;
        }
        return put(o, "window_ms", a ? json_integer(MS(b->at_ns - a->at_ns)) : json_null());
}

static json_t *sleep_json(const struct evidence_sleep *s)
{
        if (s->kind == SLEEP_NONE)
                return json_null();
        return json_pack("{s:s, s:o, s:I, s:b}", "for", sleep_name(s->kind), "peer",
                         s->peer[0] ? json_string(s->peer) : json_null(), "connections", (json_int_t)s->connections,
                         "unsure", (int)s->unsure);
}

static json_t *sample(const struct job_process *p)
{
        const struct process_evidence *e = p->now;
        char state[2] = {e->state, 0};
        json_t *o = json_pack(
                "{s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o, s:b, s:o}", "state", state, "sleeps",
                sleep_json(&e->sleep), "wchan", e->wchan[0] ? text_json(e->wchan, strlen(e->wchan)) : json_null(),
                "stack", lines(e->stack), "threads", (json_int_t)e->threads, "running", (json_int_t)e->running,
                "uninterruptible", (json_int_t)e->uninterruptible, "last_write_ms",
                since_json(e->last_write_ns, e->at_ns), "connect_ms", since_json(e->connect_ns, e->at_ns), "frozen",
                e->cgroup.frozen, "missing", missing(e->missing));

        if (o && put_differences(o, p->before, e) < 0) {
                json_decref(o);
                return NULL;
        }
        return o;
}

static json_t *progress(const struct job_facts *f, const struct job_judgement *j)
{
        return json_pack("{s:f, s:o, s:o, s:o}", "value", f->progress, "total",
                         isnan(f->total) ? json_null() : json_real(f->total), "per_minute",
                         isnan(j->rate) ? json_null() : json_real(j->rate * 60), "left_s",
                         isnan(j->left_s) ? json_null() : json_real(j->left_s));
}

static int put_process(json_t *o, const struct job_facts *f, const struct job_judgement *j,
                       const struct job_process *p)
{
        static const char *const tie[] = {[JOB_TIE_PID] = "pid",
                                          [JOB_TIE_WRITES] = "writes",
                                          [JOB_TIE_TREE] = "orchestrator",
                                          [JOB_TIE_CHILD] = "child"};
        const struct process_evidence *e = p->now;
        int r = put(o, "process", ident_json(&p->id)) | put(o, "tie", json_string(tie[p->tie]));

        if (p->certificate)
                r |= put(o, "certificate", json_string(p->certificate));
        if (!e || e->gone)
                return r;
        r |= put(o, "sample", sample(p));
        if (e->nwaits)
                r |= put(o, "waits_for",
                         lock_wait_json(&e->wait[j->wait < e->nwaits ? j->wait : 0], &f->names, e->at_ns));
        if (e->sync.since_ns)
                r |= put(o, "sync", sync_flight(f, e));
        if (e->stop.stopped)
                r |= put(o, "stopped", stop(e));
        return r;
}

/* Of a verdict that no process shows, the first that lives is told of. */
static const struct job_process *told(const struct job_facts *f, const struct job_judgement *j)
{
        if (j->process != JOB_NOBODY)
                return &f->process[j->process];
        for (size_t i = 0; i < f->nprocesses; i++)
                if (f->process[i].now && !f->process[i].now->gone)
                        return &f->process[i];
        return NULL;
}

json_t *job_evidence(const struct job_facts *f, const struct job_judgement *j)
{
        const struct job_process *p = told(f, j);
        json_t *o = json_pack("{s:s, s:I, s:I}", "reason", j->reason, "unchanged_ms", MS(job_quiet_ns(f)),
                              "processes", (json_int_t)f->nprocesses);
        int r = o ? 0 : -1;

        if (r == 0 && p)
                r |= put_process(o, f, j, p);
        if (r == 0 && j->knot)
                r |= put(o, "knot", lock_knot_json(j->knot, f->waiter, &f->names, f->now_ns));
        if (r == 0 && !isnan(f->progress))
                r |= put(o, "progress", progress(f, j));
        if (r < 0) {
                json_decref(o);
                return NULL;
        }
        return o;
}
