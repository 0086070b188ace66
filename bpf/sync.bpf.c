// SPDX-License-Identifier: GPL-2.0-only
/* sync.bpf.c - fsync, fdatasync, syncfs, sync: what was written when they were entered is durable when they return 0.
 *
 * sync_file_range is seen and never credited: it does not write metadata and does not flush the device (sync_file_range(2)). */
#include "act.h"
#include "hist.h"
#include "span.h"

#include <asm/unistd.h>

char LICENSE[] SEC("license") = "GPL";

/* Where the first thread of a participant, which part_of_current() has just found, keeps its sync; NULL: @id is another thread, or no
 * participant yet. */
static __always_inline struct sync_flight *first_sync(__u64 id)
{
        __u32 zero = 0, tgid = id >> 32;
        struct last_part *last = bpf_map_lookup_elem(&last_parts, &zero);

        if ((__u32)id != tgid || !part_seen(last, tgid))
                return NULL;
        return bpf_map_lookup_elem(&first_syncs, &last->slot);
}

/* A thread of a participant keeps its entry for its next sync: to put one in and take it out costs as much as all the rest. */
static __always_inline void take_off(__u64 id, const struct sync_flight *f, struct sync_flight *first)
{
        struct sync_flight *kept = first ? first : bpf_map_lookup_elem(&syncs, &id);

        if (kept)
                *kept = *f;
        else if (bpf_map_update_elem(&syncs, &id, f, BPF_ANY))
                COUNT(full_syncs);
}

static __always_inline int file_sync_enter(struct act *a, int fd, __u32 probe)
{
        if (!act_at_file(a, fd, probe))
                return 0;
        struct sync_flight f = {
                .entered_ns = a->ns,
                .written = a->ledger->written,
                .commits = commits_of(a->db, a->priv, a->role),
                .db = a->db->id,
                .incarnation = a->ledger->incarnation,
                .role = a->role,
        };
        __u64 id = (__u64)a->tgid << 32 | a->tid;
        take_off(id, &f, first_sync(id));
        __sync_fetch_and_add(&a->p->syncs_in_flight, 1);
        a->use->flags |= VIGIL_USE_SYNCING;
        return (int)a->db->id;
}

/* For which database a thread syncs @dir: SQLite does it behind the sync of the file whose name is new there, or that it has removed
 * (os_unix.c, unixSync and unixDelete). @last: the last sync of the thread. 0: not known. */
static __always_inline __u32 dir_synced_for(const struct sync_flight *last, const struct file_key *dir)
{
        struct db_priv *priv = last && last->db ? db_priv(last->db) : NULL;

        return priv && priv->dir.ino == dir->ino && priv->dir.dev == dir->dev ? last->db : 0;
}

/* A participant syncs directory @ino of @dev. If it holds databases, that makes creations and removals of their names durable. */
GLOBAL int dir_sync_enter(__u64 ino, __u32 dev)
{
        struct sync_flight f = {.key = {.ino = ino, .dev = dev}, .role = VIGIL_ROLE_DIRECTORY};
        struct dir *dir = bpf_map_lookup_elem(&dirs, &f.key);

        if (!dir)
                return 0;
        f.written = dir->ops;
        f.entered_ns = bpf_ktime_get_boot_ns();
        __u64 id = bpf_get_current_pid_tgid();
        struct sync_flight *first = first_sync(id);
        f.db = dir_synced_for(first ? first : bpf_map_lookup_elem(&syncs, &id), &f.key);
        take_off(id, &f, first);
        return 0;
}

/* Returns the database whose file it is that is synced; 0: it is none. */
GLOBAL int sync_enter(int fd, __u32 probe)
{
        struct act a = {};

        if (!act_by_current(&a))
                return 0;
        a.file = fd_file(a.task, fd);
        if (!a.file)
                return 0;
        if (is_regular(a.file))
                return file_sync_enter(&a, fd, probe);
        struct inode *inode = LOAD(a.file, f_inode);
        return a.p ? dir_sync_enter(LOAD(inode, i_ino), LOAD2(inode, i_sb, s_dev)) : 0;
}

/* Whoever syncs the file at @fd uses its disk. */
GLOBAL int disk_sync_enter(int fd)
{
        disk_user_syncs(fd_file(self(), fd));
        return 0;
}

/* The time of the sync of a file of database @id at @fd is asked for. */
GLOBAL int span_sync_enter(int fd, __u32 id)
{
        struct vigil_db *db = db_get(id);
        struct db_priv *priv = db_priv(id);
        struct file *file = fd_file(self(), fd);

        if (db && priv && file)
                span_sync(db, priv, file, (__u32)bpf_get_current_pid_tgid(), bpf_ktime_get_boot_ns());
        return 0;
}

static __always_inline void dir_sync_exit(struct sync_flight *f, __s64 ret)
{
        struct dir *dir = bpf_map_lookup_elem(&dirs, &f->key);
        struct vigil_db *db = f->db ? db_get(f->db) : NULL;

        if (!dir)
                return;
        if (db)
                __sync_fetch_and_add(&db->file[VIGIL_ROLE_DIRECTORY].syncs, 1);
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
        struct vigil_proc *p = part_of_current(id >> 32);
        struct sync_flight *f = first_sync(id);

        if (!f || !f->entered_ns)
                f = bpf_map_lookup_elem(&syncs, &id);
        if (!f || !f->entered_ns)
                return 0;
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
        struct inode *inode = file ? LOAD(file, f_inode) : NULL;

        return inode ? LOAD2(inode, i_sb, s_dev) : 0;
}

/* Ledgers take note of it later, by comparing its entry with their last write (durable.h, fs_settle). @dev: 0: all devices. */
GLOBAL int fs_sync_enter(__u32 dev)
{
        __u64 id = bpf_get_current_pid_tgid();
        struct sync_flight f = {.key.dev = dev, .entered_ns = bpf_ktime_get_boot_ns(), .role = SYNC_WHOLE_FS};

        take_off(id, &f, NULL);
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
        __u32 db;

        switch (ctx->nr) {
        case __NR_fsync:
        case __NR_fdatasync:
                if (cfg_attribution)
                        disk_sync_enter(fd);
                db = (__u32)sync_enter(fd, ctx->nr == __NR_fsync ? PROBE_FSYNC_ENTER : PROBE_FDATASYNC_ENTER);
                return cfg_attribution && db ? span_sync_enter(fd, db) : 0;
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
