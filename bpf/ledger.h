/* ledger.h - what a write to a file, a cut and the loss of its name mean for the SQLite transaction they are part of.
 *
 * Rules: docs/ARCHITECTURE.md "Ledger". Sizes and orders of SQLite's writes: https://sqlite.org/fileformat2.html sections 3
 * and 4; os_unix.c and pager.c for the order of calls. */
#ifndef VIGIL_LEDGER_H
#define VIGIL_LEDGER_H

#include "durable.h"

#define WAL_HDR         32
#define WAL_FRAME_HDR   24
#define JOURNAL_HDR_MIN 12
#define JOURNAL_ZEROS   28                    /* what a kept journal is ended with (pager.c: zeroJournalHdr) */
#define JOURNAL_MAGIC   0xd763a120f905d5d9ULL /* d9 d5 05 f9 20 a1 63 d7, as a little-endian load reads it */

/* ---- WAL ---- */

/* The log begins anew, or has gone. Syncs of it have proved nothing if the main file, to which all of it had been copied, was not
 * synced since (synchronous=OFF): then the disk has what it had of the main file before. */
static __always_inline void wal_generation(struct vigil_db *db, struct db_priv *priv)
{
        struct vigil_ledger *main = &db->file[VIGIL_ROLE_MAIN];

        fs_settle(db, priv, main, VIGIL_ROLE_MAIN);
        wal_commits_settle(db, priv);
        if (priv->main_synced < main->written) {
                priv->wal_base = main->written;
                if (db->wal_commits_durable > priv->wal_commits_main)
                        db->wal_commits_durable = priv->wal_commits_main;
        }
        priv->wal_commits_prev = db->wal_commits;
        priv->wal_txn_end = WAL_HDR;
        priv->wal_frame_commit = 0;
        priv->wal_head_end = 0;
        db->wal_commit_end = WAL_HDR;
}

/* locking_mode EXCLUSIVE takes no write lock of the WAL: its transactions begin with a frame and end with a commit frame. A ROLLBACK
 * does nothing that could be seen. */
static __always_inline bool has_frames_only(const struct vigil_db *db, const struct vigil_use *use)
{
        return db->txn == VIGIL_TXN_WAL && !(use->locks & VIGIL_LOCK_WAL_WRITE) && txn_is_mine(db);
}

/* @end: of a frame that was written with its header. The first one behind the last commit begins a transaction, and what an earlier
 * one had left there was rolled back. A page that is written anew in its place, and headers whose checksums change with it, begin
 * nothing. */
static __always_inline bool begins_wal_txn(const struct vigil_db *db, const struct vigil_use *use, __u64 end)
{
        return has_frames_only(db, use) && end == db->wal_commit_end + db->page_size + WAL_FRAME_HDR;
}

/* What the frame header at user address @buf says: 1 it is that of a commit, 0 it is not, -1 it cannot be read. By itself, because its stack
 * is small: one of 64 bytes and more lies elsewhere (6.13, a76ab5731e32), and the kernel takes longer to see that it may copy
 * to there. */
GLOBAL int header_commits(__u64 buf)
{
        __u32 head[2];

        if (bpf_probe_read_user(head, sizeof(head), (void *)buf))
                return -1;
        return head[1] != 0;
}

/* A frame is a header of 24 bytes and a page, in one or in two writes; a commit frame carries the size of the database at
 * byte 4. The commit counts when its page has been written, too. */
