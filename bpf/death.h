/* death.h - what a participant held at its last instant: locks from the inodes' own lists, open descriptors, ledgers.
 *
 * sched_process_exit runs before exit_files: descriptors are still open and locks still held (kernel/exit.c, do_exit). */
#ifndef VIGIL_DEATH_H
#define VIGIL_DEATH_H

#include "act.h"

/* Adds the bits of one lock to *@bits, read marks included. SQLite's adjacent bytes merge into one range: decode by overlap.
 * The sum is kept in memory: in a register the verifier would follow each of its values. */
static __always_inline void view_bits(const struct lock_view *v, __u32 role, volatile __u64 *bits)
{
        bool wr = v->type == F_WRLCK;

#define OVERLAPS(first, last) (v->start <= (last) && v->end >= (first))
        if (role == VIGIL_ROLE_SHM) {
                if (OVERLAPS(120, 120))
                        *bits |= VIGIL_LOCK_WAL_WRITE;
                if (OVERLAPS(121, 121))
                        *bits |= VIGIL_LOCK_WAL_CKPT;
                if (OVERLAPS(122, 122))
                        *bits |= VIGIL_LOCK_WAL_RECOVER;
                if (OVERLAPS(123, 123))
                        *bits |= wr ? VIGIL_LOCK_WAL_READ0_WR : VIGIL_LOCK_WAL_READ0;
                for (int i = 1; i < 5; i++)
                        if (OVERLAPS(123 + i, 123 + i))
                                *bits |= wr ? (__u64)VIGIL_LOCK_WAL_RESET : (__u64)VIGIL_LOCK_WAL_READ0 << i;
                if (OVERLAPS(128, 128))
                        *bits |= VIGIL_LOCK_DMS;
                return;
        }
        if (OVERLAPS(0x40000000LL, 0x40000000LL) && wr)
                *bits |= VIGIL_LOCK_PENDING;
        if (OVERLAPS(0x40000001LL, 0x40000001LL) && wr)
                *bits |= VIGIL_LOCK_RESERVED;
        if (OVERLAPS(0x40000002LL, 0x400001ffLL))
                *bits |= wr ? VIGIL_LOCK_EXCLUSIVE : VIGIL_LOCK_SHARED;
#undef OVERLAPS
}

/* Keeps one lock of the owner for later: what it means is worked out behind the walk, once for each that was found. */
static __always_inline void view_keep(struct scratch *s, const struct lock_view *v)
{
        __u64 n = *(volatile __u64 *)&s->nviews;

        s->nviews++;
        if (n < LOCK_VIEWS) {
                FIX(n);
                s->view[n] = *v;
        }
}

struct lock_walk {
        struct scratch *s;
        struct list_head *node, *head;
        void *owner;
};

static long lock_step(__u32 i, void *ctx)
{
        struct lock_walk *w = ctx;
        struct list_head *node = w->node;
        struct lock_view v;

        (void)i;
        if (!node || node == w->head)
                return 1;
        lock_view_read(&v, node);
        if (v.owner == w->owner)
                view_keep(w->s, &v);
        w->node = BPF_CORE_READ(node, next);
        return 0;
}

/* Collects the locks of @owner on @inode in scratch.view. The list is not locked while it is walked: entries of the dying process
 * cannot change any more, entries of others may, which ends the walk early at worst. Returns 1 when it was walked whole. */
GLOBAL int locks_held(__u64 inode_addr, __u64 owner)
{
        struct inode *inode = (struct inode *)inode_addr;
        struct file_lock_context *flctx = BPF_CORE_READ(inode, i_flctx);
        struct lock_walk w = {.s = scratch(), .owner = (void *)owner};

        if (!w.s || !flctx)
                return 1;
        struct list_head *head = (void *)flctx + bpf_core_field_offset(struct file_lock_context, flc_posix);
        w.head = head;
        w.node = BPF_CORE_READ(head, next);
        repeat(LOCKS_WALKED, lock_step, &w);
        return !w.node || w.node == w.head;
}

#define LOCK_WALKS 3 /* in vain, before it counts as too long to be walked */

/* What has the address and the number of a file of @db is another file by now: both are given anew at once when one is removed. Or
 * its inode is freed: its list of locks may be another's already, though the rest of it looks as ever. A file that was bound and is
 * not any more is no other one. */
static __always_inline bool is_another(const struct vigil_db *db, struct db_priv *priv, __u32 role)
{
        struct inode *inode = (void *)priv->inode[role];
        struct file_key key = priv->key[role];
        struct file_ref *ref = bpf_map_lookup_elem(&files, &key);

        if (LOAD(inode, i_count.counter) <= 0)
                return true;
        if (!ref || (db->flags & VIGIL_DB_SHARED_MAIN && role == VIGIL_ROLE_MAIN))
                return false;
        return ref->db != db->id || ref->role != role || !file_ref_of(inode, &key);
}

