// SPDX-License-Identifier: GPL-2.0-only
/* latency.bpf.c - what threads with an open span do: run, wait for a processor, block; and what disks and journals do
 * meanwhile. Loaded only with cfg_attribution.
 *
 * The first two run for each context switch and each wakeup of the host: who has no span leaves after one load. */
#include "span.h"

char LICENSE[] SEC("license") = "GPL";

#define TASK_RUNNING 0

/* ---- threads ---- */

/* The span of @task. One whose thread is gone, for a number may come back under another, ends here. */
static __always_inline struct span *span_of_task(struct task_struct *task)
{
        __u32 tid = (__u32)task->pid;
        struct span *s = span_of(tid);

        if (s && (s->task != (__u64)task || s->start_ns != task->start_boottime)) {
                span_unblock(s);
                *owner_at(tid) = 0;
                return NULL;
        }
        return s;
}

/* The thread of the kernel that this CPU runs; kept while somebody is blocked. */
struct helper {
        __u64 since_ns;
        __u64 run_delay; /* cumulative, before it began to run */
};

struct {
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct helper);
} helpers SEC(".maps");

static __always_inline void helper_runs(struct task_struct *task, __u64 now)
{
        __u32 zero = 0;
        struct helper *h = bpf_map_lookup_elem(&helpers, &zero);

        if (!h)
                return;
        h->since_ns = now;
        h->run_delay = task->sched_info.run_delay;
}

/* The current thread wakes that of @s. */
static __always_inline void woken(struct span *s)
{
        __u32 zero = 0;
        struct helper *h = bpf_map_lookup_elem(&helpers, &zero);
        struct task_struct *task = self();

        s->waker = 0;
        s->waker_ns = 0;
        if (!h || !(BPF_CORE_READ(task, flags) & PF_KTHREAD))
                return;
        s->waker = (__u64)task;
        s->waker_ns = h->since_ns;
        /* One that has been running since before that of @s blocked need not be the one that was seen to begin. */
        s->waker_delay = h->since_ns > s->since_ns ? BPF_CORE_READ(task, sched_info.run_delay) - h->run_delay : 0;
}

static __always_inline __u32 waiting_state(struct task_struct *task)
{
        return is_throttled(task) ? SPAN_LIMITED : SPAN_QUEUED;
}

/* The place of the stack of the current thread; -1: it could not be kept. */
static __always_inline __s32 stack_place(void *ctx)
{
        __s32 place = (__s32)bpf_get_stackid(ctx, &wait_stacks, 0);

        if (place >= 0)
                return place;
        place = (__s32)bpf_get_stackid(ctx, &wait_stacks_met, 1);
        if (place >= 0)
                return WAIT_STACKS + place;
        LOST(stacks);
        return -1;
}

static __always_inline void leaves(struct span *s, struct task_struct *task, bool blocks, void *ctx, __u64 now)
{
        __s32 stack;

        span_account(s, now);
        if (!blocks) {
                s->state = waiting_state(task);
                return;
        }
        stack = stack_place(ctx);
        if (stack >= 0 && stack == s->stack && s->log_ns)
                wait_goes_on(s);
        s->stack = stack;
        s->state = SPAN_BLOCKED;
        s->waker_ns = 0;
        __sync_fetch_and_add(&spans_blocked, 1);
        wait_begin(s, now);
}

/* The fourth argument is there since 5.18 (fa2c3254d7cf "sched/tracing: Don't re-read p->state when emitting sched_switch
 * event"); before, the program is refused and nothing is attributed. */
