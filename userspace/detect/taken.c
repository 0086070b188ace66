/* taken.c - what it cost that a file of a database was taken: which of these acts harmed anybody, and whom (reference:
 * durability C1.3, C2.5, C2.7, X2). The kernel side says who had no right to it; here stands what became of it. */
#include <string.h>

#include "detect/detect_private.h"

static bool same(const struct vigil_ident *a, const struct vigil_ident *b)
{
        return a->tgid == b->tgid && a->start_ns == b->start_ns;
}

static bool is_sqlite_user(const struct vigil_use *u)
{
        return u->flags & (VIGIL_USE_LOCKED | VIGIL_USE_WROTE);
}

/* ---- what else happened to that database ---- */

static bool uses_between(const struct model_death *d, uint32_t db, uint64_t from, uint64_t to)
{
        for (uint32_t i = 0; i < d->nuses; i++) {
                const struct vigil_use *u = &d->use[i].use;
                if (u->db == db && u->flags & VIGIL_USE_LOCKED && u->first_ns < to && u->last_ns > from)
                        return true;
        }
        return false;
}

static bool used_between(const struct model *m, uint32_t db, uint64_t from, uint64_t to)
{
        for (size_t i = 0; i < model_n_deaths(m); i++)
                if (uses_between(model_death(m, i), db, from, to))
                        return true;
        for (size_t i = 0; i < model_n_living(m); i++)
                if (uses_between(model_living(m, i), db, from, to))
                        return true;
        return false;
}

/* What @id did to database @db; NULL: not known. */
static const struct vigil_use *use_by(const struct model *m, const struct vigil_ident *id, uint32_t db)
{
        for (size_t i = 0; i < model_n_deaths(m) + model_n_living(m); i++) {
                size_t n = model_n_deaths(m);
                const struct model_death *d = i < n ? model_death(m, i) : model_living(m, i - n);
                for (uint32_t k = 0; same(&d->id, id) && k < d->nuses; k++)
                        if (d->use[k].use.db == db)
                                return &d->use[k].use;
        }
        return NULL;
}

/* Whether it inherited the connection: it never opened what it wrote. */
static bool inherited(const struct model *m, const struct model_taking *t)
{
        const struct vigil_use *u = use_by(m, &t->id, t->db);

        return u && !(u->flags & (VIGIL_USE_OPENED_WAL | VIGIL_USE_SEEN_LATE));
}

/* Who came after the file had been renamed opened it by the name that it has now: what it commits is found by that name. */
static bool is_lost(const struct model *m, const struct model_taking *t)
{
        const struct vigil_use *u = use_by(m, &t->id, t->db);

        for (size_t i = 0; u && u->flags & VIGIL_USE_OPENED_WAL && i < model_n_takings(m); i++) {
                const struct model_taking *moved = model_taking_of(m, i);
                if (moved->db == t->db && moved->op == VIGIL_OP_RENAME && moved->role != VIGIL_ROLE_JOURNAL &&
                    moved->ns < u->first_ns)
                        return false;
        }
        return true;
}

static bool lost_after(const struct model *m, uint32_t db, uint64_t ns)
{
        for (size_t i = 0; i < model_n_takings(m); i++) {
                const struct model_taking *t = model_taking_of(m, i);
                if (t->db == db && t->taken & VIGIL_TAKEN_LOST && t->ns > ns && is_lost(m, t))
                        return true;
        }
        return false;
}

/* The file @role of @t's database went, too, before anybody used the database again: all of it was meant. */
static bool went_along(const struct model *m, const struct model_taking *t, unsigned role)
{
        uint64_t before, after;
        if (!model_gone(m, t->db, role, t->ns, &before, &after))
                return false;
        return (before && !used_between(m, t->db, before, t->ns)) ||
               (after && !used_between(m, t->db, t->ns, after));
}

/* Its only user removed the main file, too, and wrote nothing afterwards: a program that cleans up behind itself. */
static bool owner_cleaned_up(const struct model *m, const struct model_taking *t)
{
        for (size_t i = 0; i < model_n_takings(m); i++) {
                const struct model_taking *main = model_taking_of(m, i);
                if (main->db == t->db && main->role == VIGIL_ROLE_MAIN && main->op == VIGIL_OP_UNLINK &&
                    main->taken & VIGIL_TAKEN_OWN && same(&main->id, &t->id) && !lost_after(m, t->db, t->ns))
                        return true;
        }
        return false;
}

