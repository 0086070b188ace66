/* emit.h - records into the rings: header, sequence number, sent and lost. */
#ifndef VIGIL_EMIT_H
#define VIGIL_EMIT_H

#include "maps.h"

#define EVENTS_WAKE_BYTES (1 << 20) /* a quarter of the ring */

static __always_inline void hdr_fill(struct vigil_hdr *h, __u16 type, __u32 size)
{
        struct vigil_counters *c = counters_here();

        h->magic = VIGIL_MAGIC;
        h->version = VIGIL_ABI_VERSION;
        h->type = type;
        h->size = size;
        h->cpu = bpf_get_smp_processor_id();
        h->seq = c ? c->sent + c->lost : 0;
        h->ns = bpf_ktime_get_boot_ns();
}

/* Into @ring; the header must be filled. A record that does not fit is counted. */
static __always_inline long emit_to(void *ring, void *rec, __u64 size, __u64 wake)
{
        long r = bpf_ringbuf_output(ring, rec, size, wake);

        if (r)
                COUNT(lost);
        else
                COUNT(sent);
        return r;
}

/* Read with the next batch; the reader is woken early only when the ring fills. */
static __always_inline long emit(void *rec, __u64 size)
{
        bool filling = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > EVENTS_WAKE_BYTES;

        return emit_to(&events, rec, size, filling ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

static __always_inline long emit_urgent(void *rec, __u64 size)
{
        return emit_to(&urgent, rec, size, BPF_RB_FORCE_WAKEUP);
}

/* Who: identity of @task's process, seen from thread @tid (0: none). */
static __always_inline void ident_fill(struct vigil_ident *id, struct task_struct *task, __u32 tid)
{
        struct task_struct *leader = BPF_CORE_READ(task, group_leader);

        id->start_ns = BPF_CORE_READ(leader, start_boottime);
        id->tgid = (__u32)BPF_CORE_READ(task, tgid);
        id->tid = tid;
        BPF_CORE_READ_STR_INTO(&id->comm, leader, comm);
}

static __always_inline struct task_struct *current_task(void)
{
        return (struct task_struct *)bpf_get_current_task();
}

#endif
