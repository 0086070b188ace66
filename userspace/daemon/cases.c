/* cases.c - see cases.h. */
#include "daemon/cases.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/case_doc.h"
#include "daemon/core.h"
#include "daemon/guard.h"
#include "model/trust.h"

#define RETURNING_MAX 256

/* ---- what is stored of an incident ---- */

/* The tag of an incident is the object of those members that have no column. */
static json_t *doc_of(struct incident *i)
{
        if (!i->tag)
                i->tag = json_object();
        return i->tag;
}

static json_t *trust_json(const struct trust *t)
{
        json_t *reasons = json_array();

        for (size_t i = 0; i < t->nreasons; i++)
                json_array_append_new(reasons, json_string(t->reason[i]));
        return json_pack("{s:s, s:o}", "level", trust_level_name(t->level), "reasons", reasons);
}

bool case_lists(const struct incident *i)
{
        return i->nfindings <= CASE_LISTED && i->ncertificates <= CASE_LISTED;
}

static void store(struct daemon *d, struct incident *i)
{
        json_t *doc = doc_of(i);

        if (i->deaths)
                json_object_set_new(doc, "deaths", case_doc_deaths(i));
        json_object_set_new(doc, "findings_total", json_integer((json_int_t)i->nfindings));

        if (i->last_ns) { /* else it is as it was stored by an earlier run */
                json_object_set_new(doc, "databases", case_doc_databases(i));
                json_object_set_new(doc, "trust", trust_json(&i->trust));
        }
        json_object_set_new(doc, "ends_by", case_doc_ends(i->owed));
        json_object_set_new(doc, "recognised_by", incident_recognised(i, d->head.boot_id));
        keeper_incident(d->keeper, i, json_deep_copy(doc));
}

/* @param note     stands before the summary; "": nothing
 * @param finding  that makes the event; NULL: none does */
static void event(struct daemon *d, const struct incident *i, const char *what, const char *note, json_t *finding)
{
        json_t *doc = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s+}", "incident", i->id, "what", what, "code", i->code,
                                "severity", severity_name(i->severity), "status", incident_status_name(i->status),
                                "detail", note, i->summary);
        if (finding)
                json_object_set_new(doc, "finding", finding);
        keeper_event(d->keeper, "incident", i->database, daemon_now(), doc);
}

/* ---- beginning and end ---- */

static enum severity override(void *userdata, const char *code, enum severity given)
{
        const struct daemon *d = userdata;

        for (size_t i = 0; i < d->config->nseverities; i++)
                if (strcmp(d->config->severity[i].code, code) == 0)
                        return (enum severity)d->config->severity[i].is;
        return given;
}

static int restore(void *userdata, const struct store_incident *from)
{
        struct daemon *d = userdata;
        struct incident i;

        case_doc_read(from, &i);
        /* Of an earlier boot it has a time below zero. */
        int64_t died = i.deaths_last_ns - clock_realtime_offset_ns();
        struct incident *kept = incidents_restore(d->incidents, &i, died > 0 ? (uint64_t)died : 0);
        if (kept) {
                kept->tag = json_deep_copy(from->doc);
                incident_recognise(kept, json_object_get(from->doc, "recognised_by"), d->head.boot_id);
        }
        return 0; /* one that has no room stays as it is in the store */
}

int cases_open(struct daemon *d)
{
        int64_t window_ns = (int64_t)(d->config->limits.crash_loop_ms * 1000000);

        d->incidents = incidents_new(d->head.boot_id, override, d);
        int r = d->incidents ? store_load_open(keeper_store(d->keeper), restore, d) : -ENOMEM;
        /* What another death of the same program brings back. */
        if (r == 0 && window_ns)
                r = store_load_ended(keeper_store(d->keeper), daemon_now() - window_ns, RETURNING_MAX, restore, d);
        return r;
}

void cases_close(struct daemon *d)
{
        struct incident *const *list;
        size_t n = d->incidents ? incidents_list(d->incidents, &list) : 0;

        for (size_t i = 0; i < n; i++)
                json_decref(list[i]->tag);
        incidents_free(d->incidents);
        d->incidents = NULL;
}

void cases_store_all(struct daemon *d)
{
        struct incident *const *list;
        size_t n = incidents_list(d->incidents, &list);

        for (size_t i = 0; i < n; i++)
                store(d, list[i]);
}

