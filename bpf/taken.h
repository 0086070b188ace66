/* taken.h - a file of a database loses its name or its content: by SQLite, or by somebody who does not hold the locks under
 * which SQLite does that.
 *
 * SQLite removes or empties a -wal under EXCLUSIVE (close, another journal mode), empties it under the WAL write or checkpoint
 * lock, and removes it under SHARED when the main file has no page (pager.c, pagerOpenWalIfPresent). It ends a -journal under
 * RESERVED or EXCLUSIVE, cuts the main file under EXCLUSIVE or the checkpoint lock, and never renames or removes that. */
#ifndef VIGIL_TAKEN_H
#define VIGIL_TAKEN_H

#include "ledger.h"

/* Beside enum vigil_use_flag, in the second argument of taken_flags(). */
#define TAKER_KNOWN (1u << 30) /* it uses the database */
#define TAKER_WROTE (1u << 31) /* and wrote that file last, or after it had begun to */

/* Beside a count of writers, in its last one. */
#define TAKE_BY_NAME (1u << 16) /* the name goes; else the content */

#define TAKE_EMPTIED 512 /* bytes; a file that is cut below has no page left */

/* True while @inode can be looked into: after its last name and its last user it is freed, and its address says nothing. */
static __always_inline bool is_alive(struct inode *inode, const struct file_key *key)
{
        return inode_is(inode, key) && LOAD(inode, i_count.counter) > 0;
}

#define LOCKS_LOOKED_AT 16

/* 1 when somebody has a lock on the inode at @addr: each connection in WAL mode has one on the main file, for life. Locks of
 * open file descriptions are not SQLite's: Vigil takes them while it copies. */
GLOBAL int is_locked(__u64 addr)
{
        struct inode *main = (struct inode *)addr;
        struct file_lock_context *flctx = BPF_CORE_READ(main, i_flctx);
        struct list_head *head, *node;

        if (!flctx)
                return 0;
        head = (void *)flctx + bpf_core_field_offset(struct file_lock_context, flc_posix);
        node = BPF_CORE_READ(head, next);
        for (int i = 0; i < LOCKS_LOOKED_AT; i++) {
                if (!node || node == head)
                        return 0;
                if (!(lock_node_flags(node) & FL_OFDLCK))
                        return 1;
                node = BPF_CORE_READ(node, next);
        }
        return 1;
}

/* 1 when somebody has EXCLUSIVE on the main file of @db. */
static __always_inline int is_exclusive(struct db_priv *priv)
{
        struct inode *main = (struct inode *)priv->inode[VIGIL_ROLE_MAIN];
        struct file_lock_context *flctx;
        struct list_head *head, *node;

        if (!is_alive(main, &priv->key[VIGIL_ROLE_MAIN]))
                return 0;
        flctx = BPF_CORE_READ(main, i_flctx);
        if (!flctx)
                return 0;
        head = (void *)flctx + bpf_core_field_offset(struct file_lock_context, flc_posix);
        node = BPF_CORE_READ(head, next);
        for (int i = 0; i < LOCKS_LOOKED_AT; i++) {
                struct lock_view v;

                if (!node || node == head)
                        return 0;
                lock_view_read(&v, node);
                if (v.type == F_WRLCK && v.end >= 0x40000002LL && v.start <= 0x400001ffLL)
                        return 1;
                node = BPF_CORE_READ(node, next);
        }
        return 0;
}

/* 1 when the file of database @id in @role, which has just lost its name, has it from SQLite itself, whose call has not come
 * to its end. A stranger that removes a file of that name in another directory at the same instant did nothing to this one.
 * SQLite has closed its journal by then, and has EXCLUSIVE while it removes its WAL. */
GLOBAL int is_being_ended(__u32 id, __u32 role)
{
        struct vigil_db *db = db_get(id);
        struct db_priv *priv = db_priv(id);
        struct vigil_proc *owner;
        struct inode *inode;

        if (!db || !priv)
                return 0;
        if (role == VIGIL_ROLE_WAL)
                return is_exclusive(priv);
        if (role != VIGIL_ROLE_JOURNAL || !db->txn)
                return 0;
        owner = part_of(db->txn_tgid);
        if (!owner || owner->flags & VIGIL_PROC_DEAD || owner->id.start_ns != db->txn_start_ns)
                return 0;
        inode = (struct inode *)priv->inode[VIGIL_ROLE_JOURNAL];
        return !is_alive(inode, &priv->key[VIGIL_ROLE_JOURNAL]) || LOAD(inode, i_writecount.counter) <= 0 ||
               LOAD(inode, i_generation) != db->file[VIGIL_ROLE_JOURNAL].generation;
}