/* The last look at the files before @t said that the main file had everything that was in the WAL. */
static bool was_checkpointed(const struct model *m, const struct model_taking *t)
{
        const struct vigil_observed *last = NULL;
        for (size_t i = 0; i < model_n_deaths(m); i++) {
                const struct model_death *d = model_death(m, i);
                for (uint32_t k = 0; k < d->nuses; k++) {
                        const struct vigil_observed *o = d->use[k].observed;
                        if (d->use[k].use.db == t->db && o && !o->error && o->hdr.ns < t->ns &&
                            (!last || o->hdr.ns > last->hdr.ns))
                                last = o;
                }
        }
        return last && last->shm_max_frame && last->shm_backfill >= last->shm_max_frame &&
               last->wal_frames <= last->shm_backfill;
}

/* ---- a journal ---- */

static bool has_open_txn(const struct model_death *d, const struct model_use *u, const struct model_taking *t)
{
        return u->db && u->db->txn == VIGIL_TXN_ROLLBACK && u->use.flags & VIGIL_USE_TXN_OWNER &&
               u->db->txn_since_ns <= t->ns && t->ns <= d->ns;
}

static bool left_hot(const struct model_use *u)
{
        return (u->db && u->db->journal_hot) ||
               (u->observed && !u->observed->error && u->observed->flags & VIGIL_OBS_JOURNAL_HOT);
}

/* Who left that journal: the last of those that died with it hot, before @t. */
static const struct model_use *last_hot(const struct model *m, const struct model_taking *t)
{
        for (size_t i = model_n_deaths(m); i-- > 0;) {
                const struct model_death *d = model_death(m, i);
                for (uint32_t k = 0; d->ns <= t->ns && k < d->nuses; k++)
                        if (d->use[k].use.db == t->db && d->use[k].use.flags & VIGIL_USE_TXN_OWNER &&
                            left_hot(&d->use[k]))
                                return &d->use[k];
        }
        return NULL;
}

/* Whose transaction the journal of @t would have undone: of a process that died with it open, or had died before. */
static bool journal_victim(const struct model *m, const struct model_taking *t, const struct model_death *d,
                           const struct model_use *u)
{
        if (u->use.db != t->db)
                return false;
        if (t->taken & VIGIL_TAKEN_IN_USE)
                return has_open_txn(d, u, t);
        return u == last_hot(m, t);
}

static bool has_journal_victim(const struct model *m, const struct model_taking *t)
{
        for (size_t i = 0; i < model_n_deaths(m); i++) {
                const struct model_death *d = model_death(m, i);
                for (uint32_t k = 0; k < d->nuses; k++)
                        if (journal_victim(m, t, d, &d->use[k]))
                                return true;
        }
        return false;
}

/* ---- each of them ---- */

static bool journal_harms(const struct model *m, const struct model_taking *t)
{
        /* A transaction that ended all the same needed no journal: its owner had it open and rolls back from that. */
        return t->taken & VIGIL_TAKEN_IN_USE ? has_journal_victim(m, t) : !went_along(m, t, VIGIL_ROLE_MAIN);
}

static bool wal_harms(const struct model *m, const struct model_taking *t)
{
        if (!(t->taken & VIGIL_TAKEN_WAL))
                return lost_after(m, t->db, t->ns);
        if (t->taken & VIGIL_TAKEN_IN_USE)
                return !owner_cleaned_up(m, t);
        return !went_along(m, t, VIGIL_ROLE_MAIN) && !was_checkpointed(m, t);
}

static bool main_harms(const struct model *m, const struct model_taking *t)
{
        if (t->taken & VIGIL_TAKEN_IN_USE && t->op == VIGIL_OP_UNLINK && t->taken & VIGIL_TAKEN_OWN)
                return lost_after(m, t->db, t->ns);
        if (t->taken & VIGIL_TAKEN_IN_USE)
                return true;
        if (t->op == VIGIL_OP_UNLINK)
                return false; /* nobody had it open: it was deleted, and what stands beside it with it */
        if (t->taken & VIGIL_TAKEN_HOT && !went_along(m, t, VIGIL_ROLE_JOURNAL))
                return true;
        return t->taken & VIGIL_TAKEN_WAL && !went_along(m, t, VIGIL_ROLE_WAL) && !was_checkpointed(m, t);
}

/* Somebody else's act on that database tells why the name was gone. */
static bool is_explained(const struct model *m, const struct model_taking *lost)
{
        for (size_t i = 0; i < model_n_takings(m); i++) {
                const struct model_taking *t = model_taking_of(m, i);
                if (t->db == lost->db && !(t->taken & VIGIL_TAKEN_LOST) && t->role != VIGIL_ROLE_JOURNAL &&
                    t->ns < lost->ns && taking_code(m, t))
                        return true;
        }
        return false;
}