/* Resolved ones are forgotten once what is to be stored of them waits in the queue; those that another death of the same program
 * would bring back are kept in mind, the newest of them. */
static void forget_resolved(struct daemon *d)
{
        struct incident *const *list;
        size_t n = incidents_list(d->incidents, &list), kept = 0;
        uint64_t now = clock_boottime_ns();

        for (size_t i = n; i-- > 0;) {
                if (list[i]->status != INCIDENT_RESOLVED)
                        continue;
                if (incidents_may_return(d->incidents, list[i], now) && kept++ < RETURNING_MAX)
                        continue;
                json_decref(list[i]->tag);
                list[i]->tag = NULL;
                incidents_drop(d->incidents, list[i]);
                n = incidents_list(d->incidents, &list);
        }
}

/* ---- findings ---- */

static json_t *finding_json(const struct incident_finding *f, json_t *evidence)
{
        static const struct trust full;
        char at[TEXT_TIME_LEN];

        text_time(at, f->at_ns);
        return json_pack("{s:s, s:s, s:s, s:s, s:n, s:o, s:o, s:o}", "id", f->id, "code", f->code, "severity",
                         severity_name(f->severity), "at", at, "process", "detail",
                         text_json(f->detail, strlen(f->detail)), "evidence", evidence ? evidence : json_object(),
                         "trust", trust_json(f->trust ? f->trust : &full));
}

#define NOTE_LEN 96

/* It has become worse than what somebody has acknowledged. What it was then stays beside it until it is acknowledged anew.
 * @param ret  a sentence of it, with a blank behind it */
static void note_reopened(struct incident *i, char ret[NOTE_LEN])
{
        json_t *doc = doc_of(i);
        json_t *by = json_incref(json_object_get(doc, "acknowledged_by"));
        char at[TEXT_TIME_LEN], seen[TEXT_TIME_LEN];

        text_time(at, daemon_now());
        text_time(seen, i->seen_ns);
        snprintf(ret, NOTE_LEN, "was acknowledged by %s at %s; now %s: ", by ? json_string_value(by) : "somebody",
                 severity_name(i->seen_severity), severity_name(i->severity));
        json_object_del(doc, "acknowledged_by");
        json_object_set_new(doc, "reopened",
                            json_pack("{s:s, s:s, s:s, s:o?}", "at", at, "acknowledged_at", seen,
                                      "acknowledged_severity", severity_name(i->seen_severity), "acknowledged_by",
                                      by));
}

static void forget_acknowledged(struct incident *i)
{
        json_object_del(doc_of(i), "acknowledged_by");
        json_object_del(doc_of(i), "reopened");
}

struct incident *case_add(struct daemon *d, const struct incident_finding *f, json_t *doc)
{
        bool fresh = false;
        incidents_loop(d->incidents, d->config->limits.crash_loop_ms * 1000000);
        struct incident *i = incidents_add(d->incidents, f, &fresh);

        if (!i) {
                json_decref(doc);
                log_error("%s: %s; it has no place among the incidents: out of memory", f->code, f->detail);
                return NULL;
        }
        enum severity severity = override(d, f->code, f->severity);
        json_object_set_new(doc, "severity", json_string(severity_name(severity)));
        char note[NOTE_LEN] = "";
        if (i->returned) {
                json_object_del(doc_of(i), "resolution");
                forget_acknowledged(i);
        }
        if (i->reopened)
                note_reopened(i, note);
        store(d, i);
        keeper_together(d->keeper);
        if (i->nfindings <= CASE_LISTED) {
                keeper_finding(d->keeper, f->id, f->database, i->id, f->code, severity_name(severity), f->at_ns,
                               doc);
                keeper_together(d->keeper);
        } else {
                json_decref(doc);
        }
        event(d, i,
              fresh         ? "opened"
              : i->returned ? "returned"
              : i->reopened ? "reopened"
                            : "finding",
              note,
              json_pack("{s:s, s:s, s:s, s:o}", "id", f->id, "code", f->code, "severity", severity_name(severity),
                        "detail", text_json(f->detail, strlen(f->detail))));
        log_at(i->goes_on                ? LOG_NOTE_
               : severity <= SEVERITY_P1 ? LOG_ERROR_
                                         : LOG_WARN_,
               "%s %s: %s%s%s (incident %s%s)", severity_name(severity), f->code, f->database ? f->database : "",
               f->database ? ": " : "", f->detail, i->id, i->goes_on ? ", as before this start" : "");
        if (i->reopened)
                log_note("incident %s fires again: it %.*s", i->id, (int)strlen(note) - 2, note);
        if (fresh && i->owed == 1u << ENDS_AT_ONCE)
                case_fulfil(d, i, ENDS_AT_ONCE, "over", NULL);
        return i;
}

