// SPDX-License-Identifier: GPL-2.0-only
/* seed.bpf.c - what was there before the watch began: processes that have a watched file open, and the kernel's own
 * numbers of our own descriptors (stat() numbers differ on overlayfs and btrfs). */
#include "act.h"

char LICENSE[] SEC("license") = "GPL";

__u32 seed_mode = SEED_ALL;
__u32 seed_tgid = 0; /* of whom; 0: of everybody */

static __always_inline void seed_fill(struct seed_entry *e, struct task_struct *task, struct file *file, __u32 fd,
                                      const struct file_key *key)
{
        struct inode *inode = BPF_CORE_READ(file, f_inode);
        struct file_key dir;

        inode_key(BPF_CORE_READ(file_dentry(file), d_parent, d_inode), &dir);
        e->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
        e->ino = key->ino;
        e->dev = key->dev;
        e->dir_ino = dir.ino;
        e->dir_dev = dir.dev;
        e->fs_magic = BPF_CORE_READ(inode, i_sb, s_magic);
        e->inode = (__u64)inode;
        e->files = (__u64)BPF_CORE_READ(task, files);
        e->generation = BPF_CORE_READ(inode, i_generation);
        e->tgid = (__u32)BPF_CORE_READ(task, tgid);
        e->fd = fd;
}

/* As use_get(), but through no memory of its CPU: a probe may interrupt the iterator. */
static __always_inline struct vigil_use *seed_use(struct vigil_proc *p, __u32 db)
{
        __u64 i = (__u32)use_take(p->id.tgid, db);

        FIX(i);
        if (i < VIGIL_USES)
                return &p->use[i];
        p->uses_lost++;
        COUNT(uses_lost);
        return NULL;
}

/* Who has the same open file under the same number as its parent has got it by fork. */
static __always_inline bool is_inherited(struct task_struct *task, __u32 fd, struct file *file)
{
        struct task_struct *leader = BPF_CORE_READ(task, group_leader);
        struct task_struct *parent = BPF_CORE_READ(leader, real_parent);
        struct fdtable *fdt = BPF_CORE_READ(parent, files, fdt);
        struct file **slot = BPF_CORE_READ(fdt, fd), *its = NULL;

        if (fd >= BPF_CORE_READ(fdt, max_fds))
                return false;
        bpf_probe_read_kernel(&its, sizeof(its), slot + fd);
        return its == file;
}

struct owner_search {
        struct list_head *node, *head;
        void *owner;
        __u64 found;
};

static long owner_step(__u32 i, void *ctx)
{
        struct owner_search *q = ctx;
        struct list_head *node = q->node;
        struct lock_view v;

        (void)i;
        if (!node || node == q->head)
                return 1;
        lock_view_read(&v, node);
        q->found = v.owner == q->owner;
        q->node = BPF_CORE_READ(node, next);
        return q->found ? 1 : 0;
}

/* True when the owner of the locks, a descriptor table, has one on the file: then it uses the file, however it got it. One that it
 * shares with its parent tells nothing. */
static __always_inline bool has_lock(struct task_struct *task, struct file *file)
{
        struct files_struct *files = BPF_CORE_READ(task, files);
        struct file_lock_context *flctx = BPF_CORE_READ(file, f_inode, i_flctx);
        struct owner_search q = {.owner = files};

        if (!flctx || files == BPF_CORE_READ(task, group_leader, real_parent, files))
                return false;
        struct list_head *head = (void *)flctx + bpf_core_field_offset(struct file_lock_context, flc_posix);
        q.head = head;
        q.node = BPF_CORE_READ(head, next);
        repeat(LOCKS_WALKED, owner_step, &q);
        return q.found;
}

/* A descriptor that was merely inherited makes no participant; marked, it becomes one by its first use. */
static __always_inline bool merely_inherits(struct task_struct *task, __u32 tgid, __u32 fd, struct file *file)
{
        struct mark *m = mark_of(tgid), new = {.flags = MARK_INHERITS};

        if (part_of(tgid) || has_lock(task, file) || !is_inherited(task, fd, file))
                return false;
        if (m)
                m->flags |= MARK_INHERITS;
        else if (bpf_map_update_elem(&marks, &tgid, &new, BPF_ANY))
                COUNT(full_procs);
        return true;
}

/* What it did with the file before its watch began is not known. */
static __always_inline void seen_late(struct vigil_use *use, const struct file_ref *ref)
{
        struct vigil_db *db = db_get(ref->db);
        struct vigil_ledger *l = db ? ledger_of(db, ref->role) : NULL;

        use->flags |= VIGIL_USE_SEEN_LATE;
        if (l)
                l->flags |= VIGIL_LEDGER_SEEN_LATE;
}

struct name_comparison {
        const unsigned char *name; /* kernel memory */
        const struct db_priv *priv;
        __u32 len;
        __u32 differ;
};

