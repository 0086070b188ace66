/* response_run.c - each response from its intent to its outcome; response.c says what is wanted. See response.h. */
#include "daemon/response.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/asked.h"
#include "daemon/core.h"
#include "daemon/guard.h"
#include "daemon/response_private.h"
#include "daemon/results.h"
#include "daemon/work.h"

/* How long an urgent action waits for a store that cannot be written. A copy that is made too late is worth less than an
 * intent that stands in the log. */
#define INTENT_WAIT_NS 10000000000ull

struct response {
        struct work *first;
};

int response_new(struct response **ret)
{
        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

void response_free(struct response *r)
{
        if (!r)
                return;
        while (r->first) {
                struct work *w = r->first;
                r->first = w->next;
                work_free(w);
        }
        free(r);
}

/* ---- one piece of work ---- */

static void drop(struct daemon *d, struct work *w)
{
        struct work **at = &d->response->first;

        while (*at && *at != w)
                at = &(*at)->next;
        if (*at)
                *at = w->next;
        if (w->ticket)
                keeper_forget(d->keeper, w->ticket);
        work_free(w);
}

/* @answer NULL: there is none. */
static void end_with(struct work *w, const char *outcome, json_t *doc, const json_t *answer)
{
        struct daemon *d = w->d;

        asked_over(w, answer, json_string_value(json_object_get(doc, "reason")));
        if (w->tries > 1)
                json_object_set_new(doc, "try", json_integer(w->tries));
        if (w->ticket)
                keeper_outcome(d->keeper, w->ticket, outcome, daemon_now(), json_deep_copy(doc));
        json_object_set_new(doc, "action", json_string(action_name(w->kind)));
        json_object_set_new(doc, "outcome", json_string(outcome));
        keeper_event(d->keeper, "action", w->database, daemon_now(), doc);
        drop(d, w);
}

static uint64_t device_of(const char *path)
{
        struct stat st;

        return stat(path, &st) == 0 ? (uint64_t)st.st_dev : 0;
}

static void end(struct work *w, const char *outcome, json_t *doc)
{
        end_with(w, outcome, doc, NULL);
}

/* It has been seen to write as SQLite does. */
static bool is_known(const struct daemon *d, const struct guard *g)
{
        const uint32_t seen = VIGIL_DB_WAL_SEEN | VIGIL_DB_JOURNAL_UNLINKED | VIGIL_DB_JOURNAL_TRUNCATED |
                              VIGIL_DB_JOURNAL_ZEROED;
        struct vigil_db account;

        return g->state == GUARD_WATCHED && sensor_account(d->sensor, g->id, &account) == 0 && account.flags & seen;
}

/* Its intent is safe, or has been said. */
static void start(struct work *w)
{
        struct daemon *d = w->d;
        struct guard *g = guards_by_name(d->guards, w->database);

        if (!g) {
                end(w, "failed", json_pack("{s:s}", "reason", "the database is no longer guarded"));
                return;
        }
        const char *path = guard_path(d, g);
        struct config_database policy = {.check = g->of->check, .backup = g->of->backup};
        if (w->method >= 0)
                policy.check.method = (enum config_method)w->method;
        const struct action_request r = {.kind = w->kind,
                                         .database = g->name,
                                         .path = path,
                                         .device = device_of(path),
                                         .directory = w->directory,
                                         .reason = w->reason,
                                         .verdict = w->verdict,
                                         .incident = work_first_incident(w),
                                         .damage = work_damage(w),
                                         .urgent = w->urgent,
                                         .asked = w->asked,
                                         .known_sqlite = is_known(d, g),
                                         .byte_budget = d->config->limits.evidence_bytes,
                                         .pinned_before_ns = work_oldest_open(d, g->name),
                                         .policy = &policy};
        w->started = true;
        w->begun_ns = clock_boottime_ns();
        w->started_ns = daemon_realtime(w->begun_ns);
        int e = actions_start(d->actions, &r, w);
        if (e < 0) {
                const char *why = e == -EAGAIN    ? "it has failed too often of late and rests for an hour"
                                  : e == -ENOBUFS ? "too many actions wait"
                                                  : strerror(-e);
                log_error("%s of %s is not begun: %s", action_name(w->kind), w->database, why);
                result_refused(w, why);
                end(w, "failed", json_pack("{s:s}", "reason", why));
                return;
        }
        asked_begun(w);
}

static void on_stored(void *userdata)
{
        struct work *w = userdata;

        w->stored = true;
        if (w->d->ending)
                return; /* the next start calls it interrupted */
        if (!w->started && clock_boottime_ns() >= w->not_before_ns)
                start(w);
}

char *response_directory(const struct daemon *d, enum action_kind kind, const char *database, const char *incident)
{
        char *dir = NULL;
        int n = -1;

        if (kind == ACTION_BACKUP || kind == ACTION_PRUNE)
                n = asprintf(&dir, "%s/backups/%s", d->state.path, database);
        else if (kind == ACTION_EVIDENCE && incident)
                n = asprintf(&dir, "%s/evidence/%s", d->state.path, incident);
        return n < 0 ? NULL : dir;
}

/* The same that has not begun yet will do for this incident, too. */
struct work *response_join(struct response *rs, enum action_kind kind, const char *database,
                           const struct incident *i, int method)
{
        for (struct work *w = rs->first; w; w = w->next) {
                if (w->kind != kind || w->started || w->method != method || strcmp(w->database, database) != 0)
                        continue;
                if (i && !work_is_for(w, i->id))
                        json_array_append_new(w->incidents, json_string(i->id));
                return w;
        }
        return NULL;
}

/* From now on it is on its way: its intent first. */
static bool intend(struct work *w)
{
        struct daemon *d = w->d;

        w->next = d->response->first;
        d->response->first = w;
        w->ticket = keeper_intent(d->keeper, action_name(w->kind), w->database, work_first_incident(w), w->reason,
                                  daemon_now(), on_stored, w);
        if (!w->ticket)
                drop(d, w);
        return w->ticket != NULL;
}

/* @return NULL: out of memory */
struct work *response_add(struct daemon *d, struct guard *g, enum action_kind kind, const struct incident *i,
                          const char *reason, const char *verdict, int method)
{
        struct work *w = work_new(d, kind, g->name, reason, verdict);
        if (!w)
                return NULL;
        w->method = method;
        w->urgent = i != NULL;
        w->directory = response_directory(d, kind, g->name, i ? i->id : NULL);
        if (i)
                json_array_append_new(w->incidents, json_string(i->id));
        return intend(w) ? w : NULL;
}

bool response_begin(struct daemon *d, struct guard *g, enum action_kind kind, const struct incident *i,
                    const char *reason, const char *verdict)
{
        return !response_join(d->response, kind, g->name, i, -1) &&
               response_add(d, g, kind, i, reason, verdict, -1) != NULL;
}

bool response_wants(const struct daemon *d, enum action_kind kind, const char *database, const char *incident,
                    const struct work *but)
{
        for (const struct work *w = d->response->first; w; w = w->next) {
                /* A backup checks its copy: that is the check, too. */
                bool serves = w->kind == kind || (kind == ACTION_CHECK && w->kind == ACTION_BACKUP);
                if (w != but && serves && strcmp(w->database, database) == 0 && work_is_for(w, incident))
                        return true;
        }
        return false;
}

bool response_goes_on(const struct daemon *d, enum action_kind kind, const char *database)
{
        const struct work *w = d->response->first;

        while (w && (w->kind != kind || strcmp(w->database, database) != 0))
                w = w->next;
        return w != NULL;
}

void response_left(struct daemon *d, const struct control_client *c)
{
        for (struct work *w = d->response ? d->response->first : NULL; w; w = w->next)
                asked_left(w, c);
}

void response_progress(void *userdata, void *tag, uint64_t done, uint64_t total)
{
        struct daemon *d = userdata;

        /* Looks have other tags. */
        for (struct work *w = d->response->first; w; w = w->next)
                if (w == tag)
                        asked_progress(w, done, total);
}

/* ---- what came of it ---- */

/* No helper of it gave an answer: the intent and the outcome of this try stand, and another one follows or none. */
static void failed(struct work *w, const char *failure)
{
        struct work *next = w->urgent && w->tries < WORK_TRIES ? work_again(w) : NULL;

        result_failed(w, failure, next != NULL);
        if (next)
                intend(next);
}

void response_done(struct daemon *d, const struct action_request *r, void *tag, const json_t *answer,
                   const char *failure, uint64_t ms)
{
        static bool (*const results[ACTION_KINDS])(struct work *, const json_t *, json_t *) = {
                [ACTION_CHECK] = result_check,
                [ACTION_BACKUP] = result_backup,
                [ACTION_EVIDENCE] = result_evidence,
                [ACTION_PRUNE] = result_prune,
        };
        struct work *w = tag;
        json_t *doc = json_pack("{s:I}", "ms", (json_int_t)ms);
        const char *outcome = "failed";

        if (!answer) {
                json_object_set_new(doc, "reason", json_string(failure));
                if (d->ending)
                        outcome = "interrupted";
                else
                        failed(w, failure);
        } else if (results[r->kind](w, answer, doc)) {
                outcome = "done";
        }
        end_with(w, outcome, doc, answer);
}

void response_turn(struct daemon *d)
{
        uint64_t now = clock_boottime_ns();

        for (struct work *w = d->response->first, *next; w; w = next) {
                next = w->next;
                if (w->started || now < w->not_before_ns)
                        continue;
                if (w->stored) { /* its pause is over */
                        start(w);
                } else if ((w->urgent || w->asked) && now - w->since_ns >= INTENT_WAIT_NS) {
                        log_warn("%s of %s begins because of %s: its intent stands here, the store cannot be "
                                 "written",
                                 action_name(w->kind), w->database, w->reason);
                        start(w);
                }
        }
}

json_t *response_json(const struct daemon *d)
{
        json_t *array = json_array();

        for (const struct work *w = d->response->first; w; w = w->next) {
                char at[TEXT_TIME_LEN];

                text_time(at, w->started_ns);
                json_array_append_new(array, json_pack("{s:s, s:s, s:O?, s:s, s:s?}", "kind", action_name(w->kind),
                                                       "database", w->database, "incident",
                                                       json_array_get(w->incidents, 0), "reason", w->reason,
                                                       "started_at", w->started_ns ? at : NULL));
        }
        return array;
}