/* True when the current process has the file of @role in @db open. */
GLOBAL int is_open_here(__u32 id, __u32 role)
{
        struct db_priv *priv = db_priv(id);
        struct fd_search q = {.inode = priv ? (__u64)inode_of(priv, role) : 0};

        return fd_look(&q, BPF_CORE_READ(current_task(), files));
}

/* SQLite closes its journal before it removes it: whoever has it open while it goes removed it by hand. Nobody's descriptors
 * are looked through unless somebody has it open for writing. */
static __always_inline bool own_journal_by_hand(struct vigil_db *db, struct db_priv *priv)
{
        struct inode *inode = (struct inode *)priv->inode[VIGIL_ROLE_JOURNAL];

        return db->txn == VIGIL_TXN_ROLLBACK && is_alive(inode, &priv->key[VIGIL_ROLE_JOURNAL]) &&
               LOAD(inode, i_generation) == db->file[VIGIL_ROLE_JOURNAL].generation &&
               LOAD(inode, i_writecount.counter) > 0 && is_open_here(db->id, VIGIL_ROLE_JOURNAL);
}

/* The main file of @db, while it can be looked into; else NULL. */
static __always_inline struct inode *main_inode(struct db_priv *priv)
{
        struct inode *main = (struct inode *)priv->inode[VIGIL_ROLE_MAIN];

        return is_alive(main, &priv->key[VIGIL_ROLE_MAIN]) ? main : NULL;
}

static __always_inline bool main_is_empty(struct db_priv *priv)
{
        struct inode *main = main_inode(priv);

        return !main || LOAD(main, i_size) == 0;
}

/* True when SQLite may do that as @use_flags and @locks tell of whoever did it. */
static __always_inline bool may_take(struct vigil_db *db, struct db_priv *priv, __u32 role, __u32 use_flags,
                                     __u32 locks, bool by_name)
{
        if (role == VIGIL_ROLE_JOURNAL && db->txn == VIGIL_TXN_ROLLBACK && txn_is_mine(db))
                return true;
        if (!(use_flags & TAKER_KNOWN))
                return false;
        /* A VFS without these locks (unix-none, unix-dotfile), and whoever took its locks before the watch began. */
        if (!(use_flags & VIGIL_USE_LOCKED) && use_flags & (TAKER_WROTE | VIGIL_USE_SEEN_LATE))
                return role != VIGIL_ROLE_MAIN || !by_name;
        if (role == VIGIL_ROLE_WAL && by_name)
                return locks & VIGIL_LOCK_EXCLUSIVE || (locks & VIGIL_LOCK_SHARED && main_is_empty(priv));
        if (role == VIGIL_ROLE_WAL)
                return locks &
                       (VIGIL_LOCK_EXCLUSIVE | VIGIL_LOCK_WAL_WRITE | VIGIL_LOCK_WAL_CKPT | VIGIL_LOCK_WAL_RECOVER);
        /* Who closed another descriptor of the main file has lost its locks: it still ends its own journal. */
        if (role == VIGIL_ROLE_JOURNAL)
                return locks & (VIGIL_LOCK_RESERVED | VIGIL_LOCK_EXCLUSIVE) || use_flags & TAKER_WROTE;
        return !by_name && locks & (VIGIL_LOCK_EXCLUSIVE | VIGIL_LOCK_RESERVED | VIGIL_LOCK_WAL_CKPT);
}

/* The WAL of @db holds committed frames, as far as is known. */
static __always_inline bool wal_has_commits(struct vigil_db *db, struct db_priv *priv)
{
        const struct vigil_ledger *wal = &db->file[VIGIL_ROLE_WAL];

        if (!wal->ino || wal->flags & VIGIL_LEDGER_UNLINKED)
                return false;
        return priv->wal_txn_end ? db->wal_commit_end > WAL_HDR : wal->size > WAL_HDR;
}

static __always_inline __u32 journal_taken(const struct vigil_db *db)
{
        if (db->txn == VIGIL_TXN_ROLLBACK)
                return db->txn_db_writes ? VIGIL_TAKEN | VIGIL_TAKEN_IN_USE | VIGIL_TAKEN_HOT : 0;
        return db->journal_hot ? VIGIL_TAKEN | VIGIL_TAKEN_HOT : 0;
}

/* What it means that a file of database @id, in @role, is taken: enum vigil_taken_flag; 0: SQLite may do that, or nobody needs
 * the file. @how: how often the actor itself has the main file open for writing by this call, and TAKE_BY_NAME. */
