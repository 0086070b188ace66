// SPDX-License-Identifier: GPL-2.0-only
/* device.bpf.c - write-back errors: recorded on an inode by the kernel, reported once to each open file (lib/errseq.c). */
#include "act.h"

char LICENSE[] SEC("license") = "GPL";

#define MAX_ERRNO 4095

static __always_inline void wberr_emit(struct inode *inode, __u32 db, __u32 role, __u32 errseq, bool consumed)
{
        /* On the stack: this may run in an interrupt that stopped another probe in the middle of its scratch. */
        struct vigil_wberr rec = {}, *r = &rec;

        hdr_fill(&r->hdr, VIGIL_WBERR, sizeof(*r));
        if (consumed)
                ident_fill(&r->id, current_task(), (__u32)bpf_get_current_pid_tgid());
        r->ino = BPF_CORE_READ(inode, i_ino);
        r->dev = BPF_CORE_READ(inode, i_sb, s_dev);
        r->db = db;
        r->role = (__u8)role;
        r->consumed = consumed;
        r->error = -(__s32)(errseq & MAX_ERRNO);
        emit_urgent(r, sizeof(*r));
}

/* Accounts that belong to an older incarnation of a role must not be charged to the new one. */
static __always_inline __u32 ref_role(const struct file_ref *ref, struct vigil_db *db)
{
        struct vigil_ledger *l = ledger_of(db, ref->role);

        return l && l->incarnation == ref->incarnation ? ref->role : VIGIL_ROLE_OTHER;
}

static __always_inline struct file_ref *watched(struct inode *inode)
{
        struct file_key key;

        inode_key(inode, &key);
        return file_ref_of(inode, &key);
}

static __always_inline void taint(struct vigil_ledger *l, __u32 errseq)
{
        if (!l)
                return;
        l->flags |= VIGIL_LEDGER_TAINTED;
        __sync_fetch_and_add(&l->wb_errors, 1);
        ledger_failed(l, -(__s64)(errseq & MAX_ERRNO), bpf_ktime_get_boot_ns());
}

SEC("raw_tp/filemap_set_wb_err")
int raw_tp__filemap_set_wb_err(struct bpf_raw_tracepoint_args *ctx)
{
        struct address_space *mapping = (void *)ctx->args[0];
        struct inode *inode = BPF_CORE_READ(mapping, host);
        struct file_ref *ref = watched(inode);

        if (!ref)
                return 0;
        __u32 second = ref->second, role = ref->role;
        struct vigil_db *db = db_get(ref->db);
        if (db)
                taint(ledger_of(db, ref_role(ref, db)), (__u32)ctx->args[1]);
        wberr_emit(inode, ref->db, role, (__u32)ctx->args[1], false);
        db = second ? db_get(second) : NULL;
        if (db) {
                taint(ledger_of(db, role), (__u32)ctx->args[1]);
                wberr_emit(inode, second, role, (__u32)ctx->args[1], false);
        }
        return 0;
}

/* Somebody is told of the error: who is not a participant takes it away from the writer's next sync on that file. */
SEC("raw_tp/file_check_and_advance_wb_err")
int raw_tp__file_check_and_advance_wb_err(struct bpf_raw_tracepoint_args *ctx)
{
        struct file *file = (void *)ctx->args[0];
        __u32 old = (__u32)ctx->args[1], now = BPF_CORE_READ(file, f_wb_err);
        __u32 tgid = bpf_get_current_pid_tgid() >> 32;
        struct inode *inode = BPF_CORE_READ(file, f_inode);
        struct file_ref *ref;
        struct vigil_db *db;

        if (old == now)
                return 0;
        ref = watched(inode);
        if (!ref)
                return 0;
        db = db_get(ref->db);
        struct vigil_ledger *l = db ? ledger_of(db, ref_role(ref, db)) : NULL;
        if (l && !part_of(tgid))
                l->flags |= VIGIL_LEDGER_SWALLOWED;
        wberr_emit(inode, ref->db, ref->role, now, true);
        return 0;
}
