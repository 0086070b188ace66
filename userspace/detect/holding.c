/* holding.c - what is held, and what is owed: of the dead as of the living. */
#include "detect/detect_private.h"

/* ---- transactions -------------------------------------------------------------------------------------------------- */

enum held_txn held_by(uint32_t facts, uint32_t locks)
{
        if (facts & (FACT_WRITE_TXN | FACT_NO_JOURNAL))
                return HELD_WRITE;
        if (facts & FACT_CHECKPOINT)
                return HELD_CHECKPOINT;
        if (facts & (FACT_END_UNSEEN | FACT_ROLLBACK_UNSEEN) || (facts & FACT_SECOND_NAME && facts & FACT_OPEN))
                return HELD_UNKNOWN;
        if (facts & FACT_ROLLING_BACK || locks & VIGIL_LOCK_WAL_RECOVER)
                return HELD_RECOVERY;
        return facts & FACT_READ_TXN ? HELD_READ : HELD_NONE;
}

/* When it took the lock; without one (locking_mode EXCLUSIVE) when it first wrote. A lock that it had when the watch began was
 * counted as taken then, which tells nothing. */
static uint64_t began(const struct model_use *u, enum held_txn held)
{
        if (held == HELD_CHECKPOINT && u->use.ckpt_lock_ns)
                return u->use.ckpt_lock_ns;
        if (held == HELD_WRITE && u->use.write_lock_ns)
                return u->use.write_lock_ns;
        bool own = u->db && u->use.flags & VIGIL_USE_TXN_OWNER && held != HELD_READ && held != HELD_NONE;
        bool seeded = u->use.flags & VIGIL_USE_SEEN_LATE && !(own && u->db->flags & VIGIL_DB_EXCLUSIVE);
        return own && !seeded ? u->db->txn_since_ns : 0;
}

struct holding holding_of(const struct model_death *living, const struct model_use *u)
{
        struct holding h = {.locks = locks_of(u), .late = (u->use.flags & VIGIL_USE_SEEN_LATE) != 0};
        h.held = held_by(facts_held(living, u, h.locks), h.locks);
        h.since_ns = began(u, h.held);
        return h;
}

/* ---- debts --------------------------------------------------------------------------------------------------------- */

uint64_t ledger_owes(const struct vigil_ledger *l)
{
        uint64_t owes = l->written > l->durable ? l->written - l->durable : 0;
        uint64_t length = l->end > l->size ? l->end : l->size;

        return owes < length ? owes : length;
}

/* The -shm is rebuilt from the WAL and a file without a name is gone anyway: neither owes anything. */
void debts_of(const struct vigil_db *db, struct debts *ret)
{
        static const unsigned owing[] = {VIGIL_ROLE_MAIN, VIGIL_ROLE_WAL, VIGIL_ROLE_JOURNAL};
        *ret = (struct debts){0};
        for (size_t i = 0; i < sizeof(owing) / sizeof(owing[0]); i++) {
                const struct vigil_ledger *l = &db->file[owing[i]];
                struct file_risk *r = &ret->risk[owing[i]];
                ret->tainted |= (l->flags & VIGIL_LEDGER_TAINTED) != 0;
                if (l->flags & VIGIL_LEDGER_UNLINKED)
                        continue;
                r->volatile_fs = (l->flags & VIGIL_LEDGER_VOLATILE) != 0;
                if (r->volatile_fs && l->flags & VIGIL_LEDGER_SIZED)
                        r->bytes = l->size; /* no sync makes anything of it durable */
                else
                        r->bytes = ledger_owes(l);
                /* A sync covers what was written before our time, too. */
                ret->lower_bound |= l->flags & VIGIL_LEDGER_SEEN_LATE && !l->last_sync_ns && !r->volatile_fs;
        }
        const struct vigil_ledger *dir = &db->file[VIGIL_ROLE_DIRECTORY];
        if (dir->written > dir->durable)
                ret->directory_entries = dir->written - dir->durable;
        if (db->wal_commits > db->wal_commits_durable)
                ret->commits += db->wal_commits - db->wal_commits_durable;
        if (db->rb_commits_followed > db->rb_commits_durable)
                ret->commits += db->rb_commits_followed - db->rb_commits_durable;
}