static __always_inline void wal_frame(struct vigil_db *db, struct db_priv *priv, struct vigil_use *use,
                                      const struct io *io)
{
        __u64 end = io->offset + (__u64)io->ret;
        __u64 frame = (__u64)db->page_size + WAL_FRAME_HDR;
        bool commit = false, whole = true;

        if (io->ret == WAL_FRAME_HDR || (db->page_size && (__u64)io->ret == frame)) {
                int r = header_commits(io->buf);
                if (r < 0)
                        COUNT(read_faults);
                commit = r > 0;
                if (io->ret == WAL_FRAME_HDR) {
                        priv->wal_frame_commit = commit ? end : 0;
                        priv->wal_head_end = end;
                        return;
                }
        } else {
                whole = priv->wal_head_end == io->offset;
                commit = priv->wal_frame_commit && priv->wal_frame_commit == io->offset;
                if (!db->page_size)
                        db->page_size = (__u32)io->ret;
        }
        bool begins = whole && begins_wal_txn(db, use, end);
        if (begins)
                db->txn_since_ns = io->ns;
        if (end > priv->wal_txn_end || begins)
                priv->wal_txn_end = end;
        if (commit) {
                priv->wal_frame_commit = 0;
                db->wal_commit_end = end;
                db->wal_commits++;
                use->commits++;
                if (has_frames_only(db, use)) {
                        priv->wal_txn_end = end; /* a savepoint that was rolled back may have gone further */
                        txn_end(db);
                }
        }
}

/* Counts of frames, for a snapshot: divisions that each write is spared. */
static __always_inline void wal_settle(struct vigil_db *db, struct db_priv *priv)
{
        __u64 frame = (__u64)db->page_size + WAL_FRAME_HDR, end = priv->wal_txn_end;

        db->wal_frames = end > WAL_HDR ? (end - WAL_HDR) / frame : 0;
        db->wal_frames_open = end > db->wal_commit_end ? (end - db->wal_commit_end) / frame : 0;
}

static __always_inline void wal_written(struct vigil_db *db, struct db_priv *priv, struct vigil_proc *p,
                                        struct vigil_use *use, const struct io *io)
{
        __u32 head[3];

        flags_set(&db->flags, VIGIL_DB_WAL_SEEN);
        if (io->offset == 0 && io->ret == WAL_HDR) {
                if (!bpf_probe_read_user(head, sizeof(head), (void *)io->buf))
                        db->page_size = bpf_ntohl(head[2]) == 1 ? 65536 : bpf_ntohl(head[2]);
                db->wal_generations++;
                wal_generation(db, priv);
                return;
        }
        if (!priv->wal_txn_end) { /* seen late: what is already there counts as committed */
                priv->wal_txn_end = io->offset;
                db->wal_commit_end = io->offset;
        }
        if (db->txn == VIGIL_TXN_CHECKPOINT && txn_is_of(db, p)) /* it is over, complete or not */
                txn_end(db);
        if (db->txn == VIGIL_TXN_NONE) {
                flags_set(&db->flags, VIGIL_DB_EXCLUSIVE);
                /* A commit that has rewritten frames goes over their headers again. */
                if (io->offset >= db->wal_commit_end)
                        txn_begin(db, p, VIGIL_TXN_WAL, io->ns);
        }
        wal_frame(db, priv, use, io);
}

/* The WAL was cut to nothing or has lost its name. SQLite does that in no transaction. */
static __always_inline void wal_emptied(struct vigil_db *db, struct db_priv *priv, const struct vigil_use *use,
                                        __u32 taken)
{
        wal_generation(db, priv);
        if (use && !taken && has_frames_only(db, use))
                txn_end(db);
}

/* ---- rollback commits ---- */

static __always_inline struct dir *dir_of(struct db_priv *priv)
{
        return bpf_map_lookup_elem(&dirs, &priv->dir);
}

/* Lazily moves on what syncs of the directory, or of all of its file system, have made durable. */
static __always_inline void dir_settle(struct db_priv *priv, struct dir *dir)
{
        if (fs_synced_after(priv->dir.dev, dir->last_op_ns))
                dir->durable = dir->ops;
}

/* The disk has the rollback commits when it has what they wrote to the main file, and what ended their journal: else that comes
 * back and undoes them. Known of the last of them, and so of all. */
static __always_inline void commits_settle(struct vigil_db *db, struct db_priv *priv, struct dir *dir)
{
        if (dir)
                dir_settle(priv, dir);
        if (db->rb_commits_durable == db->rb_commits_followed)
                return;
        if (priv->journal_ends_durable < priv->journal_ends &&
            fs_synced_after(db->file[VIGIL_ROLE_JOURNAL].dev, priv->journal_end_ns))
                priv->journal_ends_durable = priv->journal_ends;
        fs_settle(db, priv, &db->file[VIGIL_ROLE_MAIN], VIGIL_ROLE_MAIN);
        if (priv->main_synced >= priv->last_commit_main && priv->journal_ends_durable >= priv->journal_ends &&
            (!priv->last_commit_dirop || (dir && dir->durable >= priv->last_commit_dirop)))
                db->rb_commits_durable = db->rb_commits_followed;
}

