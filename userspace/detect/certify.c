/* certify.c - fills a certificate: verdict, debts, what is left behind, what comes next. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "detect/detect_private.h"

void certificate_reason(struct certificate *c, const char *reason)
{
        for (size_t i = 0; i < c->nreasons; i++)
                if (strcmp(c->reason[i], reason) == 0)
                        return;
        if (c->nreasons < DETECT_REASONS)
                c->reason[c->nreasons++] = reason;
}

/* ---- debts --------------------------------------------------------------------------------------------------------- */

static void add_risks(struct certificate *c, const struct vigil_db *db)
{
        struct debts d;
        debts_of(db, &d);
        memcpy(c->risk, d.risk, sizeof(c->risk));
        c->directory_entries_at_risk = d.directory_entries;
        c->commits_at_risk = d.commits;
        c->tainted = d.tainted;
        for (unsigned role = 0; role < VIGIL_ROLES; role++) {
                if (!d.risk[role].bytes || d.risk[role].volatile_fs)
                        continue;
                certificate_reason(c, "bytes-at-risk");
                if (d.lower_bound)
                        trust_lower(&c->trust, "seen-late");
        }
}

/* ---- what is left, and what comes next ----------------------------------------------------------------------------- */

static uint64_t size_now(const struct vigil_ledger *l)
{
        return l->flags & VIGIL_LEDGER_SIZED && !(l->flags & VIGIL_LEDGER_UNLINKED) ? l->size : 0;
}

static bool looked(const struct model_use *u)
{
        return u->observed && !u->observed->error && u->observed->flags & VIGIL_OBS_MAIN;
}

/* What inspect() would have seen at the instant of the death, as far as the kernel's account tells. */
static struct vigil_observed from_account(const struct vigil_db *db)
{
        const struct vigil_ledger *wal = &db->file[VIGIL_ROLE_WAL], *journal = &db->file[VIGIL_ROLE_JOURNAL];
        struct vigil_observed o = {
                .page_size = db->page_size,
                .main_bytes = size_now(&db->file[VIGIL_ROLE_MAIN]),
                .wal_bytes = size_now(wal),
                .journal_bytes = size_now(journal),
                .journal_pages = PREDICT_PAGES_UNKNOWN, /* its length counts the padding of each sync, too */
                .flags = VIGIL_OBS_MAIN | VIGIL_OBS_SQLITE,
        };
        if (o.main_bytes == 0)
                o.flags = VIGIL_OBS_MAIN | VIGIL_OBS_EMPTY;
        if (db->flags & VIGIL_DB_WAL_SEEN)
                o.flags |= VIGIL_OBS_WAL_MODE;
        if (o.wal_bytes)
                o.flags |= VIGIL_OBS_WAL | (o.wal_bytes > 32 ? VIGIL_OBS_WAL_HEADER : 0);
        if (o.wal_bytes && db->wal_frames) {
                o.wal_frames = db->wal_frames;
                o.wal_tail_frames = db->wal_frames_open;
                o.wal_commit_end = db->wal_commit_end;
                /* Commits are counted over all generations: of this one it is known that there is one, or none. */
                o.wal_commits = db->wal_commit_end > 32;
                o.flags |= o.wal_commits ? VIGIL_OBS_WAL_CUT : 0;
        }
        if (o.journal_bytes)
                o.flags |= VIGIL_OBS_JOURNAL;
        if (o.journal_bytes && db->journal_hot)
                o.flags |= VIGIL_OBS_JOURNAL_HOT;
        return o;
}

/* The main file is not the one that its WAL or journal was written for, as far as is known. */
static bool is_mismatched(const struct model *m, const struct certificate *c, const struct model_use *u,
                          const struct vigil_observed *o)
{
        if (!o->wal_commits && !(o->flags & VIGIL_OBS_JOURNAL_HOT))
                return false;
        return u->use.flags & VIGIL_USE_UNLOCKED || main_was_taken(m, u->use.db, c->death->ns);
}

static bool is_same_main(const struct vigil_db *a, const struct vigil_db *b)
{
        const struct vigil_ledger *x = &a->file[VIGIL_ROLE_MAIN], *y = &b->file[VIGIL_ROLE_MAIN];
        return a->flags & b->flags & VIGIL_DB_SHARED_MAIN && x->ino == y->ino && x->dev == y->dev;
}

/* @other left something beside the file of @u, under another name. */
static bool left_elsewhere(const struct model_use *u, const struct model_use *other)
{
        if (other->use.db == u->use.db)
                return by_second_name(other) && locks_of(other);
        return u->db && other->db && is_same_main(u->db, other->db) &&
               (other->db->journal_hot || other->db->wal_frames ||
                (other->db->txn && other->use.flags & VIGIL_USE_TXN_OWNER));
}

