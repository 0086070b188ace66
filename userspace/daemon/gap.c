/* gap.c - see gap.h. What a look shows counts only if nobody did anything to the database from before it to after it. */
#include "daemon/gap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/action.h"
#include "daemon/cases.h"
#include "daemon/core.h"
#include "daemon/deaths.h"
#include "daemon/guard.h"
#include "daemon/leftover.h"
#include "daemon/recovery.h"
#include "daemon/response.h"
#include "engine/predict.h"

/* Where somebody is always at work, what was left is long overwritten. */
#define LOOKS 5

/* One database on its way. */
struct examined {
        struct examined *next;
        char *database;
        bool looking; /* a helper is at it */
        unsigned looks;
        struct vigil_db before; /* its account when the look began */
        bool leftover_then, in_transaction_then;
        uint32_t writer_tgid; /* of the transaction of then; 0: not known */
        uint64_t writer_start_ns;
};

struct gap {
        struct examined *first;
};

int gap_new(struct gap **ret)
{
        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

static void examined_free(struct examined *x)
{
        free(x->database);
        free(x);
}

void gap_free(struct gap *g)
{
        if (!g)
                return;
        while (g->first) {
                struct examined *x = g->first;
                g->first = x->next;
                examined_free(x);
        }
        free(g);
}

static void drop(struct daemon *d, struct examined *x)
{
        struct examined **at = &d->gap->first;

        while (*at != x)
                at = &(*at)->next;
        *at = x->next;
        examined_free(x);
}

/* ---- looking ---- */

/* No further look; the check is made in any case. */
static void end(struct daemon *d, struct examined *x, struct incident *i)
{
        struct guard *g = guards_by_name(d->guards, x->database);

        if (g && !i)
                response_check(d, g, NULL, GAP_REASON);
        drop(d, x);
}

static void look(struct daemon *d, struct examined *x)
{
        struct guard *g = guards_by_name(d->guards, x->database);

        if (!g || g->state != GUARD_WATCHED || x->looks == LOOKS ||
            sensor_account(d->sensor, g->id, &x->before) < 0) {
                end(d, x, NULL);
                return;
        }
        const struct action_request r = {.kind = ACTION_LOOK,
                                         .database = g->name,
                                         .path = guard_path(d, g),
                                         .reason = GAP_REASON,
                                         .policy = g->of};
        int e = actions_start(d->actions, &r, x);
        x->looking = e == 0;
        x->looks++;
        if (e < 0) {
                log_warn("database %s: its files are not looked at after the gap: %s", g->name, strerror(-e));
                end(d, x, NULL);
        }
}

void gap_examine(struct daemon *d, struct guard *g, const struct state_database *then)
{
        struct examined *x = calloc(1, sizeof(*x));

        if (!x || !(x->database = strdup(g->name))) {
                free(x);
                return;
        }
        if (then) {
                x->leftover_then = then->leftover;
                x->in_transaction_then = then->in_transaction;
                x->writer_tgid = then->writer_pid;
                x->writer_start_ns = then->writer_start_ns;
        }
        x->next = d->gap->first;
        d->gap->first = x;
        look(d, x);
}

void gap_turn(struct daemon *d)
{
        for (struct examined *x = d->gap->first, *next; x; x = next) {
                next = x->next;
                if (!x->looking)
                        look(d, x);
        }
}

/* ---- judging ---- */

/* Somebody did something to it in between. */
static bool differs(const struct vigil_db *a, const struct vigil_db *b)
{
        return a->id != b->id || a->users != b->users || a->txn != b->txn || a->wal_frames != b->wal_frames ||
               a->wal_generations != b->wal_generations || a->wal_commits != b->wal_commits ||
               a->wal_recoveries != b->wal_recoveries || a->rb_commits != b->rb_commits ||
               a->rb_recoveries != b->rb_recoveries || a->checkpoints != b->checkpoints ||
               a->txn_db_writes != b->txn_db_writes || a->txn_journal_writes != b->txn_journal_writes;
}

struct living {
        const struct examined *x;
        uint32_t db;
        struct leftover_users users;
        bool writer_there;
};

static int on_living(const struct vigil_hdr *record, void *userdata)
{
        const struct vigil_proc *p = (const struct vigil_proc *)record;
        struct living *l = userdata;

        if (record->type != VIGIL_LIVE)
                return 0;
        for (uint32_t i = 0; i < p->nuses && i < VIGIL_USES; i++) {
                if (p->use[i].db != l->db)
                        continue;
                l->users.n++;
                l->users.locks |= p->use[i].locks | p->use[i].locks_at_end;
                if (p->id.tgid == l->x->writer_tgid && p->id.start_ns == l->x->writer_start_ns)
                        l->writer_there = true;
        }
        return 0;
}

/* An open incident tells of it already. */
static bool is_known(const struct daemon *d, const char *database)
{
        struct incident *const *list;
        size_t n = incidents_list(d->incidents, &list);

        for (size_t i = 0; i < n; i++)
                if (list[i]->status != INCIDENT_RESOLVED && list[i]->owed & 1u << ENDS_BY_RECOVERY)
                        for (size_t k = 0; k < list[i]->ndatabases; k++)
                                if (strcmp(list[i]->databases[k].name, database) == 0)
                                        return true;
        return false;
}

/* @return false: it cannot be told who has it open */
static bool ask_living(struct daemon *d, const struct examined *x, unsigned db, struct leftover_users *ret)
{
        struct living l = {.x = x, .db = db};

        if (sensor_living(d->sensor, db, on_living, &l) < 0)
                return false;
        l.users.writer_gone = x->in_transaction_then && x->writer_tgid && !l.writer_there;
        l.users.known = x->leftover_then || is_known(d, x->database);
        *ret = l.users;
        return true;
}

static struct incident *tell(struct daemon *d, struct guard *g, const struct examined *x,
                             const struct vigil_observed *o, const struct leftover_users *u, const char *what)
{
        char next[PREDICT_LEN], detail[DETECT_DETAIL_LEN];
        json_t *evidence = json_pack(
                "{s:b, s:I, s:I, s:b, s:b, s:b, s:I}", "hot_journal", (o->flags & VIGIL_OBS_JOURNAL_HOT) != 0,
                "journal_pages", (json_int_t)o->journal_pages, "wal_tail_frames", (json_int_t)o->wal_tail_frames,
                "wal_torn", (o->flags & VIGIL_OBS_WAL_TORN) != 0, "in_transaction_when_last_seen",
                x->in_transaction_then, "writer_gone", u->writer_gone, "users", (json_int_t)u->n);

        if (o->flags & VIGIL_OBS_WAL_TORN && !(o->flags & VIGIL_OBS_JOURNAL_HOT))
                snprintf(next, sizeof(next), "next open discards what stands in the WAL behind its last commit");
        else
                predict_next_open(o, next, sizeof(next));
        snprintf(detail, sizeof(detail), "%.120s; %.130s", what, next);
        struct incident *i = case_raise_doubtful(d, "transaction-cut-short", SEVERITY_P1, g, detail, evidence, NULL,
                                                 "observer-gap");
        if (!i)
                return NULL;
        response_to(d, g, i, "transaction-cut-short", SEVERITY_P1, NULL);
        recovery_expect_open(d);
        return i;
}

void gap_looked(struct daemon *d, void *tag, const json_t *answer, const char *failure)
{
        struct examined *x = tag;
        struct guard *g = guards_by_name(d->guards, x->database);
        struct leftover_users users;
        struct vigil_observed o;
        struct vigil_db now;
        const char *what;

        x->looking = false;
        if (d->ending)
                return;
        if (!g || g->state != GUARD_WATCHED || !answer || action_observed(answer, &o) < 0) {
                if (!answer)
                        log_warn("database %s: the helper that looks at its files after the gap failed: %s",
                                 x->database, failure);
                end(d, x, NULL);
                return;
        }
        /* What waits in the rings was done before this moment. */
        sensor_poll(d->sensor, 0, deaths_record, d);
        if (!ask_living(d, x, g->id, &users) || sensor_account(d->sensor, g->id, &now) < 0) {
                end(d, x, NULL);
                return;
        }
        if (differs(&x->before, &now))
                return; /* gap_turn() looks again */
        end(d, x, leftover_tells(&o, &users, &what) ? tell(d, g, x, &o, &users, what) : NULL);
}
