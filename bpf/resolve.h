/* resolve.h - from a descriptor to the file behind it, and from a file to its path. */
#ifndef VIGIL_RESOLVE_H
#define VIGIL_RESOLVE_H

#include "compat.h"
#include "emit.h"

/* The verifier must see one register checked and then used: this keeps the compiler from computing with a copy of @x that
 * was made before the check. */
#define FIX(x) asm volatile("" : "+r"(x))

/* Where the open file of descriptor @fd of @task, which is self(), stands; NULL: it has no such descriptor. */
static __always_inline struct file **fd_slot(struct task_struct *task, int fd)
{
        struct fdtable *fdt;
        struct file **slot;
        unsigned int max;

        if (has_current_btf()) {
                fdt = task->files->fdt;
                max = fdt->max_fds;
                slot = fdt->fd;
        } else {
                fdt = BPF_CORE_READ(task, files, fdt);
                max = BPF_CORE_READ(fdt, max_fds);
                slot = BPF_CORE_READ(fdt, fd);
        }
        if (fd < 0 || (unsigned int)fd >= max)
                return NULL;
        return slot + fd;
}

/* The open file of descriptor @fd of @task, which is self(), or NULL. */
static __always_inline struct file *fd_file(struct task_struct *task, int fd)
{
        struct file **slot = fd_slot(task, fd);

        return slot ? slot_file(slot) : NULL;
}

/* True for what can be a database, or a file of one. SQLite opens and syncs the directory, too, in each commit that a journal's removal
 * ends. */
static __always_inline bool is_regular(struct file *file)
{
        return (LOAD2(file, f_inode, i_mode) & S_IFMT) == S_IFREG;
}

#define FDS_LOOKED_AT 512

struct fd_search {
        struct file **slot;
        __u64 inode; /* address, never 0 */
        __u64 file;  /* address; 0: any file of that inode */
        __u64 fd;    /* result */
        __u32 max;
};

static long fd_step(__u32 fd, void *ctx)
{
        struct fd_search *q = ctx;
        struct file *file = NULL;

        if (fd >= q->max)
                return 1;
        bpf_probe_read_kernel(&file, sizeof(file), q->slot + fd);
        if (q->file ? (__u64)file != q->file : (__u64)BPF_CORE_READ(file, f_inode) != q->inode)
                return 0;
        q->fd = fd;
        return 1;
}

/* Looks in the descriptor table of @fs for the inode, or file, in @q. True when it is there: at q->fd. */
static __always_inline bool fd_look(struct fd_search *q, struct files_struct *fs)
{
        struct fdtable *fdt = BPF_CORE_READ(fs, fdt);

        q->slot = BPF_CORE_READ(fdt, fd);
        q->max = BPF_CORE_READ(fdt, max_fds);
        q->fd = FDS_LOOKED_AT;
        if (q->inode || q->file)
                repeat(FDS_LOOKED_AT, fd_step, q);
        return q->fd < FDS_LOOKED_AT;
}

static __always_inline void inode_key(struct inode *inode, struct file_key *key)
{
        key->ino = LOAD(inode, i_ino);
        key->dev = LOAD2(inode, i_sb, s_dev);
        key->pad = 0;
}

/* True when @inode still is the inode of @key: an address may have been freed and used again. */
static __always_inline bool inode_is(struct inode *inode, const struct file_key *key)
{
        return inode && LOAD(inode, i_ino) == key->ino && LOAD2(inode, i_sb, s_dev) == key->dev;
}

/* Name of @dentry into the zeroed @name; returns its length, 0 when it does not fit. */
static __always_inline __u32 dentry_name(struct dentry *dentry, char name[VIGIL_NAME_MAX])
{
        __u64 len = LOAD(dentry, d_name.len);

        if (len == 0 || len >= VIGIL_NAME_MAX)
                return 0;
        FIX(len);
        len &= VIGIL_NAME_MAX - 1;
        if (bpf_probe_read_kernel(name, len, LOAD(dentry, d_name.name)))
                return 0;
        return (__u32)len;
}

#define MOUNTS_STACKED 4

/* The directory entry that @file was opened by. Where the file itself is mounted (a container's single file), that is the entry
 * it is mounted on: programs name what stands beside a file after that. */
static __always_inline struct dentry *file_dentry(struct file *file)
{
        struct dentry *dentry = LOAD(file, f_path.dentry);
        struct vfsmount *vfs = LOAD(file, f_path.mnt);
        struct mount *mount = (void *)vfs - bpf_core_field_offset(struct mount, mnt);

        for (int i = 0; i < MOUNTS_STACKED && dentry == LOAD(mount, mnt.mnt_root); i++) {
                struct mount *up = LOAD(mount, mnt_parent);

                if (up == mount)
                        break;
                dentry = LOAD(mount, mnt_mountpoint);
                mount = up;
        }
        return dentry;
}

#define PATH_COMPONENTS 32

struct path_walk {
        struct scratch *s;
        struct dentry *dentry;
        struct mount *mount;
        __u64 off; /* where the path begins, so far */
        __u64 whole;
};

/* One component, or one mount, up. */
static long path_step(__u32 i, void *ctx)
{
        struct path_walk *w = ctx;
        struct dentry *dentry = w->dentry, *parent = BPF_CORE_READ(dentry, d_parent);
        struct mount *mount = w->mount;
        struct dentry *root = BPF_CORE_READ(mount, mnt.mnt_root);

        (void)i;
        if (dentry == root || dentry == parent) {
                struct mount *up = BPF_CORE_READ(mount, mnt_parent);

                w->whole = up == mount || dentry != root;
                w->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
                w->mount = up;
                return w->whole ? 1 : 0;
        }
        __u64 len = BPF_CORE_READ(dentry, d_name.len), off = w->off;
        if (len >= VIGIL_NAME_MAX || len + 1 > off)
                return 1;
        off = (off - len) & (VIGIL_PATH_MAX - 1);
        FIX(off);
        len &= VIGIL_NAME_MAX - 1;
        bpf_probe_read_kernel(w->s->path + off, len, BPF_CORE_READ(dentry, d_name.name));
        off = (off - 1) & (VIGIL_PATH_MAX - 1);
        FIX(off);
        w->s->path[off] = '/';
        w->off = off;
        w->dentry = parent;
        return 0;
}

/* Writes the path of the struct path at @addr into scratch.text, as seen from the root of its own mount tree. It is built
 * backwards in scratch.path, whose second half keeps the verifier sure of every write. Returns 1 when leading components are
 * missing. */
GLOBAL int path_of(__u64 addr)
{
        struct path *p = (struct path *)addr;
        struct path_walk w = {.s = scratch(), .off = VIGIL_PATH_MAX - 1};
        struct vfsmount *vfs = BPF_CORE_READ(p, mnt);

        if (!w.s)
                return 1;
        w.dentry = BPF_CORE_READ(p, dentry);
        w.mount = (void *)vfs - bpf_core_field_offset(struct mount, mnt);
        w.s->path[VIGIL_PATH_MAX - 1] = 0;
        repeat(PATH_COMPONENTS, path_step, &w);
        __u64 off = w.off & (VIGIL_PATH_MAX - 1);
        FIX(off);
        zero(w.s->text, sizeof(w.s->text));
        bpf_probe_read_kernel(w.s->text, VIGIL_PATH_MAX - off, w.s->path + off);
        return !w.whole;
}

static __always_inline __u64 file_path(struct file *file)
{
        return (__u64)file + bpf_core_field_offset(struct file, f_path);
}

#endif