/* Somebody who had opened the file by another name died and left a journal or WAL of that name: this death, or one before. */
static bool left_by_other_name(const struct model *m, const struct certificate *c, const struct model_use *u)
{
        if (by_second_name(u) && (c->locks || c->connection_open))
                return true;
        for (size_t i = 0; i < model_n_deaths(m); i++) {
                const struct model_death *d = model_death(m, i);
                for (uint32_t k = 0; d->ns < c->death->ns && k < d->nuses; k++)
                        if (left_elsewhere(u, &d->use[k]))
                                return true;
        }
        return false;
}

static bool leaves_something(const struct vigil_observed *o)
{
        return o->flags & VIGIL_OBS_JOURNAL_HOT || o->wal_commits || o->wal_tail_frames;
}

static void predict(struct certificate *c, const struct model *m, const struct model_use *u)
{
        char text[PREDICT_LEN];
        if (!looked(u) && !(u->db && u->db->file[VIGIL_ROLE_MAIN].flags & VIGIL_LEDGER_SIZED))
                return;
        if (!looked(u) && u->db->flags & VIGIL_DB_SEEN_LATE) {
                snprintf(c->prediction, sizeof(c->prediction),
                         "unknown: nobody looked at the files after the death, and what they held before the watch "
                         "was not seen");
                return;
        }
        if (left_by_other_name(m, c, u)) {
                snprintf(c->prediction, sizeof(c->prediction),
                         "unknown: the file was opened by another name too; a journal or WAL of that name is found "
                         "only by that name, and an open by this one goes without it");
                return;
        }
        struct vigil_observed guess;
        const struct vigil_observed *o = u->observed;
        if (!looked(u)) {
                guess = from_account(u->db);
                o = &guess;
        }
        if (is_mismatched(m, c, u, o)) {
                snprintf(c->prediction, sizeof(c->prediction),
                         "unknown: the main file was written without SQLite's locks; what stands beside it may not "
                         "belong to it");
                return;
        }
        if (predict_next_open(o, text, sizeof(text)) < 0)
                return;
        /* It has been opened since: whether a recovery found all of it nobody saw. */
        char *promise = u->late && !looked(u) ? strstr(text, "; no committed") : NULL;
        if (promise && o->wal_commits)
                *promise = '\0';
        /* predict_next_open() supposes that nobody has the files open. */
        bool shared = u->db && u->db->flags & VIGIL_DB_SHARED_MAIN && leaves_something(o);
        snprintf(c->prediction, sizeof(c->prediction), "%s%s%s",
                 u->others ? "others still have it open; when all have died: " : "", text,
                 shared ? "; an open by another name of the file goes without it" : "");
}

/* Where a file was taken the rest looks sound: only the trace knows what was in it. */
static void predict_taken(struct certificate *c, const struct model_taking *t)
{
        const char *next =
                "unknown: the database file was removed, renamed or replaced; what stands beside it may not "
                "belong to it";
        if (t->taken & VIGIL_TAKEN_LOST)
                next = "no open will ever find its last commits: they are in a WAL that has no name";
        else if (t->role == VIGIL_ROLE_WAL)
                next = "the next open does not find the commits that were in the WAL";
        else if (t->role == VIGIL_ROLE_JOURNAL)
                next = "the next open cannot undo the half-written transaction: its journal was taken away";
        else if (t->op != VIGIL_OP_UNLINK && t->op != VIGIL_OP_RENAME)
                next = "the next open finds what was put into the emptied file, and nothing of what was there";
        snprintf(c->prediction, sizeof(c->prediction), "%s", next);
}

static void reason_taken(struct certificate *c, const struct model_taking *t)
{
        c->verdict = VERDICT_UNCLEAN;
        if (t->taken & VIGIL_TAKEN_LOST)
                certificate_reason(c, "commits-unreachable");
        else if (t->role == VIGIL_ROLE_WAL)
                certificate_reason(c, "wal-taken");
        else if (t->role == VIGIL_ROLE_JOURNAL)
                certificate_reason(c, "journal-taken");
        else
                certificate_reason(c, "database-taken");
}

/* Nobody who still sees its commits by the index is left, and no recovery will find them. Which of the dead made them is not known:
 * all left them so. */
static bool lost_in_wal(const struct certificate *c, const struct model_use *u)
{
        return looked(u) && !u->others && c->verdict != VERDICT_CLEAN && predict_unreadable(u->observed);
}