SEC("tp_btf/sched_switch")
int BPF_PROG(tp_btf__sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next,
             unsigned int prev_state)
{
        struct span *s = span_of_task(prev);

        if (s)
                leaves(s, prev, !preempt && prev_state != TASK_RUNNING, ctx, bpf_ktime_get_boot_ns());
        s = span_of_task(next);
        if (s) {
                span_account(s, bpf_ktime_get_boot_ns());
                span_unblock(s);
                s->state = SPAN_RUNS;
        }
        if (spans_blocked && next->flags & PF_KTHREAD)
                helper_runs(next, bpf_ktime_get_boot_ns());
        return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(tp_btf__sched_wakeup, struct task_struct *task)
{
        struct span *s = span_of_task(task);

        if (!s || s->state != SPAN_BLOCKED)
                return 0;
        woken(s);
        span_account(s, bpf_ktime_get_boot_ns());
        span_unblock(s);
        s->state = waiting_state(task);
        return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(tp_btf__thread_exit, struct task_struct *task)
{
        __u32 tid = (__u32)task->pid;
        struct span *s = span_of_task(task);

        if (!s)
                return 0;
        __u64 now = bpf_ktime_get_boot_ns();
        span_account(s, now);
        sync_ended(s, now);
        *owner_at(tid) = 0;
        return 0;
}

/* ---- disks ---- */

struct flight {
        __u64 disk; /* 0: it is gone, though its entry is not */
        __u64 insert_ns;
        __u64 issue_ns; /* 0: not yet */
};

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, 8192);
        __type(key, __u64); /* address of the request */
        __type(value, struct flight);
} flights SEC(".maps");

static __always_inline struct disk *disk_of(struct request *rq, __u64 *ret_disk)
{
        *ret_disk = (__u64)BPF_CORE_READ(rq, q, disk);
        return bpf_map_lookup_elem(&disks, ret_disk);
}

/* A request comes into the queue, or, with @issued, into the hands of the device. */
static __always_inline int request_comes(struct request *rq, bool issued)
{
        __u64 key = (__u64)rq, now;
        struct flight new = {}, *f;
        struct disk *d = disk_of(rq, &new.disk);

        if (!d)
                return 0;
        now = bpf_ktime_get_boot_ns();
        f = bpf_map_lookup_elem(&flights, &key);
        if (f && f->disk) {
                if (issued && !f->issue_ns)
                        f->issue_ns = now;
                return 0;
        }
        new.insert_ns = now;
        new.issue_ns = issued ? now : 0;
        if (f) {
                *f = new;
        } else if (bpf_map_update_elem(&flights, &key, &new, BPF_NOEXIST)) {
                LOST(disks);
                return 0;
        }
        __sync_fetch_and_add(&d->inflight, 1);
        if (!d->busy_since_ns) {
                __u64 since = d->idle_since_ns;
                d->busy_since_ns = now;
                if (since && now > since)
                        __sync_fetch_and_add(&d->idle_ns, now - since);
        }
        return 0;
}

static __always_inline void request_goes(struct request *rq, bool served)
{
        __u64 key = (__u64)rq, now, issued, inserted, disk;
        struct flight *f = bpf_map_lookup_elem(&flights, &key);
        struct disk *d;
        long r;

        if (!f || !f->disk)
                return;
        inserted = f->insert_ns;
        issued = f->issue_ns;
        disk = f->disk;
        d = bpf_map_lookup_elem(&disks, &disk);
        r = bpf_map_delete_elem(&flights, &key);
        if (r == -ENOENT || !d)
                return;
        /* Before 6.7 a hash is not to be had for an interrupt that meets it being changed (-EBUSY; d35381aa73f7). */
        if (r)
                f->disk = 0;
        now = bpf_ktime_get_boot_ns();
        if (served && issued) {
                __sync_fetch_and_add(&d->queue_ns, issued - inserted);
                __sync_fetch_and_add(&d->service_ns, now - issued);
        }
        __sync_fetch_and_add(&d->inflight, -1);
        if (!d->inflight && d->busy_since_ns) {
                __u64 since = d->busy_since_ns;
                d->busy_since_ns = 0;
                d->idle_since_ns = now;
                __sync_fetch_and_add(&d->busy_ns, now - since);
                if (d->inflight) /* another CPU came between */
                        d->busy_since_ns = now;
        }
}

SEC("tp_btf/block_rq_insert")
int BPF_PROG(tp_btf__block_rq_insert, struct request *rq)
{
        return request_comes(rq, false);
}

