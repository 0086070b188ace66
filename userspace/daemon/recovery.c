/* recovery.c - see recovery.h. */
#include "daemon/recovery.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/cases.h"
#include "daemon/core.h"
#include "daemon/guard.h"

/* More are left to the operator: so many open incidents want one anyway. */
#define RECOVERIES_MAX 1024

/* One database that an incident waits for. */
struct recovery {
        struct recovery *next;
        char incident[DETECT_ID_LEN];
        char *database;       /* its name under guard */
        struct vigil_db then; /* its account at the death, or at the start of this run */
        uint64_t died_ns;     /* 0: in an earlier run */
};

struct recoveries {
        struct recovery *first;
        size_t n;
};

int recoveries_new(struct recoveries **ret)
{
        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

static void recovery_free(struct recovery *r)
{
        free(r->database);
        free(r);
}

void recoveries_free(struct recoveries *rs)
{
        if (!rs)
                return;
        while (rs->first) {
                struct recovery *r = rs->first;
                rs->first = r->next;
                recovery_free(r);
        }
        free(rs);
}

/* ---- expecting ---- */

static struct recovery *find(struct recoveries *rs, const char *incident, const char *database)
{
        for (struct recovery *r = rs->first; r; r = r->next)
                if (strcmp(r->incident, incident) == 0 && strcmp(r->database, database) == 0)
                        return r;
        return NULL;
}

/* The one that is there is told anew: only what comes after the last death counts. */
static struct recovery *expect(struct daemon *d, const char *incident, const char *database)
{
        struct recoveries *rs = d->recoveries;
        struct recovery *r = find(rs, incident, database);

        if (r || rs->n == RECOVERIES_MAX)
                return r;
        r = calloc(1, sizeof(*r));
        if (!r || !(r->database = strdup(database))) {
                free(r);
                return NULL;
        }
        strncpy(r->incident, incident, sizeof(r->incident) - 1);
        r->next = rs->first;
        rs->first = r;
        rs->n++;
        return r;
}

void recovery_expect(struct daemon *d, const char *incident, const struct certificate *c)
{
        const struct guard *g = guards_by_id(d->guards, c->use->use.db);
        struct incident *i = incidents_find(d->incidents, incident);

        if (!g || !i || !c->use->db || !(i->owed & 1u << ENDS_BY_RECOVERY))
                return;
        struct recovery *r = expect(d, incident, g->name);
        if (!r)
                return;
        r->then = *c->use->db;
        r->died_ns = c->death->ns;
}

void recovery_expect_open(struct daemon *d)
{
        struct incident *const *list;
        size_t n = incidents_list(d->incidents, &list);

        for (size_t i = 0; i < n; i++) {
                const struct guard *g = guards_by_name(d->guards, list[i]->database);
                if (!g || g->state != GUARD_WATCHED || !(list[i]->owed & 1u << ENDS_BY_RECOVERY) ||
                    find(d->recoveries, list[i]->id, g->name))
                        continue;
                struct recovery *r = expect(d, list[i]->id, g->name);
                if (r && sensor_account(d->sensor, g->id, &r->then) < 0)
                        r->then = (struct vigil_db){0};
        }
}

/* ---- asking ---- */

/* What the next opener did, by the first of these that has grown since; else it was a checkpoint. */
static const struct sign {
        size_t offset; /* of a __u64 in struct vigil_db */
        const char *name;
} signs[] = {
        {offsetof(struct vigil_db, wal_recoveries), "wal-recovered"},
        {offsetof(struct vigil_db, rb_recoveries), "journal-rolled-back"},
        {offsetof(struct vigil_db, wal_commits), "committed-again"},
        {offsetof(struct vigil_db, rb_commits), "committed-again"},
};

static const char *sign_of(const struct vigil_db *then, const struct vigil_db *now)
{
        for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
                uint64_t a, b;
                memcpy(&a, (const char *)then + signs[i].offset, sizeof(a));
                memcpy(&b, (const char *)now + signs[i].offset, sizeof(b));
                if (b > a)
                        return signs[i].name;
        }
        return "checkpointed";
}

static json_t *evidence(const struct recovery *r, const char *sign, const struct vigil_db *now)
{
        char at[TEXT_TIME_LEN];

        text_time(at, daemon_now());
        return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:i}", "database", r->database, "sign", sign,
                         "seen_at", at, "wal_recoveries",
                         (json_int_t)(now->wal_recoveries - r->then.wal_recoveries), "journal_rollbacks",
                         (json_int_t)(now->rb_recoveries - r->then.rb_recoveries), "wal_commits",
                         (json_int_t)(now->wal_commits - r->then.wal_commits), "rollback_commits",
                         (json_int_t)(now->rb_commits - r->then.rb_commits), "users", (int)now->users);
}

static bool awaited(const struct recoveries *rs, const char *incident)
{
        for (const struct recovery *r = rs->first; r; r = r->next)
                if (strcmp(r->incident, incident) == 0)
                        return true;
        return false;
}

/* Returns true when it need not be waited for any longer. */
static bool over(struct daemon *d, struct recovery *r, json_t **ret_evidence)
{
        struct incident *i = incidents_find(d->incidents, r->incident);
        const struct guard *g = guards_by_name(d->guards, r->database);
        struct vigil_db now;

        if (!i || i->status == INCIDENT_RESOLVED || !g)
                return true;
        if (g->state != GUARD_WATCHED || sensor_account(d->sensor, g->id, &now) < 0)
                return false;
        if (now.id != r->then.id) { /* watched anew: another account, which begins with nothing */
                r->then = (struct vigil_db){.id = now.id};
        }
        if (model_recovered(&r->then, NULL, r->died_ns, &now, clock_boottime_ns(), NULL) != 1)
                return false;
        *ret_evidence = evidence(r, sign_of(&r->then, &now), &now);
        return true;
}

void recovery_turn(struct daemon *d)
{
        struct recoveries *rs = d->recoveries;

        for (struct recovery **at = &rs->first; *at;) {
                struct recovery *r = *at;
                json_t *proof = NULL;

                if (!over(d, r, &proof)) {
                        at = &r->next;
                        continue;
                }
                *at = r->next;
                rs->n--;
                struct incident *i = incidents_find(d->incidents, r->incident);
                if (proof && i && !awaited(rs, r->incident))
                        case_fulfil(d, i, ENDS_BY_RECOVERY, "recovery", proof);
                else
                        json_decref(proof);
                recovery_free(r);
        }
}