/* ---- rollback journal ---- */

/* The journal was unlinked, truncated or its header zeroed. By whoever has the transaction that is its end, and a commit if the
 * main file was changed and not rolled back. By anybody else it leaves an open transaction that nothing can undo. */
static __always_inline bool journal_ended(struct vigil_db *db, struct db_priv *priv, struct vigil_use *use,
                                          __u32 how)
{
        if (db->txn == VIGIL_TXN_RECOVERY && db->journal_hot) {
                db->rb_recoveries++;
                flags_set(&db->flags, VIGIL_DB_RECOVERED);
        } else if (db->journal_hot && db->txn == VIGIL_TXN_NONE && use && use->locks & VIGIL_LOCK_EXCLUSIVE &&
                   !(use->locks & VIGIL_LOCK_RESERVED)) {
                /* It held no page that had to be written back: a recovery all the same. */
                db->rb_recoveries++;
                flags_set(&db->flags, VIGIL_DB_RECOVERED);
        }
        db->journal_hot = 0;
        if (db->txn == VIGIL_TXN_ROLLBACK && !txn_is_mine(db))
                return false;
        if (db->txn_db_writes || db->txn_journal_writes)
                flags_set(&db->flags, how);
        if (how != VIGIL_DB_JOURNAL_UNLINKED) /* account_unlink() has done it */
                commits_settle(db, priv, dir_of(priv));
        bool commit = rollback_commit(db, priv, use);
        if (commit && how != VIGIL_DB_JOURNAL_UNLINKED) {
                priv->journal_ends++;
                priv->journal_end_ns = bpf_ktime_get_boot_ns();
        }
        txn_end(db);
        return commit;
}

static __always_inline void journal_written(struct vigil_db *db, struct db_priv *priv, struct vigil_proc *p,
                                            struct vigil_use *use, const struct io *io)
{
        __u64 head[2] = {};

        if (db->txn == VIGIL_TXN_NONE) { /* locking_mode EXCLUSIVE: no lock call tells of a new transaction */
                rollback_begin(db, priv, p, VIGIL_TXN_ROLLBACK, io->ns, 0);
                if (use->locks & (VIGIL_LOCK_RESERVED | VIGIL_LOCK_EXCLUSIVE))
                        flags_set(&db->flags, VIGIL_DB_EXCLUSIVE);
        }
        if (io->offset == 0 && io->ret >= JOURNAL_HDR_MIN) {
                if (bpf_probe_read_user(head, JOURNAL_HDR_MIN, (void *)io->buf)) {
                        COUNT(read_faults);
                } else if (head[0] == JOURNAL_MAGIC) {
                        db->journal_hot = !(db->file[VIGIL_ROLE_JOURNAL].flags & VIGIL_LEDGER_UNLINKED);
                } else if (head[0] == 0 && (db->journal_hot || io->ret == JOURNAL_ZEROS)) {
                        journal_ended(db, priv, use, VIGIL_DB_JOURNAL_ZEROED);
                        return;
                }
        }
        db->txn_journal_writes++;
        rollback_journaled(priv, io);
}

/* ---- main file ---- */

/* What it had locked when its watch began has been looked for, or it began under watch. */
static __always_inline bool locks_are_known(const struct db_priv *priv, const struct vigil_proc *p,
                                            const struct vigil_use *use)
{
        return !(use->flags & VIGIL_USE_SEEN_LATE) || (priv->seeded && !p->uses_lost);
}

/* Copies a file into place, or the like: it has no lock on the database, whatever it did before, and no transaction of its own.
 * SQLite without locks (unix-none) and with a journal has one. */
static __always_inline bool is_stranger(const struct vigil_db *db, const struct db_priv *priv,
                                        const struct vigil_proc *p, const struct vigil_use *use)
{
        return !use->locks && !(db->txn && txn_is_mine(db)) && locks_are_known(priv, p, use);
}

