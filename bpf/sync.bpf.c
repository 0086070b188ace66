// SPDX-License-Identifier: GPL-2.0-only
/* sync.bpf.c - fsync, fdatasync, syncfs, sync: what was written when they were entered is durable when they return 0.
 *
 * sync_file_range is seen and never credited: it does not write metadata and does not flush the device (sync_file_range(2)). */
#include "act.h"
#include "hist.h"
#include "span.h"

#include <asm/unistd.h>

char LICENSE[] SEC("license") = "GPL";

/* A thread of a participant keeps its entry for its next sync: to put one in and take it out costs as much as all the rest. */
static __always_inline void take_off(__u64 id, const struct sync_flight *f)
{
        struct sync_flight *kept = bpf_map_lookup_elem(&syncs, &id);

        if (kept)
                *kept = *f;
        else if (bpf_map_update_elem(&syncs, &id, f, BPF_ANY))
                COUNT(full_syncs);
}

/* @return false: it is no file of a database */
static __always_inline bool file_sync_enter(int fd, __u32 probe)
{
        struct act a = {};
        __u64 id = bpf_get_current_pid_tgid();

        if (!act_on_fd(&a, fd, probe))
                return false;
        struct sync_flight f = {
                .entered_ns = a.ns,
                .written = a.ledger->written,
                .commits = commits_of(a.db, a.priv, a.role),
                .db = a.db->id,
                .incarnation = a.ledger->incarnation,
                .role = a.role,
        };
        take_off(id, &f);
        __sync_fetch_and_add(&a.p->syncs_in_flight, 1);
        a.use->flags |= VIGIL_USE_SYNCING;
        if (cfg_attribution)
                span_sync(a.db, a.priv, a.file, (__u32)id, a.ns);
        return true;
}

/* A directory that holds databases: its sync makes creations and removals of their names durable. */
GLOBAL int dir_sync_enter(int fd)
{
        __u64 id = bpf_get_current_pid_tgid();
        __u32 tgid = id >> 32;
        struct file *file;
        struct sync_flight f = {.role = VIGIL_ROLE_DIRECTORY};
        struct dir *dir;

        if (!part_of(tgid))
                return 0;
        file = fd_file(self(), fd);
        if (!file)
                return 0;
        inode_key(BPF_CORE_READ(file, f_inode), &f.key);
        dir = bpf_map_lookup_elem(&dirs, &f.key);
        if (!dir)
                return 0;
        f.written = dir->ops;
        f.entered_ns = bpf_ktime_get_boot_ns();
        take_off(id, &f);
        return 0;
}

static __always_inline void dir_sync_exit(struct sync_flight *f, __s64 ret)
{
        struct dir *dir = bpf_map_lookup_elem(&dirs, &f->key);

        if (!dir)
                return;
        __sync_fetch_and_add(&dir->syncs, 1);
        if (ret)
                __sync_fetch_and_add(&dir->errors, 1);
        else if (f->written > dir->durable)
                dir->durable = f->written;
}

static __always_inline void failed(struct vigil_ledger *l, __s64 ret, __u64 ns)
{
        __sync_fetch_and_add(&l->sync_errors, 1);
        if (error_is_harmless(ret))
                return;
        ledger_failed(l, ret, ns);
        l->flags |= VIGIL_LEDGER_TAINTED;
}

static __always_inline void synced(struct act *a, const struct sync_flight *f)
{
        credit(a->db, a->priv, a->ledger, a->role, f->written, f->commits, a->ns);
        if (a->role == VIGIL_ROLE_MAIN)
                unjournaled_synced(a->db, a->priv, a->use, f->written);
}

static __always_inline int sync_range_exit(__s64 ret)
{
        struct act a = {};
        struct args r;

        args_read(self(), &r);
        if (act_on_fd(&a, (int)r.a[0], PROBE_SYNC_FILE_RANGE))
                note(&a, VIGIL_OP_SYNC_RANGE, r.a[1], r.a[2], ret, ret < 0);
        return 0;
}

