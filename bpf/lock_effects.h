/* lock_effects.h - what taking a lock and giving it back mean for the transaction, the commit and the checkpoint of a database. */
#ifndef VIGIL_LOCK_EFFECTS_H
#define VIGIL_LOCK_EFFECTS_H

#include "act.h"
#include "hist.h"
#include "span.h"

static __always_inline void write_locked(struct act *a)
{
        a->use->write_lock_ns = a->ns;
        a->use->lock_tid = a->tid;
        a->priv->commits_at_lock = a->use->commits;
}

/* Whether the open transaction of @kind is another process's, though it is this one that gives the write lock back: before 6.10
 * (1b3ec4f7c03d "filelock: fix potential use-after-free in posix_lock_inode") that is told when the lock is free already, and whoever
 * got it next may be heard of first. */
static __always_inline bool is_overtaken(const struct act *a, __u32 kind)
{
        return a->db->txn == kind && (a->db->txn_tgid != a->tgid || a->db->txn_start_ns != a->p->id.start_ns);
}

/* The write lock is given back. A transaction that was rolled back, or that changed nothing, is no commit; nor is the write lock under
 * which a connection looks whether the index of the WAL must be made anew. */
static __always_inline void write_unlocked(struct act *a, __u32 role)
{
        bool committed = a->use->commits != a->priv->commits_at_lock;

        if (cfg_attribution) {
                commit_close(a->priv->commit_tid, a->db->id, a->ns, committed);
                a->priv->commit_tid = 0;
        }
        if (a->use->write_lock_ns && committed)
                hist_add(a->p, a->db->id, role, VIGIL_OP_COMMIT, a->ns - a->use->write_lock_ns, false);
        a->use->write_lock_ns = 0;
}

/* The same, when the account of the database is the next one's already: what that has begun goes on. Whether this one committed, the
 * next one has wiped. */
static __always_inline void write_overtaken(struct act *a)
{
        if (cfg_attribution)
                commit_leave(a->use->lock_tid, a->db->id, a->ns);
        a->use->write_lock_ns = 0;
}

static __always_inline void shm_locked(struct act *a, __u32 bits)
{
        if (bits & VIGIL_LOCK_WAL_RECOVER && !(a->use->locks & VIGIL_LOCK_WAL_RECOVER)) {
                a->db->wal_recoveries++;
                flags_set(&a->db->flags, VIGIL_DB_RECOVERED);
        }
        if (bits & VIGIL_LOCK_WAL_WRITE && !(bits & VIGIL_LOCK_WAL_RECOVER)) {
                txn_begin(a->db, a->p, VIGIL_TXN_WAL, a->ns);
                a->priv->wal_txn_end = a->db->wal_commit_end;
                a->priv->wal_frame_commit = 0;
                write_locked(a);
        }
        if (bits & VIGIL_LOCK_WAL_CKPT && !(bits & VIGIL_LOCK_WAL_RECOVER)) {
                a->db->ckpt_db_writes = 0;
                a->db->checkpoints++;
                a->use->ckpt_lock_ns = a->ns;
        }
}

static __always_inline void shm_unlocked(struct act *a, __u32 bits)
{
        if (bits & VIGIL_LOCK_WAL_WRITE && is_overtaken(a, VIGIL_TXN_WAL)) {
                write_overtaken(a);
        } else if (bits & VIGIL_LOCK_WAL_WRITE) {
                write_unlocked(a, VIGIL_ROLE_WAL);
                if (a->db->txn == VIGIL_TXN_WAL)
                        txn_end(a->db);
                a->priv->wal_txn_end = a->db->wal_commit_end; /* what was not committed was rolled back */
        }
        if (bits & VIGIL_LOCK_WAL_CKPT) {
                if (a->use->ckpt_lock_ns)
                        hist_add(a->p, a->db->id, VIGIL_ROLE_MAIN, VIGIL_OP_CHECKPOINT,
                                 a->ns - a->use->ckpt_lock_ns, false);
                a->use->ckpt_lock_ns = 0;
        }
}

static __always_inline void main_locked(struct act *a, __u32 bits)
{
        if (bits & VIGIL_LOCK_RESERVED) {
                flags_clear(&a->db->flags, VIGIL_DB_EXCLUSIVE); /* who keeps the lock does not ask for it */
                rollback_begin(a->db, a->priv, a->p, VIGIL_TXN_ROLLBACK, a->ns, TXN_FROM_LOCK);
                write_locked(a);
        }
}

static __always_inline void main_unlocked(struct act *a, __u32 gone, bool by_close)
{
        if (gone & (VIGIL_LOCK_RESERVED | VIGIL_LOCK_EXCLUSIVE) && a->db->txn != VIGIL_TXN_WAL &&
            a->db->txn_start_ns == a->p->id.start_ns) {
                /* journal_mode MEMORY and OFF have no journal whose end marks the commit: the unlock does. */
                bool changed = a->db->txn == VIGIL_TXN_ROLLBACK && a->db->txn_db_writes;
                if (!by_close && changed && a->db->journal_hot)
                        flags_set(&a->use->flags, VIGIL_USE_GAVE_UP);
                if (!by_close && changed && !a->db->journal_hot)
                        unjournaled_end(a->db, a->priv, a->use);
                else
                        txn_end(a->db);
        } else if (gone & VIGIL_LOCK_EXCLUSIVE && !by_close && has_frames_only(a->db, a->use)) {
                txn_end(a->db); /* locking_mode NORMAL again: what was not committed was rolled back */
                a->priv->wal_txn_end = a->db->wal_commit_end;
        }
        if (gone & VIGIL_LOCK_RESERVED && is_overtaken(a, VIGIL_TXN_ROLLBACK))
                write_overtaken(a);
        else if (gone & VIGIL_LOCK_RESERVED)
                write_unlocked(a, VIGIL_ROLE_MAIN);
}

#endif
