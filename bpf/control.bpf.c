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

/* Descriptor args[2] of the loader is open on what stands where database args[0] looks for its file of role args[1]. */
SEC("raw_tp")
int raw_tp__renew_file(struct bpf_raw_tracepoint_args *ctx)
{
        struct file *file = fd_file(self(), (int)ctx->args[2]);

        return file ? file_renew((__u64)BPF_CORE_READ(file, f_inode), (__u32)ctx->args[0], (__u32)ctx->args[1]) : 0;
}

/* Brings the account of database args[0] up to date before the loader reads it. */
SEC("raw_tp")
int raw_tp__settle(struct bpf_raw_tracepoint_args *ctx)
{
        return db_settle((__u32)ctx->args[0]);
}

/* What @owner has locked of database @id: bits of enum vigil_lock and LOCKS_CUT. */
static __always_inline __u32 look(__u32 id, __u64 owner)
{
        struct scratch *s = scratch();
        int whole = db_locks(id, owner);

        return s ? (__u32)s->bits | (whole ? 0 : LOCKS_CUT) : LOCKS_CUT;
}

static __always_inline bool is_its_own(const struct vigil_db *db, const struct vigil_proc *p)
{
        return db->txn_tgid == p->id.tgid && db->txn_start_ns == p->id.start_ns;
}

/* What the owner of the descriptor table at args[1] has locked of database args[0] now, read marks included. */
SEC("raw_tp")
int raw_tp__look_locks(struct bpf_raw_tracepoint_args *ctx)
{
        return (int)look((__u32)ctx->args[0], ctx->args[1]);
}

/* Who has a file of database args[0] open from here on has opened it under watch, or was met by the iterator. */
SEC("raw_tp")
int raw_tp__seeded(struct bpf_raw_tracepoint_args *ctx)
{
        struct db_priv *priv = db_priv((__u32)ctx->args[0]);

        if (priv)
                priv->seeded = 1;
        return 0;
}

/* The watch began while participant args[0], whose descriptor table is at args[2], held locks on database args[1]: they count
 * as taken now, and so do those of args[3], which user space has found. It goes on working meanwhile: what it has locked under
 * our eyes is left as it is, and what it has let go of since we looked is taken back. Returns what look() found. */
SEC("raw_tp")
int raw_tp__seed_locks(struct bpf_raw_tracepoint_args *ctx)
{
        __u32 tgid = (__u32)ctx->args[0], id = (__u32)ctx->args[1], held, late;
        struct vigil_proc *p = part_of(tgid);
        struct vigil_db *db = db_get(id);
        struct db_priv *priv = db_priv(id);
        struct vigil_use *use = p ? use_get(p, id) : NULL;

        if (!use || !db || !priv)
                return 0;
        held = look(id, ctx->args[2]);
        late = (held | (__u32)ctx->args[3]) & LOCKS_TRACKED & ~use->locks;
        if (!late)
                return (int)held;
        use->locks |= late;
        db->flags |= VIGIL_DB_SEEN_LATE;
        if (late & VIGIL_LOCK_WAL_WRITE)
                txn_begin(db, p, VIGIL_TXN_WAL, bpf_ktime_get_boot_ns());
        else if (late & VIGIL_LOCK_RESERVED)
                rollback_begin(db, priv, p, VIGIL_TXN_ROLLBACK, bpf_ktime_get_boot_ns(), 0);
        __u32 again = look(id, ctx->args[2]);
        __u32 gone = again & LOCKS_CUT ? 0 : late & ~again & ~(__u32)ctx->args[3];
        use->locks &= ~gone;
        if (gone & (VIGIL_LOCK_WAL_WRITE | VIGIL_LOCK_RESERVED) && is_its_own(db, p))
                txn_end(db);
        return (int)held;
}