/* Again from its head when another process has taken back the very lock that the walk stood on: that one leads to itself then. */
static __always_inline int role_locks(struct scratch *s, struct vigil_db *db, struct db_priv *priv, __u64 owner,
                                      __u32 role)
{
        int whole = 0;

        if (!inode_is((void *)priv->inode[role], &priv->key[role]) || is_another(db, priv, role))
                return 1;
        for (int i = 0; i < LOCK_WALKS && !whole; i++) {
                s->nviews = 0;
                whole = locks_held(priv->inode[role], owner);
        }
        for (__u64 i = 0; i < LOCK_VIEWS; i++)
                if (i < s->nviews)
                        view_bits(&s->view[i], role, &s->bits);
        return whole && s->nviews <= LOCK_VIEWS;
}

/* True when descriptor @fd of @fs is open on the main file of @priv. */
static __always_inline bool fd_is_main(struct files_struct *fs, __s32 fd, struct db_priv *priv)
{
        struct fdtable *fdt = BPF_CORE_READ(fs, fdt);
        struct file **slot = BPF_CORE_READ(fdt, fd);
        struct file *file = NULL;

        if (fd < 0 || (__u32)fd >= BPF_CORE_READ(fdt, max_fds))
                return false;
        bpf_probe_read_kernel(&file, sizeof(file), slot + fd);
        return file && (__u64)BPF_CORE_READ(file, f_inode) == priv->inode[VIGIL_ROLE_MAIN];
}

/* Adds up in scratch.bits what is locked of database @id by @owner, the address of a descriptor table. Returns 1 when every list
 * was walked whole. */
GLOBAL int db_locks(__u32 id, __u64 owner)
{
        struct scratch *s = scratch();
        struct db_priv *priv = db_priv(id);
        struct vigil_db *db = db_get(id);

        if (!s || !priv || !db)
                return 0;
        s->bits = 0;
        int whole = role_locks(s, db, priv, owner, VIGIL_ROLE_MAIN);
        return whole & role_locks(s, db, priv, owner, VIGIL_ROLE_SHM);
}

/* Locks and open descriptors of participant @tgid on its database number @i. */
GLOBAL int use_end(__u32 tgid, __u64 i, __u64 files_addr)
{
        struct vigil_proc *p = part_of(tgid);
        struct files_struct *fs = (struct files_struct *)files_addr;
        struct scratch *s = scratch();

        if (!p || !s || i >= VIGIL_USES)
                return 0;
        FIX(i);
        struct vigil_use *use = &p->use[i];
        struct db_priv *priv = db_priv(use->db);
        if (!priv)
                return 0;
        int whole = db_locks(use->db, files_addr);
        use->locks_at_end = (__u32)s->bits;
        if (!whole && fds_walk(files_addr, use->db)) /* who has closed the file has no lock on it */
                use->flags |= VIGIL_USE_LOCKS_UNKNOWN;
        struct vigil_db *db = db_get(use->db);
        if (!db || is_another(db, priv, VIGIL_ROLE_MAIN))
                return 0;
        for (int n = 0; n < VIGIL_MAIN_FDS; n++)
                if (n < (int)use->main_opens && fd_is_main(fs, use->main_fd[n], priv))
                        use->flags |= VIGIL_USE_OPEN_AT_END;
        if (use->flags & VIGIL_USE_OPEN_AT_END)
                return 0;
        if (use->main_opens > VIGIL_MAIN_FDS || use->flags & VIGIL_USE_FDS_UNKNOWN) {
                use->flags &= ~VIGIL_USE_FDS_UNKNOWN;
                use->flags |= (__u32)fds_walk(files_addr, use->db);
        }
        return 0;
}

/* Brings the account of database @id up to date: sizes of its files, what syncs of directory and file system covered. */
GLOBAL int db_settle(__u32 id)
{
        struct vigil_db *db = db_get(id);
        struct db_priv *priv = db_priv(id);

        if (!db || !priv)
                return 0;
        for (int r = VIGIL_ROLE_MAIN; r <= VIGIL_ROLE_JOURNAL; r++) {
                struct inode *inode = (void *)priv->inode[r];

                fs_settle(db, priv, &db->file[r], (__u32)r);
                if (db->file[r].flags & VIGIL_LEDGER_UNLINKED || !inode_is(inode, &priv->key[r]))
                        continue;
                db->file[r].size = (__u64)BPF_CORE_READ(inode, i_size);
                db->file[r].flags |= VIGIL_LEDGER_SIZED;
        }
        wal_settle(db, priv);
        struct dir *dir = dir_of(priv);
        commits_settle(db, priv, dir);
        if (dir) {
                struct vigil_ledger *l = &db->file[VIGIL_ROLE_DIRECTORY];
                l->ino = priv->dir.ino;
                l->dev = priv->dir.dev;
                l->written = dir->ops;
                l->durable = dir->durable;
                l->sync_errors = dir->errors;
        }
        return 0;
}

