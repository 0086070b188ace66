// SPDX-License-Identifier: GPL-2.0-only
/* control.bpf.c - what the loader asks the kernel side to do, by BPF_PROG_TEST_RUN: never attached to anything. */
#include "death.h"

/* All but the read marks, which are not followed one by one (locks.bpf.c). */
#define LOCKS_TRACKED                                                                                              \
        (VIGIL_LOCK_SHARED | VIGIL_LOCK_RESERVED | VIGIL_LOCK_PENDING | VIGIL_LOCK_EXCLUSIVE |                     \
         VIGIL_LOCK_WAL_WRITE | VIGIL_LOCK_WAL_CKPT | VIGIL_LOCK_WAL_RECOVER | VIGIL_LOCK_DMS)

char LICENSE[] SEC("license") = "GPL";

/* Watches the names of database args[0], whose main name and directory the loader has put into its db_priv. */
SEC("raw_tp")
int raw_tp__watch_names(struct bpf_raw_tracepoint_args *ctx)
{
        return names_watch((__u32)ctx->args[0]);
}

/* Binds the inode at address args[2], as the iterator gave it, to role args[1] of database args[0]. */
SEC("raw_tp")
int raw_tp__bind_file(struct bpf_raw_tracepoint_args *ctx)
{
        return file_bind(ctx->args[2], (__u32)ctx->args[0], (__u32)ctx->args[1]);
}

/* Brings the account of database args[0] up to date before the loader reads it. */
SEC("raw_tp")
int raw_tp__settle(struct bpf_raw_tracepoint_args *ctx)
{
        return db_settle((__u32)ctx->args[0]);
}

/* The watch began while participant args[0] held locks args[2] on database args[1]: they count as taken now. */
SEC("raw_tp")
int raw_tp__seed_locks(struct bpf_raw_tracepoint_args *ctx)
{
        __u32 tgid = (__u32)ctx->args[0], id = (__u32)ctx->args[1];
        struct vigil_proc *p = part_of(tgid);
        struct vigil_db *db = db_get(id);
        struct db_priv *priv = db_priv(id);
        struct vigil_use *use = p ? use_get(p, id) : NULL;

        if (!use || !db || !priv)
                return 0;
        use->locks |= (__u32)ctx->args[2] & LOCKS_TRACKED;
        db->flags |= VIGIL_DB_SEEN_LATE;
        if (use->locks & VIGIL_LOCK_WAL_WRITE)
                txn_begin(db, p, VIGIL_TXN_WAL, bpf_ktime_get_boot_ns());
        else if (use->locks & VIGIL_LOCK_RESERVED)
                rollback_begin(db, priv, p, VIGIL_TXN_ROLLBACK, bpf_ktime_get_boot_ns(), 0);
        return 0;
}
