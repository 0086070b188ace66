/* judged.c - see judged.h. */
#include "daemon/judged.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/cases.h"
#include "daemon/core.h"
#include "daemon/deaths.h"
#include "daemon/guard.h"
#include "daemon/jobs.h"
#include "daemon/program.h"
#include "daemon/recovery.h"
#include "daemon/response.h"
#include "daemon/scribe.h"
#include "daemon/taken.h"
#include "report/build.h"
#include "report/report.h"

/* The initial PID namespace (include/linux/proc_ns.h, PROC_PID_INIT_INO) and the root cgroup, which hold everybody. */
#define PIDNS_INITIAL 4026531836u
#define CGROUP_ROOT   1u

/* Ends that nothing follows from, as of a shell script that starts a client for each row, are stored one by one only as far as
 * somebody could read them: so many a second, the others are counted. */
#define UNEVENTFUL_A_SECOND 100

/* While so many certificates are made, the rings are emptied once: a burst of deaths fills theirs in a quarter of a second. */
#define POLL_EACH 32

struct judged {
        struct daemon *d;
        const struct episode *episode;
        const struct detection *detection;
        json_t *report;                  /* NULL: without findings nobody needs it */
        char (*incident)[DETECT_ID_LEN]; /* of each certificate; empty: none */
        bool *told;                      /* of each finding: an earlier episode or daemon has */
        bool *stored;                    /* of each certificate: the same */
        bool *event;                     /* of each certificate: it is among the events */
        bool evidence;                   /* something bad enough to keep the recording */
        char worst[DETECT_ID_LEN];       /* the incident it is kept for */
};

/* ---- the report's objects ---- */

/* New reference: the finding as the report has it. */
static json_t *finding_json(const struct judged *j, const char *id)
{
        json_t *databases = json_object_get(j->report, "databases"), *db, *o;
        size_t i, k;

        json_array_foreach (databases, i, db) {
                json_array_foreach (json_object_get(db, "findings"), k, o) {
                        const char *its = json_string_value(json_object_get(o, "id"));
                        if (its && strcmp(its, id) == 0)
                                return json_incref(o);
                }
        }
        return json_object();
}

/* New reference. */
static json_t *certificate_json(const struct judged *j, const struct certificate *c)
{
        struct build b = {.d = j->detection, .m = detection_model(j->detection)};
        json_t *o = build_certificate(&b, c);

        return o ? o : json_object();
}

/* The kernel's. 0: none. */
static uint32_t id_of(const struct judged *j, size_t database)
{
        const struct model_database *db = model_database(detection_model(j->detection), database);

        return db ? db->id : 0;
}

static struct guard *guard_of(const struct judged *j, size_t database)
{
        uint32_t id = id_of(j, database);

        return id ? guards_by_id(j->d->guards, id) : NULL;
}

static size_t index_of(const struct judged *j, const struct certificate *c)
{
        return (size_t)(c - detection_certificate(j->detection, 0));
}

/* ---- what an earlier episode or daemon has told of ---- */

static uint64_t time_of(const struct finding *f)
{
        return f->ns ? f->ns : f->certificate ? f->certificate->death->ns : clock_boottime_ns();
}

/* All of it is asked before anything is done, and nothing more once the store does not answer. @return 0 or -EAGAIN */
static int find_told(struct judged *j)
{
        const struct detection *x = j->detection;

        for (size_t i = 0; i < detection_n_findings(x); i++) {
                const struct finding *f = detection_finding(x, i);
                int r = taken_is_told(j->d, f, time_of(f));
                if (r < 0)
                        return r;
                j->told[i] = r > 0 || !episode_is_news(j->episode, id_of(j, f->database), f);
        }
        for (size_t i = 0; i < detection_n_certificates(x); i++) {
                const struct certificate *c = detection_certificate(x, i);
                int r = taken_is_stored(j->d, c->id, c->death->ns);
                if (r < 0)
                        return r;
                j->stored[i] = r > 0 || episode_is_past(j->episode, &c->death->id);
        }
        return 0;
}

/* ---- findings ---- */

static struct incident_cause cause_of(const struct judged *j, const struct certificate *c)
{
        struct incident_cause cause = {0};