const char *taking_code(const struct model *m, const struct model_taking *t)
{
        if (t->taken & VIGIL_TAKEN_LOST && !is_lost(m, t))
                return NULL;
        if (t->taken & VIGIL_TAKEN_LOST)
                return inherited(m, t) ? "used-across-fork" : is_explained(m, t) ? NULL : "wal-removed";
        switch (t->role) {
        case VIGIL_ROLE_JOURNAL:
                return journal_harms(m, t) ? "journal-removed" : NULL;
        case VIGIL_ROLE_WAL:
                return wal_harms(m, t) ? "wal-removed" : NULL;
        case VIGIL_ROLE_MAIN:
                if (!main_harms(m, t))
                        return NULL;
                return t->op == VIGIL_OP_UNLINK || t->op == VIGIL_OP_RENAME ? "database-moved-in-use"
                                                                            : "database-emptied";
        default:
                return NULL;
        }
}

/* It had committed frames in the WAL when it ended. */
static bool left_wal(const struct model_use *u)
{
        return u->use.commits && u->db && u->db->wal_commit_end > 32 &&
               !(u->db->file[VIGIL_ROLE_WAL].flags & VIGIL_LEDGER_UNLINKED);
}

/* A WAL was taken in use: its users go on in the old one. Whoever opens the database while they live begins another, and both
 * are moved into one main file. */
static bool beside_old_users(const struct model *m, const struct model_taking *t, const struct model_use *u)
{
        if (!(t->taken & VIGIL_TAKEN_IN_USE) || !u->use.commits)
                return false;
        for (size_t i = 0; i < model_n_deaths(m) + model_n_living(m); i++) {
                size_t n = model_n_deaths(m);
                const struct model_death *d = i < n ? model_death(m, i) : model_living(m, i - n);
                for (uint32_t k = 0; k < d->nuses; k++) {
                        const struct vigil_use *old = &d->use[k].use;
                        if (old->db == t->db && old->flags & VIGIL_USE_LOCKED && old->first_ns <= t->ns &&
                            old->last_ns >= u->use.first_ns)
                                return true;
                }
        }
        return false;
}

/* Whether @t hit the process of @d: it lost what it had committed, or stays half done. */
static bool hits(const struct model *m, const struct model_taking *t, const struct model_death *d,
                 const struct model_use *u)
{
        bool before = d->ns < t->ns;
        if (t->taken & VIGIL_TAKEN_LOST)
                return same(&t->id, &d->id) && u->use.flags & VIGIL_USE_WRITES_LOST && is_lost(m, t);
        if (t->role == VIGIL_ROLE_JOURNAL)
                return journal_victim(m, t, d, u);
        if (!is_sqlite_user(&u->use) || (same(&t->id, &d->id) && !(u->use.flags & VIGIL_USE_LOCKED)))
                return false;
        if (u->use.first_ns > t->ns)
                return t->role == VIGIL_ROLE_WAL && beside_old_users(m, t, u);
        if (t->role == VIGIL_ROLE_WAL)
                return before ? left_wal(u) : u->use.commits > 0;
        if (before && t->op != VIGIL_OP_UNLINK && t->op != VIGIL_OP_RENAME)
                return u->use.commits > 0;
        return before ? left_wal(u) || left_hot(u) : u->use.last_ns > t->ns || u->use.commits > 0;
}

const struct model_taking *taking_of(const struct model *m, const struct model_death *d, const struct model_use *u)
{
        for (size_t i = 0; i < model_n_takings(m); i++) {
                const struct model_taking *t = model_taking_of(m, i);
                if (t->db == u->use.db && hits(m, t, d, u) && (taking_code(m, t) || t->taken & VIGIL_TAKEN_LOST))
                        return t;
        }
        return NULL;
}

bool main_was_taken(const struct model *m, uint32_t db, uint64_t ns)
{
        for (size_t i = 0; i < model_n_takings(m); i++) {
                const struct model_taking *t = model_taking_of(m, i);
                if (t->db == db && t->role == VIGIL_ROLE_MAIN && t->ns <= ns && taking_code(m, t))
                        return true;
        }
        return false;
}

bool database_was_taken(const struct model *m, size_t database)
{
        for (size_t i = 0; i < model_n_takings(m); i++) {
                const struct model_taking *t = model_taking_of(m, i);
                if (t->database == database && taking_code(m, t))
                        return true;
        }
        return false;
}