static enum severity severity_of_code(const char *code)
{
        const struct incident_code *row = incident_code(code);

        return row ? row->severity : SEVERITY_P2;
}

static struct incident *raise_as(struct daemon *d, const char *code, enum severity severity, const struct guard *g,
                                 const char *detail, json_t *evidence, const char *incident,
                                 const struct trust *trust)
{
        uint64_t now = clock_boottime_ns();
        char id[DETECT_ID_LEN];

        incident_finding_id(d->head.boot_id, code, g ? g->name : NULL, now, id);
        struct incident_finding f = {.id = id,
                                     .code = code,
                                     .severity = severity,
                                     .database = g ? g->name : NULL,
                                     .path = g ? g->path : NULL,
                                     .ns = now,
                                     .at_ns = daemon_realtime(now),
                                     .detail = detail,
                                     .trust = trust,
                                     .incident = incident};
        return case_add(d, &f, finding_json(&f, evidence));
}

void case_as_of(char ret[DETECT_DETAIL_LEN], const char *detail)
{
        char now[TEXT_TIME_LEN], when[32];

        text_time(now, daemon_now());
        int n = snprintf(when, sizeof(when), " (as of %.8sZ)", now + strlen("2026-11-21T"));
        text_printable(ret, DETECT_DETAIL_LEN - (size_t)n, detail);
        strcat(ret, when);
}

struct incident *case_raise_as(struct daemon *d, const char *code, enum severity severity, const struct guard *g,
                               const char *detail, json_t *evidence, const char *incident)
{
        return raise_as(d, code, severity, g, detail, evidence, incident, NULL);
}

struct incident *case_raise_in(struct daemon *d, const char *code, const struct guard *g, const char *detail,
                               json_t *evidence, const char *incident)
{
        return raise_as(d, code, severity_of_code(code), g, detail, evidence, incident, NULL);
}

struct incident *case_raise(struct daemon *d, const char *code, const struct guard *g, const char *detail,
                            json_t *evidence)
{
        return case_raise_in(d, code, g, detail, evidence, NULL);
}

struct incident *case_raise_doubtful(struct daemon *d, const char *code, enum severity severity,
                                     const struct guard *g, const char *detail, json_t *evidence,
                                     const char *incident, const char *reason)
{
        struct trust trust = {0};

        trust_lower(&trust, reason);
        return raise_as(d, code, severity, g, detail, evidence, incident, &trust);
}

void case_set(struct daemon *d, const char *id, const char *key, json_t *value)
{
        struct incident *i = incidents_find(d->incidents, id);

        if (!i) {
                json_decref(value);
                return;
        }
        json_object_set_new(doc_of(i), key, value);
        store(d, i);
}

const json_t *case_get(const struct incident *i, const char *key)
{
        return json_object_get(i->tag, key);
}

/* ---- ends ---- */

void case_owe(struct daemon *d, struct incident *i, enum incident_ends what)
{
        if (i->owed & 1u << what)
                return;
        incident_owe(i, what);
        store(d, i);
}

static bool is_about(const struct incident *i, const char *database)
{
        for (size_t k = 0; k < i->ndatabases; k++)
                if (strcmp(i->databases[k].name, database) == 0)
                        return true;
        return false;
}

void cases_beyond_recovery(struct daemon *d, const char *database)
{
        struct incident *const *list;
        size_t n = incidents_list(d->incidents, &list);

        for (size_t i = 0; i < n; i++)
                if (list[i]->status != INCIDENT_RESOLVED && list[i]->owed & 1u << ENDS_BY_RECOVERY &&
                    is_about(list[i], database))
                        case_owe(d, list[i], ENDS_BY_HAND);
}

static void resolve(struct daemon *d, struct incident *i, const char *by)
{
        if (incident_resolve(i, by, daemon_now()) < 0)
                return;
        store(d, i);
        event(d, i, "resolved", "", NULL);
        log_note("incident %s (%s%s%s) is resolved: %s", i->id, i->code, i->database ? ", " : "",
                 i->database ? i->database : "", by);
}