static long name_step(__u32 i, void *ctx)
{
        struct name_comparison *q = ctx;
        char c = 0;

        if (i >= q->len)
                return 1;
        bpf_probe_read_kernel(&c, 1, q->name + i);
        q->differ = c != q->priv->name[i & (VIGIL_NAME_MAX - 1)];
        return q->differ ? 1 : 0;
}

/* 1 when the file at @file_addr was opened by another name than that of the main file of @db. */
GLOBAL int has_other_name(__u64 file_addr, __u32 db)
{
        struct dentry *dentry = file_dentry((struct file *)file_addr);
        struct name_comparison q = {.name = BPF_CORE_READ(dentry, d_name.name),
                                    .priv = db_priv(db),
                                    .len = BPF_CORE_READ(dentry, d_name.len)};
        const struct db_priv *priv = q.priv;
        struct file_key dir;

        if (!priv)
                return 0;
        inode_key(BPF_CORE_READ(dentry, d_parent, d_inode), &dir);
        if (q.len != priv->name_len || dir.ino != priv->dir.ino || dir.dev != priv->dir.dev)
                return 1;
        repeat(VIGIL_NAME_MAX, name_step, &q);
        return (int)q.differ;
}

/* Which database @file was opened as, into @ref. True: as none, though it is a watched main file. */
static __always_inline bool seed_name(__u64 file, struct file_ref *ref)
{
        if (ref->role != VIGIL_ROLE_MAIN || !has_other_name(file, ref->db))
                return false;
        if (!ref->second || has_other_name(file, ref->second))
                return true;
        ref->db = ref->second;
        return false;
}

/* Its last thread is on the way out and has passed the probe that tells of deaths, or is about to: who becomes a participant behind
 * that stays one for ever. Its descriptors are there for a while yet. */
static __always_inline bool is_leaving(struct task_struct *task)
{
        return BPF_CORE_READ(task, signal, live.counter) == 0;
}

/* Process @tgid, whose task is at @addr, has descriptor @fd open on the file of @ref. False: it is not to be told of. It may be
 * seen more than once: the kernel asks again for what did not fit into its buffer. */
static __always_inline bool seed_adopt(__u64 addr, __u32 tgid, __u32 fd, const struct file_ref *ref,
                                       bool other_name)
{
        bool fresh = !part_of(tgid);
        struct db_priv *priv = db_priv(ref->db);

        part_new(addr, tgid, 0);
        struct vigil_proc *p = part_of(tgid);
        if (!p || !priv || p->flags & VIGIL_PROC_DEAD)
                return false;
        p->flags |= fresh ? VIGIL_PROC_SEEN_LATE : 0;
        struct vigil_use *use = seed_use(p, ref->db);
        if (!use)
                return true;
        /* Also of one that we have seen at work since the watch began. Later who was seen from the first use on is not late. */
        if (!use->flags || !priv->seeded)
                seen_late(use, ref);
        if (ref->role == VIGIL_ROLE_MAIN) {
                use->flags |= VIGIL_USE_OPENED;
                main_fd_add(tgid, use, (__s32)fd);
                if (other_name)
                        use->flags |= VIGIL_USE_SECOND_NAME;
        }
        return true;
}

SEC("iter/task_file")
int iter__task_file(struct bpf_iter__task_file *ctx)
{
        struct task_struct *task = ctx->task;
        struct file *file = ctx->file;
        struct seed_entry e = {};
        struct file_ref *ref, mine;
        struct file_key key;
        struct mark *m;
        __u32 tgid;

        if (!task || !file)
                return 0;
        tgid = (__u32)task->tgid;
        if (seed_tgid && tgid != seed_tgid)
                return 0;
        inode_key(BPF_CORE_READ(file, f_inode), &key);
        seed_fill(&e, task, file, ctx->fd, &key);
        if (seed_mode != SEED_ALL) {
                m = mark_of(tgid);
                if ((m && m->flags & MARK_OWN) || is_leaving(task))
                        return 0;
                ref = file_ref_of(BPF_CORE_READ(file, f_inode), &key);
                if (!ref || BPF_CORE_READ(file, f_mode) & FMODE_PATH)
                        return 0;
                mine = *ref;
                __u64 addr = 0, file_addr = 0; /* as numbers: a function of its own takes no typed pointers */
                bpf_probe_read_kernel(&addr, sizeof(addr), &ctx->task);
                bpf_probe_read_kernel(&file_addr, sizeof(file_addr), &ctx->file);
                e.other_name = seed_name(file_addr, &mine);
                if (seed_mode == SEED_ADOPT && (merely_inherits(task, tgid, ctx->fd, file) ||
                                                !seed_adopt(addr, tgid, ctx->fd, &mine, e.other_name)))
                        return 0;
                e.db = mine.db;
                e.role = mine.role;
        }
        bpf_seq_write(ctx->meta->seq, &e, sizeof(e));
        return 0;
}