static __always_inline int sync_exit(__s64 ret, __u32 probe)
{
        __u64 id = bpf_get_current_pid_tgid();
        __u32 tgid = id >> 32;
        struct sync_flight *f = bpf_map_lookup_elem(&syncs, &id);
        struct vigil_proc *p;

        if (!f || !f->entered_ns)
                return 0;
        p = part_of_current(tgid);
        if (!p)
                goto out;
        if (p->flags & VIGIL_PROC_CANARY)
                probe_seen(probe);
        if (f->role == VIGIL_ROLE_DIRECTORY) {
                dir_sync_exit(f, ret);
                goto out;
        }
        struct act a = {.p = p, .role = f->role, .tid = (__u32)id, .ns = bpf_ktime_get_boot_ns()};
        a.db = db_get(f->db);
        a.priv = db_priv(f->db);
        a.use = use_get(p, f->db);
        struct vigil_ledger *l = a.db ? ledger_of(a.db, a.role) : NULL;
        if (!l || !a.priv || !a.use)
                goto out;
        a.ledger = l;
        if (p->syncs_in_flight)
                __sync_fetch_and_add(&p->syncs_in_flight, -1);
        a.use->flags &= ~VIGIL_USE_SYNCING;
        __u64 took = a.ns - f->entered_ns;
        if (cfg_attribution)
                sync_close((__u32)id, f->db, a.ns);
        __sync_fetch_and_add(&l->syncs, 1);
        a.use->syncs++;
        if (ret)
                failed(l, ret, a.ns);
        else if (l->incarnation == f->incarnation)
                synced(&a, f);
        hist_add(p, f->db, a.role, VIGIL_OP_SYNC, took, ret != 0);
        struct vigil_opent e = {.ns = a.ns,
                                .result = cap_result(ret),
                                .tid = a.tid,
                                .db = (__u16)f->db,
                                .role = (__u8)a.role,
                                .op = VIGIL_OP_SYNC};
        record_op(p, &e);
        if (ret || took > cfg_slow_sync_ns || cfg_stream_all)
                stream(p, &e, VIGIL_OP, took);
out:
        f->entered_ns = 0;
        return 0;
}

/* ---- whole file systems: by anybody, rare ---- */

static __always_inline bool own(__u32 probe)
{
        struct mark *m = mark_of(bpf_get_current_pid_tgid() >> 32);

        if (m && m->flags & MARK_CANARY)
                probe_seen(probe);
        return m && m->flags & MARK_OWN;
}

static __always_inline __u32 fd_dev(int fd)
{
        struct file *file = fd_file(self(), fd);

        return file ? BPF_CORE_READ(file, f_inode, i_sb, s_dev) : 0;
}

/* Ledgers take note of it later, by comparing its entry with their last write (ledger.h, fs_settle). @dev: 0: all devices. */
static __always_inline int fs_sync_enter(__u32 dev)
{
        __u64 id = bpf_get_current_pid_tgid();
        struct sync_flight f = {.key.dev = dev, .entered_ns = bpf_ktime_get_boot_ns(), .role = SYNC_WHOLE_FS};

        take_off(id, &f);
        return 0;
}

/* Of which device is asked on entry: by its end another thread may have closed the descriptor, or opened another file with that number.
 * Of a descriptor that leads to none nothing is noted, for 0 means all devices. */
static __always_inline int syncfs_enter(int fd)
{
        __u32 dev = fd_dev(fd);

        return dev ? fs_sync_enter(dev) : 0;
}

static __always_inline int fs_sync_exit(__s64 ret)
{
        __u64 id = bpf_get_current_pid_tgid();
        struct sync_flight *f = bpf_map_lookup_elem(&syncs, &id);

        if (!f || !f->entered_ns || f->role != SYNC_WHOLE_FS)
                return 0;
        if (ret == 0) {
                __u64 entered = f->entered_ns;
                __u32 dev = f->key.dev;
                if (bpf_map_update_elem(&fs_syncs, &dev, &entered, BPF_ANY))
                        COUNT(full_syncs);
                if (entered > fs_synced_ns)
                        fs_synced_ns = entered;
        }
        /* Anybody's threads: were they to keep theirs, there would be no room for those of participants. */
        bpf_map_delete_elem(&syncs, &id);
        return 0;
}

SEC("tp")
int tp__sync_enter(struct sys_enter *ctx)
{
        int fd = (int)ctx->args[0];

        switch (ctx->nr) {
        case __NR_fsync:
        case __NR_fdatasync:
                if (cfg_attribution)
                        disk_user_syncs(fd_file(self(), fd));
                if (file_sync_enter(fd, ctx->nr == __NR_fsync ? PROBE_FSYNC_ENTER : PROBE_FDATASYNC_ENTER))
                        return 0;
                return dir_sync_enter(fd);
        case __NR_syncfs:
                return own(PROBE_SYNCFS_ENTER) ? 0 : syncfs_enter(fd);
        }
        return 0;
}

SEC("tp")
int tp__sync_exit(struct sys_exit *ctx)
{
        switch (ctx->nr) {
        case __NR_fsync:
                return sync_exit(ctx->ret, PROBE_FSYNC);
        case __NR_fdatasync:
                return sync_exit(ctx->ret, PROBE_FDATASYNC);
        case __NR_sync_file_range:
                return sync_range_exit(ctx->ret);
        case __NR_syncfs:
                return own(PROBE_SYNCFS) ? 0 : fs_sync_exit(ctx->ret);
        /* sync(2) reports no errors; a write-back error that it meets taints the file through its own probe. */
        case __NR_sync:
                return own(PROBE_SYNC) ? 0 : fs_sync_exit(0);
        }
        return 0;
}

/* sync(2) has no arguments: a program that reads them cannot be attached to its entry. */
SEC("tp")
int tp__sync_all_enter(void *ctx)
{
        return own(PROBE_SYNC_ENTER) ? 0 : fs_sync_enter(0);
}
