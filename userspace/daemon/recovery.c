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
#include "daemon/readers.h"

#define NS_PER_S 1000000000ull

/* The living are asked so often, and must have been seen at rest for so long: an opener that has to recover does so at once. */
#define READERS_EVERY_NS (5 * NS_PER_S)
#define READER_RESTS_NS  (1 * NS_PER_S)

/* More are left to the operator: so many open incidents want one anyway. */
#define RECOVERIES_MAX 1024

/* Members of a stored incident: the databases whose recovery it waits for, and who has opened one of them since and could recover
 * nothing. */
#define AWAITED   "awaits_recovery"
#define READ_ONLY "read_only_since"

/* One database that an incident waits for. */
struct recovery {
        struct recovery *next;
        char incident[DETECT_ID_LEN];
        char *database;       /* its name under guard */
        struct vigil_db then; /* its account at the death, or at the start of this run */
        uint64_t died_ns;     /* 0: in an earlier run */
        uint64_t since_ns;    /* CLOCK_BOOTTIME: who opens it later has found what was left */
        /* Somebody who did, and recovered nothing; or who had it open at the death and was the last to close it. */
        struct vigil_ident reader; /* tgid 0: nobody yet */
        uint32_t reader_flags;     /* enum vigil_use_flag */
        struct vigil_ident unable; /* the last one that could have recovered nothing: it is not looked at again */
        bool was_open;             /* the latter */
        uint64_t reader_ns;        /* when it was seen first */
        bool looking;              /* a helper looks at what the files say of it */
};

/* One look of a helper. The recovery that it is for may be gone when it comes back. */
struct look {
        char incident[DETECT_ID_LEN];
        char *database;
};

