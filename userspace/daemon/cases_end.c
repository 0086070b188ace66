/* cases_end.c - what ends an incident: a proof, silence, Vigil's own work, a hand. See cases.h. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/cases.h"
#include "daemon/cases_private.h"
#include "daemon/core.h"

/* ---- ends ---- */

void case_owe(struct daemon *d, struct incident *i, enum incident_ends what)
{
        if (i->owed & 1u << what)
                return;
        incident_owe(i, what);
        case_store(d, i);
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
        case_store(d, i);
        case_event(d, i, "resolved", "", NULL);
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
        json_object_set_new(case_members(i), "resolution", evidence);
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
                case_store(d, i);
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
                        case_store(d, list[i]); /* that it is over is known after a restart, too */
        }
}

int case_acknowledge(struct daemon *d, const char *id, const char *by)
{
        struct incident *i = incidents_find(d->incidents, id);
        int r = i ? incident_acknowledge(i, daemon_now()) : -ENOENT;

        if (r < 0)
                return r;
        case_forget_acknowledged(i);
        json_object_set_new(case_members(i), "acknowledged_by", json_string(by));
        case_store(d, i);
        case_event(d, i, "acknowledged", "", NULL);
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
        case_forget_acknowledged(i);
        case_store(d, i);
        case_event(d, i, "reopened", "", NULL);
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

void cases_turn(struct daemon *d)
{
        /* Not over rows that still wait: they hold a newer status than the table. */
        struct store *s = keeper_waiting(d->keeper) ? NULL : keeper_store(d->keeper);
        if (s)
                store_poll_alerts(s, on_changed, d);
        end_quiet(d);
        forget_resolved(d);
}