static void look_behind(struct certificate *c, const struct model *m, const struct model_use *u, uint32_t facts)
{
        if (looked(u)) {
                c->wal_bytes = u->observed->wal_bytes;
                c->hot_journal = (u->observed->flags & VIGIL_OBS_JOURNAL_HOT) != 0;
        } else if (u->db) {
                c->wal_bytes = size_now(&u->db->file[VIGIL_ROLE_WAL]);
                c->hot_journal = left_hot_journal(u);
        }
        /* The files look sound: only the trace knows that half a transaction is in them. */
        if (facts & FACT_NO_JOURNAL)
                snprintf(c->prediction, sizeof(c->prediction),
                         "next open cannot undo the half-written transaction: it has no journal");
        else if (facts & FACT_END_UNSEEN)
                snprintf(c->prediction, sizeof(c->prediction),
                         "unknown: if the last transaction had not ended, half of it is in the file, and it has no "
                         "journal");
        else if (facts & FACT_STRANGER)
                snprintf(c->prediction, sizeof(c->prediction),
                         "unknown: it was cut short while it wrote the main file without SQLite's locks");
        else
                predict(c, m, u);
}

/* ---- all of it ----------------------------------------------------------------------------------------------------- */

static void identify(struct certificate *c, const struct model *m)
{
        struct id_hash h;
        id_begin(&h, m);
        id_number(&h, c->death->id.tgid);
        id_number(&h, c->death->id.start_ns);
        id_text(&h, model_database(m, c->database)->path);
        /* The same process may leave the same database several times: by each exec, or after the file was replaced. */
        id_number(&h, c->death->by_exec ? c->death->ns : 0);
        id_number(&h, c->use->use.db == model_database(m, c->database)->id ? 0 : c->use->use.db);
        id_end(&h, 'c', c->id);
}

/* SIGKILL does not abort a sync: the call goes on, ends, and its caller dies without hearing of it. So a sync was in flight
 * when it still is at the death, or when one was at the deadly signal and one of this database ended after that. */
static bool sync_was_in_flight(const struct certificate *c)
{
        const struct vigil_sig *by = c->ending.by;

        if (c->use->use.flags & VIGIL_USE_SYNCING)
                return true;
        if (!by || by->syncs_in_flight == 0)
                return false;
        for (uint32_t i = 0; i < c->death->nops; i++) {
                const struct vigil_opent *op = &c->death->op[i];
                if (op->op == VIGIL_OP_SYNC && op->db == c->use->use.db && op->ns >= by->ns)
                        return true;
        }
        return false;
}

void certify(const struct model *m, const struct model_death *d, const struct model_use *u, struct certificate *c)
{
        c->database = u->database;
        c->death = d;
        c->use = u;
        c->ending = ending_of(m, d);
        c->locks = locks_of(u);
        c->trust = *model_trust(m);
        c->recovered = -1;

        uint32_t facts = facts_of(m, d, u, c->locks);
        const struct verdict_rule *rule = verdict_rule(facts);
        const struct model_taking *taken = taking_of(m, d, u);
        c->verdict = rule->verdict;
        c->taken = taken != NULL;
        if (taken)
                reason_taken(c, taken);
        bool unreadable = !taken && lost_in_wal(c, u);
        if (unreadable) {
                c->verdict = VERDICT_UNCLEAN;
                certificate_reason(c, "commits-unreadable");
        }
        for (size_t i = 0; !(taken && rule->verdict == VERDICT_CLEAN) &&
                           i < sizeof(rule->reason) / sizeof(rule->reason[0]) && rule->reason[i];
             i++)
                certificate_reason(c, rule->reason[i]);
        c->held = held_by(facts, c->locks);
        c->connection_open = (facts & FACT_OPEN) != 0;
        c->sync_in_flight = sync_was_in_flight(c);

        add_unknown_reasons(c, m, facts);
        if (c->sync_in_flight && c->ending.signal)
                certificate_reason(c, "killed-in-sync");
        if (u->db)
                add_risks(c, u->db);
        if (by_second_name(u))
                trust_lower(&c->trust, "second-name");
        if (c->tainted)
                certificate_reason(c, "storage-tainted");
        if (d->by_exec && c->verdict != VERDICT_CLEAN)
                certificate_reason(c, "abandoned-by-exec");
        look_behind(c, m, u, facts);
        if (taken)
                predict_taken(c, taken);
        if (c->verdict == VERDICT_UNCLEAN)
                c->recovered = taken || unreadable || facts & FACT_NO_JOURNAL
                                       ? 0
                                       : u->recovered; /* whatever is committed later */
        if (c->recovered == 1)
                certificate_reason(c, "recovered");
        identify(c, m);
}
