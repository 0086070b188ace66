/* live.c - see live.h. */
#include "daemon/live.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/attribution.h"
#include "daemon/core.h"
#include "daemon/discovery.h"
#include "daemon/evidence_room.h"
#include "daemon/guard.h"
#include "daemon/jobs.h"
#include "daemon/live_database.h"
#include "daemon/response.h"
#include "model/model.h"

/* ---- trust ---- */

/* What the counters say, by the rules that every stream is judged by, and what was too much for the memory of it. */
static json_t *trust(const struct daemon *d)
{
        struct model *m = model_new();
        struct vigil_session head = d->head;
        struct vigil_stats stats = d->stats;
        struct vigil_end end = {.status = -1};
        const struct {
                struct vigil_hdr *hdr;
                uint16_t type;
                uint32_t size;
        } records[] = {{&head.hdr, VIGIL_SESSION, sizeof(head)},
                       {&stats.hdr, VIGIL_STATS, sizeof(stats)},
                       {&end.hdr, VIGIL_END, sizeof(end)}};
        struct trust t = {.level = TRUST_NONE};
        json_t *reasons = json_array();

        for (uint32_t i = 0; m && i < sizeof(records) / sizeof(records[0]); i++) {
                *records[i].hdr = (struct vigil_hdr){.magic = VIGIL_MAGIC,
                                                     .version = VIGIL_ABI_VERSION,
                                                     .type = records[i].type,
                                                     .size = records[i].size,
                                                     .cpu = VIGIL_CPU_USER,
                                                     .seq = i,
                                                     .ns = clock_boottime_ns()};
                model_feed(m, records[i].hdr);
        }
        if (m && model_finish(m) == 0)
                t = *model_trust(m);
        model_free(m);
        if (memory_use(d->memory).dropped)
                trust_lower(&t, "records-dropped");
        for (size_t i = 0; i < t.nreasons; i++)
                json_array_append_new(reasons, json_string(t.reason[i]));
        return json_pack("{s:s, s:o}", "level", trust_level_name(t.level), "reasons", reasons);
}

/* ---- health ---- */

struct health {
        int level; /* 0 healthy, 1 degraded, 2 critical */
        json_t *reasons[3];
};

static void worse(struct health *h, int level, const char *text)
{
        if (level > h->level)
                h->level = level;
        if (!h->reasons[level])
                h->reasons[level] = json_array();
        json_array_append_new(h->reasons[level], text_json(text, strlen(text)));
}

/* The worst first. P3 is something to know, not something that is wrong now. */
static void judge_incidents(const struct daemon *d, enum severity severity, struct health *h)
{
        struct incident *const *list;
        size_t n = incidents_list(d->incidents, &list);
        char text[512];

        for (size_t i = 0; i < n; i++) {
                if (list[i]->status == INCIDENT_RESOLVED || list[i]->severity != severity)
                        continue;
                snprintf(text, sizeof(text), "%s %s%s%s: %s (%s, %s)", severity_name(list[i]->severity),
                         list[i]->code, list[i]->database ? " on " : "", list[i]->database ? list[i]->database : "",
                         list[i]->summary, list[i]->id, incident_status_name(list[i]->status));
                worse(h, severity == SEVERITY_P0 ? 2 : 1, text);
        }
}

static bool has_incident(const struct daemon *d, const char *code, const char *database)
{
        struct incident *const *list;
        size_t n = incidents_list(d->incidents, &list);

        for (size_t i = 0; i < n; i++)
                if (list[i]->status != INCIDENT_RESOLVED && !strcmp(list[i]->code, code) && list[i]->database &&
                    !strcmp(list[i]->database, database))
                        return true;
        return false;
}

