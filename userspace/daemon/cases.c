/* cases.c - see cases.h. */
#include "daemon/cases.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
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

static json_t *databases_json(const struct incident *i)
{
        json_t *names = json_array();

        for (size_t k = 0; k < i->ndatabases; k++)
                json_array_append_new(names, text_json(i->databases[k].name, strlen(i->databases[k].name)));
        return names;
}

/* What must still happen for it to end by itself. */
static const char *const end_names[] = {
        [ENDS_AT_ONCE] = "now",      [ENDS_WHEN_QUIET] = "quiet",     [ENDS_WHEN_OVER] = "over",
        [ENDS_BY_BACKUP] = "backup", [ENDS_BY_RECOVERY] = "recovery", [ENDS_BY_CHECK] = "check",
        [ENDS_BY_HAND] = "operator", [ENDS_BY_ACTIONS] = "actions"};
#define ENDS (sizeof(end_names) / sizeof(end_names[0]))

static json_t *ends_json(unsigned owed)
{
        json_t *names = json_array();

        for (size_t e = 0; e < ENDS; e++)
                if (owed & 1u << e)
                        json_array_append_new(names, json_string(end_names[e]));
        return names;
}

static unsigned ends_of(const json_t *names)
{
        const json_t *name;
        unsigned owed = 0;
        size_t i;

        json_array_foreach (names, i, name)
                for (size_t e = 0; e < ENDS; e++)
                        if (json_is_string(name) && strcmp(json_string_value(name), end_names[e]) == 0)
                                owed |= 1u << e;
        return owed;
}

/* Our own word for a proof that was stored; NULL: it is none. */
static const char *proof_of(const json_t *resolution)
{
        static const char *const words[] = {"recovery", "check", "backup", "quiet", "over"};
        const char *by = json_string_value(json_object_get(resolution, "by"));

        for (size_t i = 0; by && i < sizeof(words) / sizeof(words[0]); i++)
                if (strcmp(by, words[i]) == 0)
                        return words[i];
        return NULL;
}

/* How often, since when, until when. */
static json_t *deaths_json(const struct incident *i)
{
        char first[TEXT_TIME_LEN], last[TEXT_TIME_LEN], program[24];

        text_time(first, i->deaths_first_ns);
        text_time(last, i->deaths_last_ns);
        snprintf(program, sizeof(program), "%016llx", (unsigned long long)i->program);
        return json_pack("{s:i, s:s, s:s, s:s}", "count", (int)i->deaths, "first_at", first, "last_at", last,
                         "program", program);
}

/* To the second: a time as text_time() writes it; 0: it is none. */
static int64_t ns_of(const json_t *o, const char *key)
{
        const char *text = json_string_value(json_object_get(o, key));
        struct tm tm = {0};

        return text && strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) ? (int64_t)timegm(&tm) * 1000000000 : 0;
}

/* What deaths_json() has stored. */
static void restore_deaths(const json_t *doc, struct incident *i)
{
        const json_t *deaths = json_object_get(doc, "deaths");
        const char *program = json_string_value(json_object_get(deaths, "program"));
        json_int_t count = json_integer_value(json_object_get(deaths, "count"));

        if (!program || count <= 0 || count > UINT32_MAX)
                return;
        i->program = strtoull(program, NULL, 16);
        i->deaths = (unsigned)count;
        i->deaths_first_ns = ns_of(deaths, "first_at");
        i->deaths_last_ns = ns_of(deaths, "last_at");
}

/* What databases_json() has stored, borrowed from @p doc. A list that is full may have been cut, and a name that is not UTF-8 is
 * not stored as it is: then the incident may concern any database. */
static void restore_databases(const json_t *doc, struct incident *i)
{
        const json_t *name;
        size_t n;

        json_array_foreach (json_object_get(doc, "databases"), n, name) {
                const char *text = json_string_value(name);
                if (!text || strstr(text, TEXT_REPLACED) || i->ndatabases == INCIDENT_MAX_DATABASES)
                        i->more_databases = true;
                else
                        i->databases[i->ndatabases++].name = (char *)text;
        }
        if (i->ndatabases == INCIDENT_MAX_DATABASES)
                i->more_databases = true;
}

static size_t count_of(const json_t *doc, const char *key)
{
        json_int_t n = json_integer_value(json_object_get(doc, key));

        return n > 0 ? (size_t)n : 0;
}

bool case_lists(const struct incident *i)
{
        return i->nfindings <= CASE_LISTED && i->ncertificates <= CASE_LISTED;
}