/* One VIGIL_EXIT_DB: database number @i of participant @tgid as it was at the death. */
GLOBAL int exit_db_emit(__u32 tgid, __u64 i)
{
        struct vigil_proc *p = part_of(tgid);
        struct scratch *s = scratch();

        if (!p || !s || i >= VIGIL_USES)
                return 0;
        FIX(i);
        struct vigil_use *use = &p->use[i];
        struct vigil_db *db = db_get(use->db);
        struct db_priv *priv = db_priv(use->db);
        if (!db || !priv)
                return 0;
        if (db->txn && db->txn_tgid == p->id.tgid && db->txn_start_ns == p->id.start_ns)
                use->flags |= VIGIL_USE_TXN_OWNER;
        __sync_fetch_and_add(&db->users, -1);
        db_settle(use->db);
        struct vigil_exit_db *r = &s->rec.exit_db;
        r->id = p->id;
        r->use = *use;
        bpf_probe_read_kernel(&r->db, sizeof(r->db), db);
        hdr_fill(&r->hdr, VIGIL_EXIT_DB, sizeof(*r));
        if (emit_urgent(r, sizeof(*r)))
                COUNT(snaps_lost);
        /* A transaction dies with its process: the database has none any more. Whoever rolls it back may do so unseen. */
        if (use->flags & VIGIL_USE_TXN_OWNER) {
                struct db_priv *priv = db_priv(use->db);

                txn_end(db);
                if (priv)
                        priv->counter_seen = 0;
        }
        return 0;
}

/* What the dying participant @tgid, with the descriptor table at @files_addr, still has locked and open. */
GLOBAL int part_look(__u32 tgid, __u64 files_addr)
{
        struct files_struct *fs = (struct files_struct *)files_addr;
        struct vigil_proc *p = part_of(tgid);

        if (!p)
                return 0;
        for (__u64 i = 0; i < VIGIL_USES; i++)
                if (p->use[i].db)
                        use_end(tgid, i, files_addr);
        /* Threads that are past exit_signals but not past exit_files still count: they are no sharers. */
        p->threads = (__u32)BPF_CORE_READ(fs, count.counter);
        if ((int)p->threads > BPF_CORE_READ(current_task(), signal, nr_threads))
                p->flags |= VIGIL_PROC_SHARED_FILES;
        return 0;
}

/* POSIX locks go with their descriptors: an exec keeps those of descriptors that are not close-on-exec. What participant @tgid, with
 * the descriptor table at @files_addr, has kept is what it had, too; it goes into scratch.kept. */
GLOBAL int exec_look(__u32 tgid, __u64 files_addr)
{
        struct vigil_proc *p = part_of(tgid);
        struct scratch *s = scratch();

        if (!p || !s)
                return 0;
        for (__u64 i = 0; i < VIGIL_USES; i++) {
                struct vigil_use *use = &p->use[i];

                s->kept[i].db = use->db;
                s->kept[i].locks = 0;
                if (!use->db || !use->locks) /* read marks come with others */
                        continue;
                if (!db_locks(use->db, files_addr))
                        use->flags |= VIGIL_USE_LOCKS_UNKNOWN;
                s->kept[i].locks = (__u32)s->bits;
                use->locks_at_end |= (__u32)s->bits;
        }
        return 0;
}

/* The program that participant @tgid is from here on has @locks on database @db, and never asked for them. */
GLOBAL int exec_keep(__u32 tgid, __u32 db, __u32 locks)
{
        struct vigil_proc *p = part_make(tgid);
        struct vigil_use *use = p ? use_get(p, db) : NULL;

        if (!use)
                return 0;
        use->flags |= VIGIL_USE_KEPT | VIGIL_USE_INHERITED | VIGIL_USE_FDS_UNKNOWN;
        use->locks = locks;
        return 0;
}

/* Ends the account of participant @tgid: its record, then one for each of its databases. */
GLOBAL int part_end(__u32 tgid, __u32 type)
{
        struct vigil_proc *p = part_of(tgid);

        if (!p)
                return 0;
        hdr_fill(&p->hdr, (__u16)type, sizeof(*p));
        bool sent = !emit_urgent(p, sizeof(*p));
        for (__u64 i = 0; i < VIGIL_USES; i++)
                if (p->use[i].db)
                        exit_db_emit(tgid, i);
        if (sent) {
                part_give_back(tgid);
        } else {
                /* Not lost: it stays in its map, marked, until user space collects it. */
                p->flags |= VIGIL_PROC_DEAD;
                COUNT(lost_deaths);
        }
        return 0;
}

#endif
