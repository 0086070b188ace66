// SPDX-License-Identifier: GPL-2.0-only
/* empty.bpf.c - programs without a body: what hooking costs by itself. bench/empty attaches them where Vigil hangs. */
#include "../../bpf/kernel.h"

char LICENSE[] SEC("license") = "GPL";

SEC("tp")
int empty_tp(void *ctx)
{
        return 0;
}

/* Retargeted by the loader to one tracepoint each. */
SEC("raw_tp")
int empty_raw(void *ctx)
{
        return 0;
}

#define EMPTY_BTF(name)                                                                                            \
        SEC("tp_btf/" #name)                                                                                       \
        int empty_##name(void *ctx)                                                                                \
        {                                                                                                          \
                return 0;                                                                                          \
        }

EMPTY_BTF(sched_process_fork)
EMPTY_BTF(sched_process_exec)
EMPTY_BTF(sched_process_exit)
EMPTY_BTF(signal_generate)
EMPTY_BTF(posix_lock_inode)
EMPTY_BTF(flock_lock_inode)