        if (!c)
                return cause;
        cause.died = c->death->id;
        cause.cgroup_id = c->death->cgroup_id == CGROUP_ROOT ? 0 : c->death->cgroup_id;
        if (c->death->process && c->death->process->pidns_ino != PIDNS_INITIAL)
                cause.pidns_ino = c->death->process->pidns_ino;
        const struct model_process *p = c->death->process;
        if (p)
                cause.program = program_key(p->exe, p->argv, p->argv_len,
                                            model_cgroup(detection_model(j->detection), c->death->cgroup_id));
        const struct vigil_sig *by = c->ending.sender_named ? c->ending.by : c->ending.origin;
        if (by) {
                cause.sender.tgid = by->sender_tgid;
                cause.sender.start_ns = by->sender_start_ns;
        }
        return cause;
}

/* Before the first that follows from it, and in one transaction with that. */
static void tell_death(struct judged *j, const struct guard *g, const struct certificate *c,
                       const json_t *certificate)
{
        const json_t *process = json_object_get(certificate, "process");

        if (j->event[index_of(j, c)])
                return;
        j->event[index_of(j, c)] = true;
        keeper_event(j->d->keeper, "death", g->name, model_realtime(detection_model(j->detection), c->death->ns),
                     json_pack("{s:s, s:s, s:{s:O?, s:O?, s:O?}}", "certificate", c->id, "verdict",
                               verdict_name(c->verdict), "process", "pid", json_object_get(process, "pid"),
                               "start_ns", json_object_get(process, "start_ns"), "comm",
                               json_object_get(process, "comm")));
        keeper_together(j->d->keeper);
}

static void take_finding(struct judged *j, const struct finding *f)
{
        struct daemon *d = j->d;
        struct guard *g = guard_of(j, f->database);
        uint64_t ns = time_of(f);

        if (!g)
                return;
        const struct incident_finding in = {.id = f->id,
                                            .code = f->code,
                                            .severity = f->severity,
                                            .database = g->name,
                                            .path = g->path,
                                            .ns = ns,
                                            .at_ns = model_realtime(detection_model(j->detection), ns),
                                            .certificate = f->certificate ? f->certificate->id : NULL,
                                            .detail = f->detail,
                                            .trust = &f->trust,
                                            .cause = cause_of(j, f->certificate)};
        if (f->certificate && !j->stored[index_of(j, f->certificate)]) {
                json_t *o = certificate_json(j, f->certificate);
                tell_death(j, g, f->certificate, o);
                json_decref(o);
        }
        struct incident *i = case_add(d, &in, finding_json(j, f->id));
        if (!i)
                return;
        if (f->certificate)
                strcpy(j->incident[index_of(j, f->certificate)], i->id);
        if (f->severity <= SEVERITY_P1 && !j->evidence) {
                j->evidence = true;
                strcpy(j->worst, i->id);
        }
        if (f->certificate && f->certificate->taken)
                case_owe(d, i, ENDS_BY_HAND);
        if (f->certificate)
                recovery_expect(d, i->id, f->certificate);
        else if (episode_told(j->episode, id_of(j, f->database), f))
                cases_beyond_recovery(d, g->name);
        response_to(d, g, i, f->code, f->severity, f->certificate ? verdict_name(f->certificate->verdict) : NULL);
}

/* ---- certificates ---- */

/* Whether an end without an incident is stored. */
static bool has_room(struct daemon *d, const struct certificate *c)
{
        uint64_t second = clock_boottime_ns() / 1000000000;

        if (c->verdict != VERDICT_CLEAN && c->verdict != VERDICT_ABRUPT)
                return true;
        if (second != d->uneventful.second) {
                d->uneventful.second = second;
                d->uneventful.stored = 0;
        }
        if (d->uneventful.stored++ < UNEVENTFUL_A_SECOND)
                return true;
        d->uneventful.left_out++;
        return false;
}

/* A program that dies for months must not make an incident that nobody can read: beyond the bound a certificate is kept by itself. */
static const char *listed_in(const struct judged *j, const char *id)
{
        struct incident *i = *id ? incidents_find(j->d->incidents, id) : NULL;

        return i && !case_lists(i) ? "" : id;
}

static void take_certificate(struct judged *j, const struct certificate *c)
{
        struct daemon *d = j->d;
        struct guard *g = guard_of(j, c->database);
        const char *incident = j->incident[index_of(j, c)], *listed = listed_in(j, incident);
        int64_t at = model_realtime(detection_model(j->detection), c->death->ns);
        const char *verdict = verdict_name(c->verdict);

        if (!g)
                return;
        recovery_closed(d, c);
        if (!*incident && !has_room(d, c))
                return;
        for (uint32_t i = 0; i < c->death->nuses; i++)
                if (c->death->use[i].database == c->database)
                        jobs_certificate(d, &c->death->id, c->death->ns, &c->death->use[i].use, c->id);
        json_t *o = certificate_json(j, c);
        tell_death(j, g, c, o);
        json_object_set_new(o, "database", json_string(g->name));
        keeper_certificate(d->keeper, c->id, g->name, *listed ? listed : NULL, verdict, at, o,
                           c->verdict == VERDICT_CLEAN);
        if (!*incident && c->verdict == VERDICT_UNKNOWN)
                response_to(d, g, NULL, "unknown-death", SEVERITY_P2, verdict);
}

