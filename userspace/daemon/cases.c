/* cases.c - see cases.h. */
#include "daemon/cases.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/case_doc.h"
#include "daemon/cases_private.h"
#include "daemon/core.h"
#include "daemon/guard.h"
#include "model/trust.h"

/* ---- what is stored of an incident ---- */

json_t *case_members(struct incident *i)
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

void case_store(struct daemon *d, struct incident *i)
{
        json_t *doc = case_members(i);

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

void case_event(struct daemon *d, const struct incident *i, const char *what, const char *note, json_t *finding)
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
                case_store(d, list[i]);
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
        json_t *doc = case_members(i);
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

void case_forget_acknowledged(struct incident *i)
{
        json_object_del(case_members(i), "acknowledged_by");
        json_object_del(case_members(i), "reopened");
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
                json_object_del(case_members(i), "resolution");
                case_forget_acknowledged(i);
        }
        if (i->reopened)
                note_reopened(i, note);
        case_store(d, i);
        keeper_together(d->keeper);
        if (i->nfindings <= CASE_LISTED) {
                keeper_finding(d->keeper, f->id, f->database, i->id, f->code, severity_name(severity), f->at_ns,
                               doc);
                keeper_together(d->keeper);
        } else {
                json_decref(doc);
        }
        case_event(d, i,
                   fresh         ? "opened"
                   : i->returned ? "returned"
                   : i->reopened ? "reopened"
                                 : "finding",
                   note,
                   json_pack("{s:s, s:s, s:s, s:o}", "id", f->id, "code", f->code, "severity",
                             severity_name(severity), "detail", text_json(f->detail, strlen(f->detail))));
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
        json_object_set_new(case_members(i), key, value);
        case_store(d, i);
}

const json_t *case_get(const struct incident *i, const char *key)
{
        return json_object_get(i->tag, key);
}
