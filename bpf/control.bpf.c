// SPDX-License-Identifier: GPL-2.0-only
/* control.bpf.c - what the loader asks the kernel side to do, by BPF_PROG_TEST_RUN: never attached to anything. */
#include "death.h"

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

/* Locks and open descriptors of the living participant args[0], whose descriptor table stands at args[1], on its database
 * number args[2]. */
SEC("raw_tp")
int raw_tp__look_at_use(struct bpf_raw_tracepoint_args *ctx)
{
        return use_end((__u32)ctx->args[0], ctx->args[2], ctx->args[1]);
}