static void judge_self(const struct daemon *d, struct health *h)
{
        char text[512];

        if (!d->stats.canary)
                worse(h, 2, "the canary was not seen: nothing that is said of deaths can be believed");
        if (keeper_silent_ns(d->keeper)) {
                snprintf(text, sizeof(text),
                         "the store does not answer since %u s: its disk hangs; what is seen waits in memory",
                         (unsigned)(keeper_silent_ns(d->keeper) / 1000000000));
                worse(h, 1, text);
        } else if (keeper_trouble(d->keeper)) {
                snprintf(text, sizeof(text), "the store cannot be written: %s", keeper_trouble(d->keeper));
                worse(h, 1, text);
        }
        if (keeper_set_aside(d->keeper)) {
                size_t n = keeper_set_aside(d->keeper);
                snprintf(text, sizeof(text),
                         "%zu row%s not in the store: each process that wrote %s died; %s in "
                         "%.300s/set-aside.ndjson, for "
                         "a report of the fault; remove that file when you have looked at it",
                         n, n == 1 ? " is" : "s are", n == 1 ? "it" : "one of them",
                         n == 1 ? "it stands" : "they stand", d->state.path);
                worse(h, 1, text);
        }
        if (d->reload_failed[0]) {
                snprintf(text, sizeof(text),
                         "the configuration could not be read again, and a restart would fail: %s",
                         d->reload_failed);
                worse(h, 1, text);
        }
        if (evidence_room_full(d)) {
                char used[TEXT_BYTES_LEN], budget[TEXT_BYTES_LEN];
                text_bytes(used, evidence_room_bytes(d));
                text_bytes(budget, d->config->limits.evidence_bytes);
                snprintf(text, sizeof(text),
                         "evidence takes %s of evidence-bytes, %s: raw files of further incidents may not be kept; "
                         "remove "
                         "what is no longer needed, raise evidence-bytes, or set evidence-keep",
                         used, budget);
                worse(h, 1, text);
        }
        if (discovery_left_out(d)) {
                snprintf(text, sizeof(text),
                         "%zu databases are open and not guarded: --discover takes %d at most; name them in the "
                         "configuration",
                         discovery_left_out(d), DISCOVERY_MAX);
                worse(h, 1, text);
        }
        for (size_t i = 0; i < guards_count(d->guards); i++) {
                const struct guard *g = guards_at(d->guards, i);
                if (g->state == GUARD_WATCHED || has_incident(d, "database-unwatched", g->name))
                        continue;
                snprintf(text, sizeof(text), "%s is not watched: %s", g->name, g->why);
                worse(h, 1, text);
        }
}

json_t *live_health(struct daemon *d, int *ret_exit)
{
        static const char *const names[] = {"healthy", "degraded", "critical"};
        struct health h = {0};
        json_t *reasons = json_array();

        for (enum severity s = SEVERITY_P0; s <= SEVERITY_P2; s++)
                judge_incidents(d, s, &h);
        judge_self(d, &h);
        for (int level = 2; level >= 0; level--) {
                json_array_extend(reasons, h.reasons[level]);
                json_decref(h.reasons[level]);
        }
        *ret_exit = h.level;
        return json_pack("{s:s, s:o}", "status", names[h.level], "reasons", reasons);
}

/* ---- status ---- */

json_t *live_incidents(const struct daemon *d)
{
        struct incident *const *list;
        size_t n = incidents_list(d->incidents, &list), count[SEVERITY_P3 + 1] = {0};

        for (size_t i = 0; i < n; i++)
                if (list[i]->status != INCIDENT_RESOLVED)
                        count[list[i]->severity]++;
        return json_pack("{s:I, s:I, s:I, s:I}", "P0", (json_int_t)count[0], "P1", (json_int_t)count[1], "P2",
                         (json_int_t)count[2], "P3", (json_int_t)count[3]);
}

static json_t *store_status(const struct daemon *d)
{
        const char *trouble = keeper_trouble(d->keeper);
        struct store *s = keeper_store(d->keeper);

        uint64_t silent = keeper_silent_ns(d->keeper);

        return json_pack("{s:s, s:s?, s:o, s:o, s:I, s:I, s:I}", "state", trouble ? "degraded" : "ok", "problem",
                         trouble, "silent_s",
                         silent ? json_integer((json_int_t)(silent / 1000000000)) : json_null(), "bytes",
                         s ? json_integer((json_int_t)store_bytes(s)) : json_null(), "queued",
                         (json_int_t)keeper_waiting(d->keeper), "given_up", (json_int_t)keeper_given_up(d->keeper),
                         "set_aside", (json_int_t)keeper_set_aside(d->keeper));
}

static json_t *watch_status(const struct daemon *d)
{
        const char *why = sensor_not_kept(d->sensor);

        return json_pack("{s:b, s:s?, s:b, s:s, s:s?}", "survives_restart", !why, "why", why, "taken_over",
                         d->taken, "attribution", attribution_state(d), "attribution_why_not",
                         attribution_why_not(d));
}

static json_t *evidence_status(const struct daemon *d)
{
        return json_pack("{s:I, s:I, s:b}", "bytes", (json_int_t)evidence_room_bytes(d), "limit",
                         (json_int_t)d->config->limits.evidence_bytes, "full", evidence_room_full(d));
}

json_t *live_status(struct daemon *d)
{
        char started[TEXT_TIME_LEN];
        int exit;

        text_time(started, d->started_ns);
        return json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I}",
                         "schema", "vigil.status/1", "vigil", VIGIL_VERSION, "pid", (int)getpid(), "started_at",
                         started, "boot_id", d->head.boot_id, "tier", d->head.tier, "watch", watch_status(d),
                         "health", live_health(d, &exit), "trust", trust(d), "store", store_status(d), "evidence",
                         evidence_status(d), "databases", live_databases(d), "incidents", live_incidents(d),
                         "actions", response_json(d), "jobs", jobs_status(d), "memory_bytes",
                         (json_int_t)memory_use(d->memory).bytes, "certificates_left_out",
                         (json_int_t)d->uneventful.left_out);
}
