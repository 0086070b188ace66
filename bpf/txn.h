/* txn.h - the transaction that is open in a database, and what the writes to its files tell of its end.
 *
 * Page 1 holds the change counter. The commit of a transaction for which RESERVED was taken writes it, with another counter
 * and as the first of its pages, which are in ascending order. Before that page 1 is not spilled: the b-tree layer keeps it
 * referenced. A rollback writes it only when it is in the journal, and as it stands there. (SQLite's pager.c:
 * pager_incr_changecounter, pager_write_pagelist, pagerStress, pagerUnlockDb, pager_playback_one_page; pcache.c sorts.)
 * docs/ARCHITECTURE.md, "Where a transaction ends". */
#ifndef VIGIL_TXN_H
#define VIGIL_TXN_H

#include "adopt.h"

#define CHANGE_COUNTER 24 /* its offset (sqlite.org/fileformat2.html, 1.3) */

/* One write, as its system call returned. */
struct io {
        __u64 offset;
        __u64 buf; /* user address of what was written; 0: not known */
        __u64 len;
        __s64 ret;
        __u64 ns;
        bool synced; /* it has synced what it wrote, and nothing else: O_SYNC, O_DSYNC, RWF_SYNC, RWF_DSYNC */
};

static __always_inline void txn_end(struct vigil_db *db)
{
        db->txn = VIGIL_TXN_NONE;
        db->txn_db_writes = 0;
        db->txn_journal_writes = 0;
        db->txn_since_ns = 0;
        db->txn_tgid = 0;
        db->txn_start_ns = 0;
        flags_clear(&db->flags, VIGIL_DB_ABANDONED);
}

static __always_inline void txn_begin(struct vigil_db *db, struct vigil_proc *p, __u32 kind, __u64 ns)
{
        txn_end(db);
        db->txn = kind;
        db->txn_since_ns = ns;
        db->txn_tgid = p->id.tgid;
        db->txn_start_ns = p->id.start_ns;
}

/* True for the process that has the open transaction: what others do to its files is no part of it. */
static __always_inline bool txn_is_mine(const struct vigil_db *db)
{
        return db->txn_tgid == (__u32)(bpf_get_current_pid_tgid() >> 32);
}

/* The same, where who that is is at hand: a call into the kernel less. */
static __always_inline bool txn_is_of(const struct vigil_db *db, const struct vigil_proc *p)
{
        return db->txn_tgid == p->id.tgid;
}

/* Whoever comes to a file of @db before the exec is told of that has abandoned its transaction. */
static __always_inline void txn_of_others(struct vigil_db *db)
{
        if (db->flags & VIGIL_DB_ABANDONED && !txn_is_mine(db))
                txn_end(db);
}

/* ---- rollback transactions ---- */

/* @facts: TXN_FROM_LOCK, or 0 when the transaction is known by a write only. The change counter before it is known when page 1 was
 * written last under our eyes, and by no other name; else the journal's copy of page 1 tells. */
static __always_inline void rollback_begin(struct vigil_db *db, struct db_priv *priv, struct vigil_proc *p,
                                           __u32 kind, __u64 ns, __u32 facts)
{
        txn_begin(db, p, kind, ns);
        priv->txn_facts = facts;
        if (facts & TXN_FROM_LOCK && priv->counter_seen && !(db->flags & VIGIL_DB_SHARED_MAIN))
                priv->txn_facts |= TXN_COUNTER;
        priv->counter = priv->counter_now;
        priv->commit_next = 0;
        priv->journal_page = 0;
        priv->journal_sum = 0;
}

static __always_inline bool counter_read(const struct io *io, __u32 *ret_counter)
{
        return io->ret >= CHANGE_COUNTER + 4 &&
               !bpf_probe_read_user(ret_counter, sizeof(*ret_counter), (void *)(io->buf + CHANGE_COUNTER));
}

/* A write to the journal: a record is a page number, the page as it was before the transaction, and a checksum, in a write each. A
 * checksum is as long as a number; it is told by where it stands. */