SEC("tp_btf/block_rq_issue")
int BPF_PROG(tp_btf__block_rq_issue, struct request *rq)
{
        return request_comes(rq, true);
}

/* A request may be completed in parts. */
SEC("tp_btf/block_rq_complete")
int BPF_PROG(tp_btf__block_rq_complete, struct request *rq, int error, unsigned int bytes)
{
        if (bytes >= rq->__data_len)
                request_goes(rq, true);
        return 0;
}

/* It becomes a part of another one. */
SEC("tp_btf/block_rq_merge")
int BPF_PROG(tp_btf__block_rq_merge, struct request *rq)
{
        request_goes(rq, false);
        return 0;
}

/* ---- who else uses them ---- */

#define REQ_OP_MASK  0xff /* include/linux/blk_types.h */
#define REQ_OP_READ  0
#define REQ_OP_WRITE 1

/* Runs in whoever asks. What was dirtied before and is written back later is asked for by threads of the kernel. */
SEC("tp_btf/block_bio_queue")
int BPF_PROG(tp_btf__block_bio_queue, struct bio *bio)
{
        __u32 op = bio->bi_opf & REQ_OP_MASK, bytes = bio->bi_iter.bi_size;
        struct disk_user *u;

        if (op > REQ_OP_WRITE || !bytes)
                return 0;
        u = disk_user(BPF_CORE_READ(bio, bi_bdev, bd_disk));
        if (!u)
                return 0;
        if (op == REQ_OP_READ) {
                __sync_fetch_and_add(&u->read_bytes, bytes);
        } else {
                __sync_fetch_and_add(&u->write_bytes, bytes);
                __sync_fetch_and_add(&u->writes, 1);
        }
        disk_user_uses(u);
        return 0;
}

/* ---- journals of ext4 ---- */

/* All of them begin alike (include/trace/events/jbd2.h). Classic, because jbd2 may be a module. */
struct jbd2_event {
        __u64 common;
        __u32 dev;
};

static __always_inline void helper_changes_now(struct task_struct *task, __u32 dev)
{
        struct helper_change c = {.ns = bpf_ktime_get_boot_ns(), .dev = dev};
        __u64 key = (__u64)task;

        bpf_map_update_elem(&helper_changes, &key, &c, BPF_ANY);
}

/* What the kernel's own threads write was changed by somebody else before. */
SEC("tp/jbd2/jbd2_handle_start")
int tp__jbd2_handle_start(struct jbd2_event *ctx)
{
        __u32 dev = ctx->dev;
        struct journal *j = bpf_map_lookup_elem(&journals, &dev);
        struct task_struct *task = self();

        if (!j)
                return 0;
        if (BPF_CORE_READ(task, flags) & PF_KTHREAD) {
                helper_changes_now(task, dev);
                return 0;
        }
        __sync_fetch_and_add(&j->handles, 1);
        if (part_of_current(self_id(task) >> 32))
                __sync_fetch_and_add(&j->own, 1);
        return 0;
}

SEC("tp/jbd2/jbd2_commit_logging")
int tp__jbd2_commit_logging(struct jbd2_event *ctx)
{
        __u32 dev = ctx->dev;
        struct journal *j = bpf_map_lookup_elem(&journals, &dev);

        if (!j)
                return 0;
        j->log_ns = bpf_ktime_get_boot_ns();
        j->end_ns = 0;
        j->thread = (__u64)self();
        j->run_delay = BPF_CORE_READ(self(), sched_info.run_delay);
        j->share = j->handles && j->own < j->handles ? j->own * SHARE_ONE / j->handles : SHARE_ONE;
        j->handles = 0;
        j->own = 0;
        return 0;
}

SEC("tp/jbd2/jbd2_end_commit")
int tp__jbd2_end_commit(struct jbd2_event *ctx)
{
        __u32 dev = ctx->dev;
        struct journal *j = bpf_map_lookup_elem(&journals, &dev);

        if (!j)
                return 0;
        j->run_ns = BPF_CORE_READ(self(), sched_info.run_delay) - j->run_delay;
        j->end_ns = bpf_ktime_get_boot_ns();
        return 0;
}
