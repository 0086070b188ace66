// SPDX-License-Identifier: GPL-2.0-only
/* seed.bpf.c - what was there before the watch began: processes that have a watched file open, and the kernel's own
 * numbers of our own descriptors (stat() numbers differ on overlayfs and btrfs). */
#include "act.h"

char LICENSE[] SEC("license") = "GPL";

/* Names in seed_tgid's descriptors are answered; 0: every process that has a watched file open becomes a participant. */
__u32 seed_tgid = 0;

static __always_inline void seed_fill(struct seed_entry *e, struct task_struct *task, struct file *file, __u32 fd,
                                      const struct file_key *key)
{
        struct inode *inode = BPF_CORE_READ(file, f_inode);
        struct file_key dir;

        inode_key(BPF_CORE_READ(file, f_path.dentry, d_parent, d_inode), &dir);
        e->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
        e->ino = key->ino;
        e->dev = key->dev;
        e->dir_ino = dir.ino;
        e->dir_dev = dir.dev;
        e->fs_magic = BPF_CORE_READ(inode, i_sb, s_magic);
        e->inode = (__u64)inode;
        e->generation = BPF_CORE_READ(inode, i_generation);
        e->tgid = (__u32)BPF_CORE_READ(task, tgid);
        e->fd = fd;
}

SEC("iter/task_file")
int iter__task_file(struct bpf_iter__task_file *ctx)
{
        struct task_struct *task = ctx->task;
        struct file *file = ctx->file;
        struct seed_entry e = {};
        struct file_key key;
        struct file_ref *ref;
        struct vigil_proc *p;
        __u32 tgid;

        if (!task || !file)
                return 0;
        tgid = (__u32)task->tgid;
        if (seed_tgid && tgid != seed_tgid)
                return 0;
        inode_key(BPF_CORE_READ(file, f_inode), &key);
        seed_fill(&e, task, file, ctx->fd, &key);
        if (seed_tgid) {
                bpf_seq_write(ctx->meta->seq, &e, sizeof(e));
                return 0;
        }
        struct mark *m = mark_of(tgid);
        if (m && m->flags & MARK_OWN)
                return 0;
        ref = bpf_map_lookup_elem(&files, &key);
        if (!ref || !ref->db)
                return 0;
        e.fresh = !part_of(tgid);
        __u64 addr = 0; /* as a number: a function of its own takes no typed pointers */
        bpf_probe_read_kernel(&addr, sizeof(addr), &ctx->task);
        part_new(addr, tgid, 0);
        p = part_of(tgid);
        if (!p || p->flags & VIGIL_PROC_DEAD)
                return 0;
        p->flags |= e.fresh ? VIGIL_PROC_SEEN_LATE : 0;
        struct vigil_use *use = use_get(p, ref->db);
        if (!use)
                return 0;
        if (use->flags && !(use->flags & VIGIL_USE_SEEN_LATE)) /* it was seen from its first use on */
                return 0;
        use->flags |= VIGIL_USE_SEEN_LATE;
        if (ref->role == VIGIL_ROLE_MAIN)
                use->flags |= VIGIL_USE_OPENED;
        if (ref->role == VIGIL_ROLE_MAIN)
                main_fd_add(use, (__s32)ctx->fd);
        e.db = ref->db;
        e.role = ref->role;
        bpf_seq_write(ctx->meta->seq, &e, sizeof(e));
        return 0;
}
