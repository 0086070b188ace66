/* judged.c - see judged.h. */
#include "daemon/judged.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/cases.h"
#include "daemon/core.h"
#include "daemon/guard.h"
#include "daemon/recovery.h"
#include "daemon/response.h"
#include "report/report.h"

/* The initial PID namespace (include/linux/proc_ns.h, PROC_PID_INIT_INO) and the root cgroup, which hold everybody. */
#define PIDNS_INITIAL 4026531836u
#define CGROUP_ROOT   1u

struct judged {
        struct daemon *d;
        const struct detection *detection;
        json_t *report;
        char (*incident)[DETECT_ID_LEN]; /* of each certificate; empty: none */
        bool evidence;                   /* something bad enough to keep the recording */
        char worst[DETECT_ID_LEN];       /* the incident it is kept for */
};

/* ---- the report's objects, by id ---- */

/* New reference: the object of `databases`[].@list with that id. */
static json_t *object_of(const struct judged *j, const char *list, const char *id)
{
        json_t *databases = json_object_get(j->report, "databases"), *db, *o;
        size_t i, k;

        json_array_foreach (databases, i, db) {
                json_array_foreach (json_object_get(db, list), k, o) {
                        const char *its = json_string_value(json_object_get(o, "id"));
                        if (its && strcmp(its, id) == 0)
                                return json_incref(o);
                }
        }
        return json_object();
}

static struct guard *guard_of(const struct judged *j, size_t database)
{
        const struct model_database *db = model_database(detection_model(j->detection), database);

        return db ? guards_by_id(j->d->guards, db->id) : NULL;
}

static size_t index_of(const struct judged *j, const struct certificate *c)
{
        return (size_t)(c - detection_certificate(j->detection, 0));
}

/* ---- findings ---- */

static struct incident_cause cause_of(const struct certificate *c)
{
        struct incident_cause cause = {0};

        if (!c)
                return cause;
        cause.died = c->death->id;
        cause.cgroup_id = c->death->cgroup_id == CGROUP_ROOT ? 0 : c->death->cgroup_id;
        if (c->death->process && c->death->process->pidns_ino != PIDNS_INITIAL)
                cause.pidns_ino = c->death->process->pidns_ino;
        const struct vigil_sig *by = c->ending.sender_named ? c->ending.by : c->ending.origin;
        if (by) {
                cause.sender.tgid = by->sender_tgid;
                cause.sender.start_ns = by->sender_start_ns;
        }
        return cause;
}

static void take_finding(struct judged *j, const struct finding *f)
{
        struct daemon *d = j->d;
        struct guard *g = guard_of(j, f->database);
        uint64_t ns = f->ns ? f->ns : f->certificate ? f->certificate->death->ns : 0;

        if (!g)
                return;
        const struct incident_finding in = {.id = f->id,
                                            .code = f->code,
                                            .severity = f->severity,
                                            .database = g->name,
                                            .path = g->path,
                                            .ns = ns,
                                            .at_ns = ns ? model_realtime(detection_model(j->detection), ns)
                                                        : daemon_now(),
                                            .certificate = f->certificate ? f->certificate->id : NULL,
                                            .detail = f->detail,
                                            .trust = &f->trust,
                                            .cause = cause_of(f->certificate)};
        struct incident *i = case_add(d, &in, object_of(j, "findings", f->id));
        if (!i)
                return;
        if (f->certificate)
                strcpy(j->incident[index_of(j, f->certificate)], i->id);
        if (f->severity <= SEVERITY_P1 && !j->evidence) {
                j->evidence = true;
                strcpy(j->worst, i->id);
        }
        if (f->certificate)
                recovery_expect(d, i->id, f->certificate);
        response_to(d, g, i, f->code, f->severity, f->certificate ? verdict_name(f->certificate->verdict) : NULL);
}

/* ---- certificates ---- */

static void take_certificate(struct judged *j, const struct certificate *c)
{
        struct daemon *d = j->d;
        struct guard *g = guard_of(j, c->database);
        const char *incident = j->incident[index_of(j, c)];
        json_t *o = object_of(j, "certificates", c->id);
        int64_t at = model_realtime(detection_model(j->detection), c->death->ns);
        const char *verdict = verdict_name(c->verdict);

        if (!g) {
                json_decref(o);
                return;
        }
        json_t *process = json_object_get(o, "process");
        json_t *note = json_pack("{s:s, s:s, s:{s:O?, s:O?, s:O?}}", "certificate", c->id, "verdict", verdict,
                                 "process", "pid", json_object_get(process, "pid"), "start_ns",
                                 json_object_get(process, "start_ns"), "comm", json_object_get(process, "comm"));
        json_object_set_new(o, "database", json_string(g->name));
        keeper_certificate(d->keeper, c->id, g->name, *incident ? incident : NULL, verdict, at, o,
                           c->verdict == VERDICT_CLEAN);
        keeper_event(d->keeper, "death", g->name, at, note);
        if (!*incident && c->verdict == VERDICT_UNKNOWN)
                response_to(d, g, NULL, "unknown-death", SEVERITY_P2, verdict);
}

/* ---- evidence ---- */

static void keep_evidence(struct judged *j, const struct episode *e)
{
        struct daemon *d = j->d;
        _cleanup_free_ char *dir = NULL, *path = NULL;

        if (asprintf(&dir, "evidence/%s", j->worst) < 0 ||
            asprintf(&path, "%s/%s/recording.vigil", d->state.path, dir) < 0)
                return;
        int r = statedir_make(&d->state, dir);
        if (r == 0)
                r = episode_record(e, path);
        if (r < 0) {
                log_error("evidence: cannot write %s: %s", path, strerror(-r));
                return;
        }
        *strrchr(path, '/') = 0;
        case_set(d, j->worst, "evidence", json_string(path));
}

int judged_take(struct daemon *d, const struct episode *e, const struct detection *detection)
{
        struct judged j = {.d = d, .detection = detection};
        size_t n = detection_n_certificates(detection);
        int r = report_build(detection, NULL, &j.report);

        if (r < 0)
                return r;
        j.incident = calloc(n ? n : 1, sizeof(*j.incident));
        if (!j.incident) {
                json_decref(j.report);
                return -ENOMEM;
        }
        for (size_t i = 0; i < detection_n_findings(detection); i++)
                take_finding(&j, detection_finding(detection, i));
        for (size_t i = 0; i < n; i++)
                take_certificate(&j, detection_certificate(detection, i));
        keeper_turn(d->keeper);
        if (j.evidence)
                keep_evidence(&j, e);
        free(j.incident);
        json_decref(j.report);
        return 0;
}
