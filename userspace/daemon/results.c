/* results.c - see results.h. What a helper says is believed field by field: a field of the wrong kind is one that is missing. */
#include "daemon/results.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/cases.h"
#include "daemon/core.h"
#include "daemon/due.h"
#include "daemon/evidence_room.h"
#include "daemon/guard.h"
#include "daemon/response.h"
#include "detect/detect.h"

/* ---- reading ---- */

static const char *text(const json_t *o, const char *key)
{
        return json_string_value(json_object_get(o, key));
}

static struct guard *guard_of(const struct work *w)
{
        return guards_by_name(w->d->guards, w->database);
}

/* Every incident that waited for it is told. */
static void tell(const struct work *w, const char *key, const json_t *value)
{
        json_t *id;
        size_t i;

        json_array_foreach (w->incidents, i, id)
                case_set(w->d, json_string_value(id), key, json_deep_copy(value));
}

/* Whether what it found counts for the incident: for those that waited for it, and for those whose newest finding it began after.
 * Not where another one is on its way that was wanted later. */
static bool counts_for(const struct work *w, enum action_kind kind, const struct incident *i)
{
        if (i->status == INCIDENT_RESOLVED || response_wants(w->d, kind, w->database, i->id, w))
                return false;
        return work_is_for(w, i->id) || i->last_ns <= w->begun_ns;
}

/* What ends by such a thing is nearer to its end, on this database. */
static void fulfil(const struct work *w, enum incident_ends what, enum action_kind kind, const char *by)
{
        struct incident *const *list;
        size_t n = incidents_list(w->d->incidents, &list);

        for (size_t i = 0; i < n; i++)
                if (list[i]->database && strcmp(list[i]->database, w->database) == 0 &&
                    counts_for(w, kind, list[i]))
                        case_fulfil(w->d, list[i], what, by, json_pack("{s:s}", "database", w->database));
}

/* What was wanted once more since the action began, it has not seen. Times of the Contract sort as text. */
static bool is_wanted_anew(const struct work *w, enum action_kind kind, const struct incident *i)
{
        const char *since = due_since(i, kind, w->database);
        char begun[TEXT_TIME_LEN];

        text_time(begun, daemon_realtime(w->begun_ns));
        return since && strcmp(since, begun) > 0;
}

/* The debt of those that waited for it is paid by whatever answer; that of others only by a good one. */
static void settle(const struct work *w, enum action_kind kind, bool good)
{
        struct incident *const *list;
        size_t n = incidents_list(w->d->incidents, &list);

        for (size_t i = 0; i < n; i++)
                if ((good || work_is_for(w, list[i]->id)) && counts_for(w, kind, list[i]) &&
                    !is_wanted_anew(w, kind, list[i]))
                        due_done(w->d, list[i], kind, w->database);
}

/* ---- no answer ---- */

static void failed(struct work *w, struct guard *g, const char *why, const char *last_good)
{
        char detail[256];

        snprintf(detail, sizeof(detail), "no backup could be made: %s%s", why,
                 last_good ? "; the last verified copy is kept" : "");
        case_raise_in(w->d, "backup-failed", g, detail,
                      json_pack("{s:s, s:s?}", "reason", why, "last_good", last_good), work_first_incident(w));
}

/* What is found is of the database as it was when the action began. */
static void date(json_t *found, int64_t at_ns)
{
        char at[TEXT_TIME_LEN];

        text_time(at, at_ns);
        json_object_set_new(found, "at", json_string(at));
}

static void tell_unchecked(const struct work *w, const char *why)
{
        json_t *none = json_pack("{s:s, s:s, s:s, s:[], s:s}", "result", "failed", "method", "none", "on", "none",
                                 "errors", "reason", why);

        date(none, daemon_now());
        tell(w, "integrity", none);
        json_decref(none);
}

/* No backup for now, but its check can be made without it. */
static void check_instead(const struct work *w, struct guard *g)
{
        json_t *id;
        size_t i;

        json_array_foreach (w->incidents, i, id) {
                struct incident *of = incidents_find(w->d->incidents, json_string_value(id));
                if (of && due_has(of, ACTION_CHECK, w->database))
                        response_check(w->d, g, of, w->reason);
        }
}

/* There is one after all. */
static void take_back_skipped(const struct work *w)
{
        json_t *id;
        size_t i;

        json_array_foreach (w->incidents, i, id) {
                struct incident *of = incidents_find(w->d->incidents, json_string_value(id));
                if (of && json_object_get(of->tag, "backup_skipped"))
                        case_set(w->d, of->id, "backup_skipped", json_null());
        }
}

