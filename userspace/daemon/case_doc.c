/* case_doc.c - see case_doc.h. */
#include "daemon/case_doc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

json_t *case_doc_databases(const struct incident *i)
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

json_t *case_doc_ends(unsigned owed)
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

json_t *case_doc_deaths(const struct incident *i)
{
        char first[TEXT_TIME_LEN], last[TEXT_TIME_LEN], program[24];

        text_time(first, i->deaths_first_ns);
        text_time(last, i->deaths_last_ns);
        snprintf(program, sizeof(program), "%016llx", (unsigned long long)i->program);
        return json_pack("{s:i, s:s, s:s, s:s}", "count", (int)i->deaths, "first_at", first, "last_at", last,
                         "program", program);
}

/* ---- read back ---- */

/* Our own word for a proof that was stored; NULL: it is none. */
static const char *proof_of(const char *by)
{
        static const char *const words[] = {"recovery", "check", "backup", "quiet", "over"};

        for (size_t i = 0; by && i < sizeof(words) / sizeof(words[0]); i++)
                if (strcmp(by, words[i]) == 0)
                        return words[i];
        return NULL;
}

/* A time as text_time() writes it; 0: it is none. */
static int64_t ns_of(const json_t *o, const char *key)
{
        const char *text = json_string_value(json_object_get(o, key));
        struct tm tm = {0};
        const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
        int64_t us = rest && *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;

        return rest && us >= 0 && us < 1000000 ? (int64_t)timegm(&tm) * 1000000000 + us * 1000 : 0;
}

/* What case_doc_deaths() has stored. */
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

/* What case_doc_databases() has stored, borrowed from @p doc. A list that is full may have been cut, and a name that is not UTF-8 is
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

/* Reasons borrowed from @p doc. */
static void restore_trust(const json_t *doc, struct trust *ret)
{
        const json_t *trust = json_object_get(doc, "trust"), *reason;
        const char *level = json_string_value(json_object_get(trust, "level"));
        size_t n;

        json_array_foreach (json_object_get(trust, "reasons"), n, reason)
                if (json_is_string(reason))
                        trust_lower(ret, json_string_value(reason));
        for (int l = TRUST_FULL; level && l <= TRUST_NONE; l++)
                if (strcmp(level, trust_level_name((enum trust_level)l)) == 0)
                        ret->level = (enum trust_level)l;
}

static size_t count_of(const json_t *doc, const char *key)
{
        json_int_t n = json_integer_value(json_object_get(doc, key));

        return n > 0 ? (size_t)n : 0;
}

static enum severity severity_of(const char *name)
{
        for (int s = SEVERITY_P0; s < SEVERITY_P3; s++)
                if (strcmp(severity_name((enum severity)s), name) == 0)
                        return (enum severity)s;
        return SEVERITY_P3;
}

static enum incident_status status_of(const char *name)
{
        return strcmp(name, "acknowledged") == 0 ? INCIDENT_ACKNOWLEDGED
               : strcmp(name, "resolved") == 0   ? INCIDENT_RESOLVED
                                                 : INCIDENT_FIRING;
}

void case_doc_read(const struct store_incident *from, struct incident *ret)
{
        *ret = (struct incident){.code = from->code,
                                 .severity = severity_of(from->severity),
                                 .status = status_of(from->status),
                                 .database = from->database,
                                 .path = from->path,
                                 .started_ns = from->started_ns,
                                 .acknowledged_ns = from->acknowledged_ns,
                                 .resolved_ns = from->resolved_ns,
                                 .resolved_by = proof_of(from->resolved_by),
                                 .owed = ends_of(json_object_get(from->doc, "ends_by")),
                                 .proven_by = proof_of(json_string_value(
                                         json_object_get(json_object_get(from->doc, "resolution"), "by")))};

        ret->nfindings = count_of(from->doc, "findings_total");
        ret->ncertificates = ret->nfindings; /* no more than these */
        restore_databases(from->doc, ret);
        restore_deaths(from->doc, ret);
        restore_trust(from->doc, &ret->trust);
        snprintf(ret->id, sizeof(ret->id), "%s", from->id);
        snprintf(ret->summary, sizeof(ret->summary), "%s", from->summary);
}
