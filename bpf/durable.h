/* durable.h - the durability account of each file: what was written, and what syncs have covered of it.
 *
 * Rules: docs/ARCHITECTURE.md "Ledger". */
#ifndef VIGIL_DURABLE_H
#define VIGIL_DURABLE_H

#include "txn.h"

static __always_inline void ledger_written(struct vigil_ledger *l, const struct io *io)
{
        __u64 end = io->offset + (__u64)io->ret;

        l->bytes_total += (__u64)io->ret; /* for people: unlike `written` no verdict rests on it */
        __sync_fetch_and_add(&l->writes, 1);
        if (end > l->end)
                l->end = end;
        l->last_write_ns = io->ns;
        if (io->synced) /* what others have left to sync stays so, and that alone */
                return;
        __sync_fetch_and_add(&l->written, (__u64)io->ret);
        if (!l->risk_since_ns)
                l->risk_since_ns = io->ns;
}

static __always_inline void ledger_failed(struct vigil_ledger *l, __s64 error, __u64 ns)
{
        if (!l->first_error) {
                l->first_error = (__s32)error;
                l->first_error_ns = ns;
        }
}

/* Everything whose write had returned when the sync was entered is durable; a tainted file proves nothing any more. */
static __always_inline void ledger_synced(struct vigil_ledger *l, __u64 written_at_entry, __u64 ns)
{
        l->last_sync_ns = ns;
        if (l->flags & VIGIL_LEDGER_TAINTED) {
                flags_set(&l->flags, VIGIL_LEDGER_LIED);
                return;
        }
        if (written_at_entry > l->durable)
                l->durable = written_at_entry;
        if (l->durable >= l->written)
                l->risk_since_ns = 0;
}

/* Commits that a sync of the file of @role covers, of those that there are now. */
static __always_inline __u64 commits_of(const struct vigil_db *db, const struct db_priv *priv, __u32 role)
{
        return role == VIGIL_ROLE_JOURNAL ? priv->journal_ends : db->wal_commits;
}

/* The disk has the commits of the log when it has the main file as it was when the log began anew, and the log; and without that those
 * of earlier generations, which had been copied there. */
static __always_inline void wal_commits_settle(struct vigil_db *db, struct db_priv *priv)
{
        if (priv->main_synced < priv->wal_base)
                return;
        priv->wal_commits_main = priv->wal_commits_prev;
        if (priv->wal_commits_prev > db->wal_commits_durable)
                db->wal_commits_durable = priv->wal_commits_prev;
        if (priv->wal_commits_synced > db->wal_commits_durable)
                db->wal_commits_durable = priv->wal_commits_synced;
}

/* The disk has the first @written bytes of the file of @role, and what they mean. @commits: see commits_of(). */
static __always_inline void commits_synced(struct vigil_db *db, struct db_priv *priv, __u32 role, __u64 written,
                                           __u64 commits)
{
        if (role == VIGIL_ROLE_JOURNAL && commits > priv->journal_ends_durable)
                priv->journal_ends_durable = commits;
        if (role == VIGIL_ROLE_WAL && commits > priv->wal_commits_synced)
                priv->wal_commits_synced = commits;
        if (role == VIGIL_ROLE_MAIN && written > priv->main_synced)
                priv->main_synced = written;
        if (role == VIGIL_ROLE_WAL || role == VIGIL_ROLE_MAIN)
                wal_commits_settle(db, priv);
}

/* A sync of @role that was entered when @written bytes and @commits commits, see commits_of(), had been written returned 0. */
static __always_inline void credit(struct vigil_db *db, struct db_priv *priv, struct vigil_ledger *l, __u32 role,
                                   __u64 written, __u64 commits, __u64 ns)
{
        ledger_synced(l, written, ns);
        if (!(l->flags & VIGIL_LEDGER_TAINTED))
                commits_synced(db, priv, role, written, commits);
}

/* True when a sync of the whole file system @dev was entered after @ns. */
static __always_inline bool fs_synced_after(__u32 dev, __u64 ns)
{
        __u32 all = 0;
        __u64 *one, *every;

        if (fs_synced_ns <= ns)
                return false;
        one = bpf_map_lookup_elem(&fs_syncs, &dev);
        every = bpf_map_lookup_elem(&fs_syncs, &all);
        return (one && *one > ns) || (every && *every > ns);
}

/* A whole file system was synced after the last write of this file: all of it is durable. With a write in between nothing
 * is credited: too much stays at risk, never too little. */
static __always_inline void fs_settle(struct vigil_db *db, struct db_priv *priv, struct vigil_ledger *l, __u32 role)
{
        if (l->risk_since_ns && fs_synced_after(l->dev, l->last_write_ns))
                credit(db, priv, l, role, l->written, commits_of(db, priv, role), bpf_ktime_get_boot_ns());
}

static __always_inline void ledger_emptied(struct vigil_ledger *l)
{
        l->durable = l->written;
        l->end = 0;
        l->risk_since_ns = 0;
}

#endif