static void store(struct daemon *d, struct incident *i)
{
        json_t *doc = doc_of(i);

        if (i->deaths)
                json_object_set_new(doc, "deaths", deaths_json(i));
        json_object_set_new(doc, "findings_total", json_integer((json_int_t)i->nfindings));

        if (i->last_ns) { /* else it is as it was stored by an earlier run */
                json_object_set_new(doc, "databases", databases_json(i));
                json_object_set_new(doc, "trust", trust_json(&i->trust));
        }
        json_object_set_new(doc, "ends_by", ends_json(i->owed));
        keeper_incident(d->keeper, i, json_deep_copy(doc));
}

static void event(struct daemon *d, const struct incident *i, const char *what)
{
        json_t *doc = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "incident", i->id, "what", what, "code", i->code,
                                "severity", severity_name(i->severity), "status", incident_status_name(i->status),
                                "detail", i->summary);
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

static enum severity severity_of(const char *name)
{
        for (int s = SEVERITY_P0; s < SEVERITY_P3; s++)
                if (strcmp(severity_name((enum severity)s), name) == 0)
                        return (enum severity)s;
        return SEVERITY_P3;
}

static int restore(void *userdata, const struct store_incident *from)
{
        struct daemon *d = userdata;
        struct incident i = {.code = from->code,
                             .severity = severity_of(from->severity),
                             .status = strcmp(from->status, "acknowledged") == 0 ? INCIDENT_ACKNOWLEDGED
                                                                                 : INCIDENT_FIRING,
                             .database = from->database,
                             .path = from->path,
                             .started_ns = from->started_ns,
                             .acknowledged_ns = from->acknowledged_ns,
                             .owed = ends_of(json_object_get(from->doc, "ends_by")),
                             .proven_by = proof_of(json_object_get(from->doc, "resolution"))};

        i.nfindings = count_of(from->doc, "findings_total");
        i.ncertificates = i.nfindings; /* no more than these */
        restore_databases(from->doc, &i);
        restore_deaths(from->doc, &i);
        /* Of an earlier boot it has a time below zero. */
        int64_t died = i.deaths_last_ns - clock_realtime_offset_ns();
        snprintf(i.id, sizeof(i.id), "%s", from->id);
        snprintf(i.summary, sizeof(i.summary), "%s", from->summary);
        struct incident *kept = incidents_restore(d->incidents, &i, died > 0 ? (uint64_t)died : 0);
        if (kept)
                kept->tag = json_deep_copy(from->doc);
        return 0; /* one that has no room stays as it is in the store */
}

int cases_open(struct daemon *d)
{
        d->incidents = incidents_new(d->head.boot_id, override, d);
        return d->incidents ? store_load_open(keeper_store(d->keeper), restore, d) : -ENOMEM;
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
        if (i->returned)
                json_object_del(doc_of(i), "resolution");
        store(d, i);
        if (i->nfindings <= CASE_LISTED)
                keeper_finding(d->keeper, f->id, f->database, i->id, f->code, severity_name(severity), f->at_ns,
                               doc);
        else
                json_decref(doc);
        event(d, i, fresh ? "opened" : i->returned ? "returned" : "finding");
        log_at(severity <= SEVERITY_P1 ? LOG_ERROR_ : LOG_WARN_, "%s %s: %s%s%s (incident %s)",
               severity_name(severity), f->code, f->database ? f->database : "", f->database ? ": " : "", f->detail,
               i->id);
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

struct incident *case_raise_doubtful(struct daemon *d, const char *code, const struct guard *g, const char *detail,
                                     json_t *evidence, const char *reason)
{
        struct trust trust = {0};

        trust_lower(&trust, reason);
        return raise_as(d, code, severity_of_code(code), g, detail, evidence, NULL, &trust);
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

/* ---- ends ---- */

static void resolve(struct daemon *d, struct incident *i, const char *by)
{
        if (incident_resolve(i, by, daemon_now()) < 0)
                return;
        store(d, i);
        event(d, i, "resolved");
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
                if (incident_over(list[i], code, database))
                        case_fulfil(d, list[i], ENDS_WHEN_OVER, by, NULL);
        }
}

int case_acknowledge(struct daemon *d, const char *id, const char *by)
{
        struct incident *i = incidents_find(d->incidents, id);
        int r = i ? incident_acknowledge(i, daemon_now()) : -ENOENT;

        if (r < 0)
                return r;
        store(d, i);
        event(d, i, "acknowledged");
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

static void on_changed(void *userdata, const char *id, const char *status, int64_t at_ns)
{
        struct daemon *d = userdata;

        keeper_taken_over(d->keeper, id, status, at_ns);
        if (strcmp(status, "resolved") == 0)
                case_resolve(d, id, "shell");
        else if (strcmp(status, "acknowledged") == 0)
                case_acknowledge(d, id, "shell");
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