/* The proof stands in `resolution` until the rest has happened, too: silence, and the end of Vigil's own work, take nothing from a
 * recovery that was seen. */
static void prove(struct incident *i, enum incident_ends what, const char *by, json_t *evidence)
{
        if (what == ENDS_BY_ACTIONS || (what == ENDS_WHEN_QUIET && i->proven_by)) {
                json_decref(evidence);
                return;
        }
        evidence = evidence ? evidence : json_object();
        json_object_set_new(evidence, "by", json_string(by));
        json_object_set_new(doc_of(i), "resolution", evidence);
        i->proven_by = by;
}

void case_fulfil(struct daemon *d, struct incident *i, enum incident_ends what, const char *by, json_t *evidence)
{
        if (i->status == INCIDENT_RESOLVED || !(i->owed & 1u << what)) {
                json_decref(evidence);
                return;
        }
        prove(i, what, by, evidence);
        if (incident_fulfil(i, what))
                resolve(d, i, i->proven_by ? i->proven_by : by);
        else
                store(d, i);
}

void cases_over(struct daemon *d, const char *code, const char *database, const char *by)
{
        struct incident *const *list;
        size_t n = incidents_list(d->incidents, &list);

        for (size_t i = 0; i < n; i++) {
                int r = incident_over(list[i], code, database);
                if (r > 0)
                        case_fulfil(d, list[i], ENDS_WHEN_OVER, by, NULL);
                else if (r == 0)
                        store(d, list[i]); /* that it is over is known after a restart, too */
        }
}

int case_acknowledge(struct daemon *d, const char *id, const char *by)
{
        struct incident *i = incidents_find(d->incidents, id);
        int r = i ? incident_acknowledge(i, daemon_now()) : -ENOENT;

        if (r < 0)
                return r;
        forget_acknowledged(i);
        json_object_set_new(doc_of(i), "acknowledged_by", json_string(by));
        store(d, i);
        event(d, i, "acknowledged", "", NULL);
        log_note("incident %s (%s) is acknowledged: %s", i->id, i->code, by);
        return 0;
}

int case_resolve(struct daemon *d, const char *id, const char *by)
{
        struct incident *i = incidents_find(d->incidents, id);

        if (!i)
                return -ENOENT;
        if (i->status == INCIDENT_RESOLVED)
                return -EALREADY;
        resolve(d, i, by);
        return 0;
}

/* ---- each second ---- */

/* Somebody has taken his acknowledgement back. */
static void fire(struct daemon *d, const char *id)
{
        struct incident *i = incidents_find(d->incidents, id);

        if (!i || incident_fire(i) < 0)
                return;
        forget_acknowledged(i);
        store(d, i);
        event(d, i, "reopened", "", NULL);
        log_note("incident %s (%s) fires again: shell", i->id, i->code);
}

static void on_changed(void *userdata, const char *id, const char *status, int64_t at_ns)
{
        struct daemon *d = userdata;

        keeper_taken_over(d->keeper, id, status, at_ns);
        if (strcmp(status, "resolved") == 0)
                case_resolve(d, id, "shell");
        else if (strcmp(status, "acknowledged") == 0)
                case_acknowledge(d, id, "shell");
        else
                fire(d, id);
}

static void end_quiet(struct daemon *d)
{
        struct incident *const *list;
        size_t n = incidents_list(d->incidents, &list);
        uint64_t now = clock_boottime_ns();

        for (size_t i = 0; i < n; i++) {
                /* Of one that an earlier run has stored, what was quiet before this one is not known. */
                uint64_t since = list[i]->last_ns > d->begun_ns ? list[i]->last_ns : d->begun_ns;
                if (list[i]->owed & 1u << ENDS_WHEN_QUIET && now - since > INCIDENT_QUIET_NS)
                        case_fulfil(d, list[i], ENDS_WHEN_QUIET, "quiet", NULL);
        }
}

void cases_turn(struct daemon *d)
{
        /* Not over rows that still wait: they hold a newer status than the table. */
        struct store *s = keeper_waiting(d->keeper) ? NULL : keeper_store(d->keeper);
        if (s)
                store_poll_alerts(s, on_changed, d);
        end_quiet(d);
        forget_resolved(d);
}