GLOBAL int taken_flags(__u32 id, __u32 role, __u32 use_flags, __u32 locks, __u32 how)
{
        struct vigil_db *db = db_get(id);
        struct db_priv *priv = db_priv(id);
        __u32 users, known = use_flags & TAKER_KNOWN ? 1 : 0, f = VIGIL_TAKEN;
        bool by_name = how & TAKE_BY_NAME, locked;
        struct inode *main;
        int writers;

        if (!db || !priv)
                return 0;
        bool by_hand = role == VIGIL_ROLE_JOURNAL && by_name && own_journal_by_hand(db, priv);
        if (!by_hand && may_take(db, priv, role, use_flags, locks, by_name))
                return 0;
        if (role == VIGIL_ROLE_JOURNAL)
                return db->file[VIGIL_ROLE_MAIN].flags & VIGIL_LEDGER_UNLINKED ? 0 : (int)journal_taken(db);
        main = main_inode(priv);
        locked = main && is_locked((__u64)main);
        if (wal_has_commits(db, priv))
                f |= VIGIL_TAKEN_WAL;
        if (role == VIGIL_ROLE_WAL) {
                if (db->file[VIGIL_ROLE_MAIN].flags & VIGIL_LEDGER_UNLINKED || !(locked || f & VIGIL_TAKEN_WAL))
                        return 0;
                return (int)(locked ? f | VIGIL_TAKEN_IN_USE : f);
        }
        if (role != VIGIL_ROLE_MAIN)
                return 0;
        if (!by_name && !db->file[VIGIL_ROLE_MAIN].end && !db->file[VIGIL_ROLE_MAIN].size)
                return 0; /* there was nothing in it */
        users = db->users > known ? db->users - known : 0;
        writers = main ? LOAD(main, i_writecount.counter) - (int)(how & 0xff) : 0;
        bool mine = use_flags & (VIGIL_USE_LOCKED | VIGIL_USE_WROTE);
        if (locked || (writers > 0 && (users || mine)))
                f |= VIGIL_TAKEN_IN_USE;
        if (db->journal_hot)
                f |= VIGIL_TAKEN_HOT;
        if (mine && !users)
                f |= VIGIL_TAKEN_OWN;
        return (int)f;
}

struct comparison {
        const char *a, *b;
        __u64 differ;
};

static long compare_step(__u32 i, void *ctx)
{
        struct comparison *c = ctx;
        __u64 at = i & (VIGIL_NAME_MAX - 1);

        c->differ = c->a[at] != c->b[at];
        return c->differ || !c->a[at];
}

/* True when @dentry_addr has the name in scratch.name, with @other that in scratch.base2. */
GLOBAL int dentry_is(__u64 dentry_addr, int other)
{
        struct scratch *s = scratch();

        if (!s)
                return 0;
        struct comparison c = {.a = s->text, .b = other ? s->base2.name : s->name.name};
        __builtin_memset(s->text, 0, VIGIL_NAME_MAX);
        if (!dentry_name((struct dentry *)dentry_addr, s->text))
                return 0;
        repeat(VIGIL_NAME_MAX, compare_step, &c);
        return !c.differ;
}

#define NAMES_LOOKED_AT 8

enum { STANDS_UNKNOWN, STANDS_THERE, STANDS_ELSEWHERE };

/* Where the file is that has @role in database @id: under the name in scratch.name in the directory of the database, or renamed from
 * that to the one in scratch.base2. Of its names only those are looked at that the kernel keeps: one that it has forgotten may be
 * the one it still has. */
GLOBAL int file_stands(__u32 id, __u32 role)
{
        struct scratch *s = scratch();
        struct db_priv *priv = db_priv(id);
        struct inode *inode = priv ? inode_of(priv, role) : NULL;
        struct file_key *key = priv ? key_of(priv, role) : NULL, dir;
        struct hlist_node *node;

        if (!s || !key || !inode || !inode_is(inode, key) || LOAD(inode, i_nlink) == 0)
                return 0;
        if (!bpf_core_field_exists(((struct dentry *)0)->d_u.d_alias))
                return 0;
        node = BPF_CORE_READ(inode, i_dentry.first);
        /* Without the other name, which was too long, its only one tells. With it, a file that was away already is not the one of its
         * name in some other directory. */
        int moved = node && LOAD(inode, i_nlink) == 1 && !s->base2.name[0];
        for (int i = 0; node && i < NAMES_LOOKED_AT; i++) {
                struct dentry *dentry = (void *)node - bpf_core_field_offset(struct dentry, d_u.d_alias);

                inode_key(LOAD2(dentry, d_parent, d_inode), &dir);
                if (dir.ino == priv->dir.ino && dir.dev == priv->dir.dev && dentry_is((__u64)dentry, 0))
                        return STANDS_THERE;
                if (dentry_is((__u64)dentry, 1))
                        moved = 1;
                node = BPF_CORE_READ(node, next);
        }
        return moved ? STANDS_ELSEWHERE : STANDS_UNKNOWN;
}

#endif