/* ---- evidence ---- */

/* A recording that is being written, or waits for the one before it. */
struct keeping {
        struct daemon *d;        /* NULL: free */
        const struct episode *e; /* for the child; in the monitor it is gone by the time the child is done */
        char incident[DETECT_ID_LEN];
        char path[PATH_MAX + 64];
};

static int keep_work(int answer_fd, void *arg)
{
        const struct keeping *k = arg;
        int r = mkdir(k->path, 0700) < 0 && errno != EEXIST ? -errno : episode_keep(k->e, k->path);

        return scribe_tell(answer_fd, r);
}

static void on_kept(void *userdata, int error, const json_t *answer)
{
        struct keeping *k = userdata;

        (void)answer;
        if (error < 0)
                log_error("evidence: cannot write the recording in %s: %s", k->path,
                          error == -EALREADY ? "those before it are not written yet: its disk hangs, or is too slow"
                          : error == -ECHILD ? "the process that writes it died"
                                             : strerror(-error));
        else
                case_set(k->d, k->incident, "evidence", json_string(k->path));
        k->d = NULL;
}

static void keep_evidence(struct judged *j, const struct episode *e)
{
        static struct keeping places[1 + SCRIBE_BEHIND]; /* there is one thread */
        struct keeping next = {.d = j->d, .e = e}, *k = &next;

        memcpy(next.incident, j->worst, sizeof(next.incident));
        snprintf(next.path, sizeof(next.path), "%s/evidence/%s", j->d->state.path, next.incident);
        for (size_t i = 0; k == &next && i < 1 + SCRIBE_BEHIND; i++)
                if (!places[i].d)
                        k = &places[i];
        *k = next;
        /* Nothing is put behind one that hangs. */
        int r = k == &next || scribe_since(j->d->scribe, SCRIBE_RECORDING) > SCRIBE_SILENT_NS
                        ? -EALREADY
                        : scribe_start_behind(j->d->scribe, SCRIBE_RECORDING, keep_work, k, on_kept, k);
        if (r < 0)
                on_kept(k, r, NULL);
}

static void take_all(struct judged *j)
{
        const struct detection *x = j->detection;

        for (size_t i = 0; i < detection_n_findings(x); i++) {
                const struct certificate *c = detection_finding(x, i)->certificate;
                if (j->told[i] && c)
                        j->event[index_of(j, c)] = true; /* as it was stored together with it */
        }
        for (size_t i = 0; i < detection_n_findings(x); i++)
                if (!j->told[i])
                        take_finding(j, detection_finding(x, i));
        for (size_t i = 0; i < detection_n_certificates(x); i++) {
                if (!j->stored[i])
                        take_certificate(j, detection_certificate(x, i));
                if (i % POLL_EACH == POLL_EACH - 1)
                        sensor_poll(j->d->sensor, 0, deaths_record, j->d);
        }
}

static void judged_done(struct judged *j)
{
        free(j->incident);
        free(j->told);
        free(j->stored);
        free(j->event);
        json_decref(j->report);
}

int judged_take(struct daemon *d, const struct episode *e, const struct detection *detection, bool wait)
{
        __attribute__((cleanup(judged_done))) struct judged j = {.d = d, .episode = e, .detection = detection};
        size_t n = detection_n_certificates(detection), nfindings = detection_n_findings(detection);

        j.incident = calloc(n + 1, sizeof(*j.incident));
        j.stored = calloc(n + 1, sizeof(*j.stored));
        j.event = calloc(n + 1, sizeof(*j.event));
        j.told = calloc(nfindings + 1, sizeof(*j.told));
        if (!j.incident || !j.stored || !j.event || !j.told)
                return -ENOMEM;
        int r = find_told(&j);
        if (r < 0 && wait)
                return r;
        r = nfindings ? report_build(detection, NULL, &j.report) : 0;
        if (r < 0)
                return r;
        take_all(&j);
        keeper_turn(d->keeper);
        if (j.evidence)
                keep_evidence(&j, e);
        return 0;
}