static __always_inline bool has_file(const struct vigil_db *db, __u32 role)
{
        return db->file[role].ino && !(db->file[role].flags & VIGIL_LEDGER_UNLINKED);
}

/* Why @use writes the main file, when no transaction of its own has told of that. Each of them takes RESERVED, which locking_mode
 * EXCLUSIVE keeps: who writes under EXCLUSIVE without it brings in what a WAL or a journal holds, seen or written before the watch. */
static __always_inline __u32 main_write_kind(const struct vigil_db *db, const struct vigil_use *use)
{
        bool brings_in = use->locks & VIGIL_LOCK_EXCLUSIVE && !(use->locks & VIGIL_LOCK_RESERVED);

        if (has_file(db, VIGIL_ROLE_WAL) && (brings_in || db->flags & VIGIL_DB_WAL_SEEN))
                return VIGIL_TXN_CHECKPOINT; /* at close, or in locking_mode EXCLUSIVE */
        return brings_in && has_file(db, VIGIL_ROLE_JOURNAL) ? VIGIL_TXN_RECOVERY : VIGIL_TXN_ROLLBACK;
}

static __always_inline void main_written(struct vigil_db *db, struct db_priv *priv, struct vigil_proc *p,
                                         struct vigil_use *use, const struct io *io)
{
        if (!db->page_size && io->ret >= 512 && !(io->ret & (io->ret - 1)) && io->ret <= 65536)
                db->page_size = (__u32)io->ret;
        if (io->offset < CHANGE_COUNTER + 4 || !io->buf) /* where a copy went to is not always known */
                priv->counter_seen = 0;                  /* until rollback_wrote() has read it */
        if (is_stranger(db, priv, p, use)) {
                flags_set(&use->flags, VIGIL_USE_UNLOCKED);
                return;
        }
        if (use->locks & VIGIL_LOCK_WAL_CKPT || db->txn == VIGIL_TXN_CHECKPOINT) {
                db->ckpt_db_writes++;
                return;
        }
        if (db->txn == VIGIL_TXN_NONE || db->txn == VIGIL_TXN_WAL) {
                __u32 kind = main_write_kind(db, use);

                rollback_begin(db, priv, p, kind, io->ns, 0);
                if (kind == VIGIL_TXN_CHECKPOINT) {
                        db->ckpt_db_writes = 1;
                        if (use->locks & VIGIL_LOCK_EXCLUSIVE) /* frames that are left of one were rolled back */
                                priv->wal_txn_end = db->wal_commit_end;
                        return;
                }
                if (kind == VIGIL_TXN_RECOVERY)
                        db->journal_hot = 1;
        }
        db->txn_db_writes++;
        if (!txn_is_of(db, p))
                return;
        rollback_wrote(priv, io);
        if (has_no_journal(db) && !(use->flags & VIGIL_USE_SECOND_NAME)) /* then it has one that is not watched */
                unjournaled_wrote(db, priv, use);
}

/* A write to a file of @db returned @io->ret > 0. */
static __always_inline void account_write(struct vigil_db *db, struct db_priv *priv, struct vigil_ledger *l,
                                          struct vigil_proc *p, struct vigil_use *use, __u32 role,
                                          const struct io *io)
{
        txn_of_others(db);
        fs_settle(db, priv, l, role);
        ledger_written(l, io);
        use->writes++;
        use->bytes += (__u64)io->ret;
        flags_set(&use->flags, VIGIL_USE_WROTE);
        use->last_ns = io->ns;
        if (role == VIGIL_ROLE_WAL)
                wal_written(db, priv, p, use, io);
        else if (role == VIGIL_ROLE_JOURNAL)
                journal_written(db, priv, p, use, io);
        else if (role == VIGIL_ROLE_MAIN)
                main_written(db, priv, p, use, io);
        if (io->synced) {
                __u64 commits = commits_of(db, priv, role); /* before what was written is looked at: others go on */

                if (l->durable >= l->written)
                        commits_synced(db, priv, role, l->written, commits);
        }
}