static __always_inline void rollback_journaled(struct db_priv *priv, const struct io *io)
{
        __u32 page = 0;

        if (priv->txn_facts & TXN_COUNTER)
                return;
        if (priv->journal_page && io->offset == priv->journal_page) {
                priv->journal_page = 0;
                priv->journal_sum = io->offset + (__u64)io->ret;
                if (priv->journal_page1 && counter_read(io, &priv->counter))
                        priv->txn_facts |= TXN_COUNTER;
        } else if (io->ret == sizeof(page) && io->offset != priv->journal_sum &&
                   !bpf_probe_read_user(&page, sizeof(page), (void *)io->buf)) {
                priv->journal_page = io->offset + sizeof(page);
                priv->journal_page1 = page == bpf_htonl(1);
        }
}

/* A write to the main file. */
static __always_inline void rollback_wrote(struct db_priv *priv, const struct io *io)
{
        __u64 end = io->offset + (__u64)io->ret;

        if (io->offset == 0) {
                priv->counter_seen = counter_read(io, &priv->counter_now);
                bool same = priv->counter_seen && priv->txn_facts & TXN_COUNTER &&
                            priv->counter_now == priv->counter;
                priv->txn_facts &= ~(__u32)(TXN_RESTORED | TXN_BACKWARDS);
                priv->txn_facts |= same ? TXN_RESTORED : 0;
                priv->commit_next = end;
        } else if (priv->commit_next) {
                if (io->offset < priv->commit_next)
                        priv->txn_facts |= TXN_BACKWARDS;
                priv->commit_next = end;
        }
}

/* Counts the transaction that ends now, unless its writes cannot have been a commit's. Rather one too many. */
static __always_inline bool rollback_commit(struct vigil_db *db, struct db_priv *priv, struct vigil_use *use)
{
        bool no_page1 = priv->txn_facts & TXN_FROM_LOCK && !priv->commit_next;

        if (!db->txn_db_writes || db->txn == VIGIL_TXN_RECOVERY || no_page1 || priv->txn_facts & TXN_RESTORED)
                return false;
        db->rb_commits++;
        db->rb_commits_followed++;
        priv->last_commit_main = db->file[VIGIL_ROLE_MAIN].written;
        if (use)
                use->commits++;
        return true;
}

/* ---- journal_mode MEMORY and OFF: no journal whose end marks that of the transaction ---- */

static __always_inline bool has_no_journal(const struct vigil_db *db)
{
        return db->txn == VIGIL_TXN_ROLLBACK && db->txn_db_writes && !db->txn_journal_writes && !db->journal_hot;
}

/* After a write to the main file. Once page 1 is written the end may pass at any time, and only the release of a lock or a sync
 * tells. That it has passed is seen later, when a page is written that does not follow in order. */
static __always_inline void unjournaled_wrote(struct vigil_db *db, const struct db_priv *priv,
                                              struct vigil_use *use)
{
        flags_set(&db->flags, VIGIL_DB_NO_JOURNAL);
        if (priv->txn_facts & TXN_FROM_LOCK && !priv->commit_next)
                flags_clear(&db->flags, VIGIL_DB_END_POSSIBLE);
        else
                flags_set(&db->flags, VIGIL_DB_END_POSSIBLE);
        if (priv->txn_facts & TXN_BACKWARDS)
                flags_clear(&use->flags, VIGIL_USE_ENDS_SEEN);
}

static __always_inline void unjournaled_end(struct vigil_db *db, struct db_priv *priv, struct vigil_use *use)
{
        rollback_commit(db, priv, use);
        flags_set(&use->flags, VIGIL_USE_ENDS_SEEN);
        txn_end(db);
}

/* SQLite syncs the main file of such a transaction once, at the end of its commit or rollback. @written: bytes that the sync
 * covers. */
static __always_inline void unjournaled_synced(struct vigil_db *db, struct db_priv *priv, struct vigil_use *use,
                                               __u64 written)
{
        if (has_no_journal(db) && txn_is_mine(db) && written == db->file[VIGIL_ROLE_MAIN].written)
                unjournaled_end(db, priv, use);
}

#endif