static void no_backup(struct work *w, struct guard *g, const char *why)
{
        json_t *reason = json_string(why);

        tell(w, "backup_skipped", reason);
        json_decref(reason);
        check_instead(w, g);
}

void result_refused(struct work *w, const char *why)
{
        struct guard *g = guard_of(w);

        if (!g || !work_first_incident(w))
                return;
        if (w->kind == ACTION_CHECK)
                tell_unchecked(w, why);
        else if (w->kind == ACTION_BACKUP)
                no_backup(w, g, why);
}

void result_failed(struct work *w, const char *failure, bool again)
{
        struct guard *g = guard_of(w);
        const char *what = action_name(w->kind);
        char detail[256], tried[48] = "";

        if (!g)
                return;
        if (w->tries > 1)
                snprintf(tried, sizeof(tried), " (%u times by now)", w->tries);
        snprintf(detail, sizeof(detail), "the helper for %s failed%s: %s; %s", what, tried, failure,
                 again ? "it is tried again" : "nothing was done");
        case_raise_in(w->d, "worker-failed", g, detail,
                      json_pack("{s:s, s:s, s:s, s:i, s:b}", "action", what, "failure", failure, "reason",
                                w->reason, "try", (int)w->tries, "again", again),
                      work_first_incident(w));
        if (again)
                return;
        if (w->kind == ACTION_CHECK)
                tell_unchecked(w, failure);
        if (w->kind == ACTION_BACKUP) {
                failed(w, g, failure, NULL);
                no_backup(w, g, failure);
        }
}

/* ---- check ---- */

/* The trace outranks the check. Said once: a further good check proves no more. */
static void suspect(const struct work *w, struct guard *g)
{
        static const char code[] = "silent-loss-suspected";
        const char *id = work_first_incident(w);
        struct incident *i = id ? incidents_find(w->d->incidents, id) : NULL;

        if (i && detect_tells_of_loss(i->code) && !incident_tells(i, code, g->name))
                case_raise_in(
                        w->d, code, g,
                        "the check found no damage, but the trace shows that written data may be lost: the check "
                        "proves nothing",
                        json_pack("{s:[s]}", "because", i->code), id);
}

static void damaged(struct work *w, struct guard *g, const json_t *answer)
{
        bool kept = w->kind == ACTION_BACKUP; /* it has kept the raw files as evidence */
        const json_t *errors = json_object_get(answer, "errors");
        const char *method = text(answer, "method");
        const struct incident *known = kept && work_first_incident(w)
                                               ? incidents_find(w->d->incidents, work_first_incident(w))
                                               : NULL;
        size_t n = json_array_size(errors);
        char detail[160];

        if (known && strcmp(known->code, "integrity-failed") == 0)
                return; /* it was begun because of that */
        snprintf(detail, sizeof(detail), "%s found damage: %zu error%s", method ? method : "the check", n,
                 n == 1 ? "" : "s");
        struct incident *i = case_raise_in(w->d, "integrity-failed", g, detail,
                                           json_pack("{s:s?, s:I, s:O?}", "method", method, "errors", (json_int_t)n,
                                                     "first", json_array_get(errors, 0)),
                                           work_first_incident(w));
        if (i && !work_first_incident(w)) /* it came of this check */
                json_array_append_new(w->incidents, json_string(i->id));
        if (i && !kept)
                response_to(w->d, g, i, "integrity-failed", SEVERITY_P0, NULL);
}

/* A backup has found the database corrupt, and has kept its files, before there was anything to check. */
static void unreadable(const struct work *w, struct guard *g, const char *reason)
{
        char detail[256];

        snprintf(detail, sizeof(detail), "the database is corrupt: %s", reason);
        case_raise_in(w->d, "integrity-failed", g, detail,
                      json_pack("{s:s, s:i, s:n}", "method", "none", "errors", 0, "first"), work_first_incident(w));
}

static void take_check(struct work *w, struct guard *g, json_t *check)
{
        const char *result = text(check, "result");

        int64_t begun = daemon_realtime(w->begun_ns);

        date(check, begun);
        if (strcmp(result, "corrupt") == 0)
                damaged(w, g, check);
        keeper_check(w->d->keeper, g->name, work_first_incident(w), w->reason, begun, json_deep_copy(check));
        tell(w, "integrity", check);
        g->checked_ns = begun;
        g->check_ended_ns = daemon_now();
        snprintf(g->check_result, sizeof(g->check_result), "%s", result);
        bool good = strcmp(result, "ok") == 0;
        settle(w, ACTION_CHECK, good);
        if (good) {
                fulfil(w, ENDS_BY_CHECK, ACTION_CHECK, "check");
                suspect(w, g);
        }
}