/* A file of the database was taken: a journal is then neither a commit nor a recovery. */
static __always_inline void account_taken(struct vigil_db *db, __u32 role, __u32 taken)
{
        if (role == VIGIL_ROLE_WAL)
                db->flags |= VIGIL_DB_WAL_TAKEN;
        else if (role == VIGIL_ROLE_JOURNAL)
                db->flags |= VIGIL_DB_JOURNAL_TAKEN;
        else if (taken & (VIGIL_TAKEN_IN_USE | VIGIL_TAKEN_WAL | VIGIL_TAKEN_HOT))
                db->flags |= VIGIL_DB_MAIN_TAKEN;
        if (role == VIGIL_ROLE_JOURNAL)
                db->journal_hot = 0;
}

/* @taken: enum vigil_taken_flag; 0: SQLite did it, or nobody needed it. */
static __always_inline void account_truncate(struct vigil_db *db, struct db_priv *priv, struct vigil_ledger *l,
                                             struct vigil_use *use, __u32 role, __u64 size, __u32 taken)
{
        txn_of_others(db);
        if (taken)
                account_taken(db, role, taken);
        __sync_fetch_and_add(&l->truncates, 1);
        if (size == 0) {
                ledger_emptied(l);
                if (role == VIGIL_ROLE_MAIN)
                        priv->main_synced = l->written;
        } else if (size < l->end) {
                l->end = size;
        }
        l->size = size;
        if (l->written > l->durable + size) /* what has been cut off cannot be lost any more */
                l->durable = l->written - size;
        if (role == VIGIL_ROLE_MAIN && size < CHANGE_COUNTER + 4)
                priv->counter_seen = 0;
        if (role == VIGIL_ROLE_MAIN && db->txn == VIGIL_TXN_CHECKPOINT && txn_is_mine(db))
                txn_end(db); /* the last that a complete checkpoint does to it, but for the sync */
        else if (role == VIGIL_ROLE_WAL && size == 0)
                wal_emptied(db, priv, use, taken);
        else if (role == VIGIL_ROLE_JOURNAL && size == 0 && !taken)
                journal_ended(db, priv, use, VIGIL_DB_JOURNAL_TRUNCATED);
}

static __always_inline void account_dirop(struct db_priv *priv, __u64 ns)
{
        struct dir *dir = dir_of(priv);

        if (!dir)
                return;
        __sync_fetch_and_add(&dir->ops, 1);
        dir->last_op_ns = ns;
}

/* The -journal has lost its name. From here on a commit that it ended, also one before by truncation or zeroing, is durable with
 * the directory. */
static __always_inline void journal_unlinked(struct vigil_db *db, struct db_priv *priv, struct vigil_use *use,
                                             struct dir *dir, __u32 taken)
{
        bool commit = !taken && journal_ended(db, priv, use, VIGIL_DB_JOURNAL_UNLINKED);

        if (!commit && priv->journal_ends_durable == priv->journal_ends)
                return;
        priv->journal_ends_durable = priv->journal_ends;
        priv->last_commit_dirop = dir ? dir->ops : ~0ULL;
}

static __always_inline void account_unlink(struct vigil_db *db, struct db_priv *priv, struct vigil_ledger *l,
                                           struct vigil_use *use, __u32 role, __u32 taken, __u64 ns)
{
        struct dir *dir = dir_of(priv);

        txn_of_others(db);
        if (taken)
                account_taken(db, role, taken);
        commits_settle(db, priv, dir);
        __sync_fetch_and_add(&l->unlinks, 1);
        l->flags |= VIGIL_LEDGER_UNLINKED;
        if (dir) {
                __sync_fetch_and_add(&dir->ops, 1);
                dir->last_op_ns = ns;
        }
        if (role == VIGIL_ROLE_WAL) {
                ledger_emptied(l);
                wal_emptied(db, priv, use, taken);
                if (db->txn == VIGIL_TXN_CHECKPOINT)
                        txn_end(db);
        } else if (role == VIGIL_ROLE_JOURNAL) {
                ledger_emptied(l);
                journal_unlinked(db, priv, use, dir, taken);
        }
}

#endif