struct recoveries {
        struct recovery *first;
        size_t n;
        uint64_t asked_ns; /* when the living were asked last */
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

static bool awaited(const struct recoveries *rs, const char *incident)
{
        for (const struct recovery *r = rs->first; r; r = r->next)
                if (strcmp(r->incident, incident) == 0)
                        return true;
        return false;
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

static bool lists(const json_t *names, const char *name)
{
        const json_t *one;
        size_t n;

        json_array_foreach (names, n, one)
                if (json_is_string(one) && strcmp(json_string_value(one), name) == 0)
                        return true;
        return false;
}

/* Stored with the incident: after a restart it is known which of its databases have been recovered before. */
static void note_awaited(struct daemon *d, const char *incident)
{
        const struct incident *i = incidents_find(d->incidents, incident);
        json_t *names = json_array();

        for (const struct recovery *r = d->recoveries->first; r; r = r->next)
                if (strcmp(r->incident, incident) == 0)
                        json_array_append_new(names, text_json(r->database, strlen(r->database)));
        if (i && !json_equal(case_get(i, AWAITED), names))
                case_set(d, incident, AWAITED, names);
        else
                json_decref(names);
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
        r->died_ns = r->since_ns = c->death->ns;
        r->reader = r->unable = (struct vigil_ident){0};
        note_awaited(d, incident);
        if (case_get(i, READ_ONLY)) /* that was before this death */
                case_set(d, incident, READ_ONLY, json_null());
}

/* Only from now on: what was done about it before, nobody saw. */
static void expect_from_now(struct daemon *d, const char *incident, const char *database)
{
        const struct guard *g = guards_by_name(d->guards, database);
        struct recovery *r;

        if (!g || !(r = expect(d, incident, database)))
                return;
        r->since_ns = clock_boottime_ns();
        /* One that is not watched yet will have an account that begins with nothing. */
        if (g->state != GUARD_WATCHED || sensor_account(d->sensor, g->id, &r->then) < 0)
                r->then = (struct vigil_db){0};
}

void recovery_expect_open(struct daemon *d)
{
        struct incident *const *list;
        size_t n = incidents_list(d->incidents, &list);

        for (size_t i = 0; i < n; i++) {
                /* Of those that this run waits for already, some of the databases may have been recovered. */
                if (list[i]->status == INCIDENT_RESOLVED || !(list[i]->owed & 1u << ENDS_BY_RECOVERY) ||
                    awaited(d->recoveries, list[i]->id))
                        continue;
                /* Where nothing is listed an earlier version has stored it, or its end was not stored any more. */
                const json_t *names = case_get(list[i], AWAITED);
                for (size_t k = 0; k < list[i]->ndatabases; k++)
                        if (!json_array_size(names) || lists(names, list[i]->databases[k].name))
                                expect_from_now(d, list[i]->id, list[i]->databases[k].name);
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

static json_t *reader_json(const struct vigil_ident *id)
{
        return json_pack("{s:I, s:I, s:o}", "pid", (json_int_t)id->tgid, "start_ns", (json_int_t)id->start_ns,
                         "comm", text_json(id->comm, strnlen(id->comm, VIGIL_COMM_LEN)));
}

/* Who opened it and found nothing to do, or closed it and left nothing. */
static json_t *reader_evidence(const struct recovery *r, const struct vigil_db *now)
{
        json_t *o = evidence(r, r->was_open ? "closed-with-nothing-left" : "opened-without-recovery", now);

        json_object_set_new(o, "process", reader_json(&r->reader));
        return o;
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

/* It need not be waited for any longer. */
static void done(struct daemon *d, struct recovery *r, json_t *proof)
{
        struct recoveries *rs = d->recoveries;
        struct recovery **at = &rs->first;

        while (*at != r)
                at = &(*at)->next;
        *at = r->next;
        rs->n--;
        note_awaited(d, r->incident);
        struct incident *i = incidents_find(d->incidents, r->incident);
        if (proof && i && !awaited(rs, r->incident))
                case_fulfil(d, i, ENDS_BY_RECOVERY, "recovery", proof);
        else
                json_decref(proof);
        recovery_free(r);
}

/* ---- who opens it and recovers nothing ---- */

/* Told once: it does not end the incident, and the next one like it says no more. */
static void note_read_only(struct daemon *d, const struct recovery *r, const struct vigil_ident *reader)
{
        const struct incident *i = incidents_find(d->incidents, r->incident);
        char at[TEXT_TIME_LEN];

        if (!i || json_is_object(case_get(i, READ_ONLY)))
                return;
        text_time(at, daemon_now());
        case_set(d, r->incident, READ_ONLY,
                 json_pack("{s:s, s:s, s:o}", "database", r->database, "seen_at", at, "process",
                           reader_json(reader)));
}

static void look(struct daemon *d, struct recovery *r)
{
        const struct guard *g = guards_by_name(d->guards, r->database);
        struct look *tag = g ? calloc(1, sizeof(*tag)) : NULL;

        if (!tag || !(tag->database = strdup(r->database))) {
                free(tag);
                return;
        }
        memcpy(tag->incident, r->incident, sizeof(tag->incident));
        const struct action_request q = {.kind = ACTION_LOOK,
                                         .database = g->name,
                                         .path = guard_path(d, g),
                                         .reason = RECOVERY_REASON,
                                         .policy = g->of};
        r->looking = actions_start(d->actions, &q, tag) == 0;
        if (!r->looking) {
                free(tag->database);
                free(tag);
        }
}

/* Whether the files and the account say of the database of @p r that nothing is left of the death. */
static bool nothing_left(struct daemon *d, const struct recovery *r, const struct vigil_observed *o,
                         struct vigil_db *ret_now)
{
        const struct guard *g = guards_by_name(d->guards, r->database);

        return g && g->state == GUARD_WATCHED && (r->was_open ? closer_is_confirmed(o) : reader_is_confirmed(o)) &&
               sensor_account(d->sensor, g->id, ret_now) == 0 && ret_now->id == r->then.id &&
               !reader_is_refuted(&r->then, ret_now);
}

void recovery_looked(struct daemon *d, void *tag, const json_t *answer)
{
        struct look *l = tag;
        struct recovery *r = d->ending ? NULL : find(d->recoveries, l->incident, l->database);
        struct vigil_observed o;
        struct vigil_db now;

        free(l->database);
        free(l);
        if (!r)
                return;
        r->looking = false;
        /* What it did recover is the better proof. */
        json_t *recovered = NULL;
        if (over(d, r, &recovered)) {
                done(d, r, recovered);
                return;
        }
        bool seen = r->reader.tgid && answer && action_observed(answer, &o) == 0;
        bool could = seen && (r->was_open || reader_could_recover(r->reader_flags, &o));
        if (seen && !could) {
                note_read_only(d, r, &r->reader);
                r->unable = r->reader;
        }
        if (could && nothing_left(d, r, &o, &now))
                done(d, r, reader_evidence(r, &now));
        else
                r->reader = (struct vigil_ident){0}; /* the next one may prove more */
}

static bool is_of(const struct daemon *d, const struct recovery *r, uint32_t db)
{
        const struct guard *g = guards_by_name(d->guards, r->database);

        return g && g->state == GUARD_WATCHED && g->id == db;
}

/* Who had it open at the death, and was the last to close it since. */
static bool closed_last(struct daemon *d, const struct recovery *r, const struct certificate *c)
{
        struct vigil_db now;

        return c->death->ns > r->since_ns && sensor_account(d->sensor, c->use->use.db, &now) == 0 &&
               closer_counts(&c->use->use, &now);
}

static bool same_process(const struct vigil_ident *a, const struct vigil_ident *b)
{
        return a->tgid == b->tgid && a->start_ns == b->start_ns;
}

/* Who may write neither the main file nor a -shm proves nothing, whatever the files are: no helper has to look for his sake, and he
 * keeps nobody else from being looked at. */
static bool may_prove(struct daemon *d, const struct recovery *r, const struct vigil_ident *id,
                      const struct vigil_use *u)
{
        if (u->flags & (VIGIL_USE_MAIN_WRITABLE | VIGIL_USE_SHM_WRITABLE))
                return !same_process(&r->unable, id);
        note_read_only(d, r, id);
        return false;
}

void recovery_closed(struct daemon *d, const struct certificate *c)
{
        const struct vigil_use *u = &c->use->use;

        if (c->verdict != VERDICT_CLEAN)
                return;
        for (struct recovery *r = d->recoveries->first; r; r = r->next) {
                if (r->looking || !is_of(d, r, u->db))
                        continue;
                r->was_open = !reader_counts(u, r->since_ns);
                if (r->was_open ? !closed_last(d, r, c) : !may_prove(d, r, &c->death->id, u))
                        continue;
                r->reader = c->death->id;
                r->reader_flags = u->flags;
                look(d, r);
        }
}

static int on_living(const struct vigil_hdr *record, void *userdata)
{
        const struct vigil_proc *p = (const struct vigil_proc *)record;
        struct daemon *d = userdata;
        uint64_t now = clock_boottime_ns();

        for (uint32_t i = 0; record->type == VIGIL_LIVE && i < p->nuses && i < VIGIL_USES; i++) {
                for (struct recovery *r = d->recoveries->first; r; r = r->next) {
                        if (r->looking || !is_of(d, r, p->use[i].db) || !reader_counts(&p->use[i], r->since_ns) ||
                            !may_prove(d, r, &p->id, &p->use[i]))
                                continue;
                        bool same = same_process(&r->reader, &p->id);
                        bool gone = now - r->reader_ns > 2 * READERS_EVERY_NS; /* that one was not seen again */
                        if (!same && (!r->reader.tgid || gone)) {
                                r->reader = p->id;
                                r->was_open = false;
                                r->reader_ns = now;
                        } else if (same && now - r->reader_ns >= READER_RESTS_NS) {
                                r->reader_flags = p->use[i].flags;
                                look(d, r);
                        }
                }
        }
        return 0;
}

static void ask_living(struct daemon *d)
{
        struct recoveries *rs = d->recoveries;
        uint64_t now = clock_boottime_ns();

        if (!rs->first || now - rs->asked_ns < READERS_EVERY_NS)
                return;
        rs->asked_ns = now;
        sensor_living(d->sensor, 0, on_living, d);
}

void recovery_turn(struct daemon *d)
{
        for (struct recovery *r = d->recoveries->first, *next; r; r = next) {
                json_t *proof = NULL;

                next = r->next;
                if (over(d, r, &proof))
                        done(d, r, proof);
        }
        ask_living(d);
}