bool result_check(struct work *w, const json_t *answer, json_t *doc)
{
        const char *result = text(answer, "result");
        struct guard *g = guard_of(w);

        if (!result || !g) {
                json_object_set_new(doc, "reason",
                                    json_string(g ? "the answer has no result" : "no longer guarded"));
                return false;
        }
        json_object_set_new(doc, "result", json_string(result));
        json_t *check = json_copy((json_t *)answer);
        take_check(w, g, check);
        json_decref(check);
        return strcmp(result, "ok") == 0 || strcmp(result, "corrupt") == 0;
}

/* ---- backup ---- */

bool result_backup(struct work *w, const json_t *answer, json_t *doc)
{
        json_t *entry = json_object_get(answer, "entry"), *backup = json_object_get(answer, "backup"),
               *check = json_object_get(answer, "check");
        const char *reason = text(backup, "reason"), *id = work_first_incident(w);
        struct guard *g = guard_of(w);
        bool good = json_is_object(entry) && json_is_true(json_object_get(entry, "verified"));
        /* The raw files of a corrupt source: no backup, and no failure of one either. */
        bool evidence = text(backup, "class") && strcmp(text(backup, "class"), "evidence") == 0;

        if (!g) {
                json_object_set_new(doc, "reason", json_string("the database is no longer guarded"));
                return false;
        }
        if (json_is_object(entry)) {
                keeper_backup(w->d->keeper, g->name, id, json_deep_copy(entry));
                if (!evidence)
                        tell(w, "backup", entry);
                json_object_set(doc, "backup", json_object_get(entry, "id"));
        }
        if (evidence && !work_damage(w) &&
            !(text(check, "result") && strcmp(text(check, "result"), "corrupt") == 0))
                unreadable(w, g, reason ? reason : "its files are kept as evidence");
        if (json_is_object(check))
                take_check(w, g, check);
        else if (id)
                check_instead(w, g);
        else
                response_check(w->d, g, NULL, w->reason);
        settle(w, ACTION_BACKUP, good);
        if (good) {
                g->backup_ns = daemon_now();
                snprintf(g->backup_id, sizeof(g->backup_id), "%s", text(entry, "id") ? text(entry, "id") : "");
                g->told_stale = false;
                take_back_skipped(w);
                fulfil(w, ENDS_BY_BACKUP, ACTION_BACKUP, "backup");
                if (json_integer_value(json_object_get(answer, "beyond")) > 0)
                        response_prune(w->d, g);
                return true;
        }
        json_object_set_new(doc, "reason", json_string(reason ? reason : "it is not verified"));
        if (evidence)
                return true;
        failed(w, g, reason ? reason : "the copy could not be verified", text(backup, "last_good"));
        return false;
}

/* ---- evidence and retention ---- */

bool result_evidence(struct work *w, const json_t *answer, json_t *doc)
{
        const char *reason = text(answer, "reason");
        json_t *o = reason ? json_string(reason) : json_string(w->directory);

        tell(w, reason ? "evidence_skipped" : "evidence", o);
        json_decref(o);
        if (reason)
                log_error("evidence: the files of %s are not kept: %s", w->database, reason);
        json_object_set_new(doc, "result", json_deep_copy(answer));
        evidence_room_look(w->d);
        return !reason;
}

bool result_prune(struct work *w, const json_t *answer, json_t *doc)
{
        const json_t *prune = json_object_get(answer, "prune"), *removed = json_object_get(prune, "removed");
        const char *reason = text(answer, "reason");
        struct guard *g = guard_of(w);
        json_t *entry;
        size_t i;

        json_array_foreach (removed, i, entry)
                keeper_backup_removed(w->d->keeper, w->database, text(entry, "id"), daemon_now());
        if (g)
                g->policy.bytes = (uint64_t)json_integer_value(json_object_get(prune, "pinned_bytes"));
        if (reason)
                log_error("backup: old copies of %s are not removed: %s", w->database, reason);
        json_object_set_new(doc, "removed", json_integer((json_int_t)json_array_size(removed)));
        json_object_set(doc, "removed_bytes", json_object_get(prune, "removed_bytes"));
        json_object_set(doc, "kept_bytes", json_object_get(prune, "kept_bytes"));
        return !reason;
}
