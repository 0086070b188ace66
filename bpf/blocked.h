/* blocked.h - what a thread with a span is blocked by: the device under its database, the journal, threads of the kernel that complete
 * its I/O. A part of span.h. */
#ifndef VIGIL_BLOCKED_H
#define VIGIL_BLOCKED_H

#include "neighbours.h"

#define HELD_NS 1000000 /* a device that is idle for less is between two requests */

/* What could not be attributed. */
__u64 lost_spans __weak = 0; /* operations of two databases at once in one thread, or of two threads in one place */
__u64 lost_stacks __weak = 0; /* kernel stacks that could not be kept */
__u64 lost_waits __weak = 0;  /* no room for one more reason to wait */
__u64 lost_disks __weak = 0;  /* disks or requests */

#define LOST(what) __sync_fetch_and_add(&lost_##what, 1)

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, 4096);
        __type(key, struct wait_key);
        __type(value, struct wait_sum);
} waits __weak SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, VIGIL_MAX_DBS);
        __type(key, __u32);
        __type(value, struct open_commit);
} open_commits __weak SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_STACK_TRACE);
        __uint(max_entries, WAIT_STACKS);
        __uint(key_size, sizeof(__u32));
        __uint(value_size, SPAN_STACK * sizeof(__u64));
} wait_stacks __weak SEC(".maps");

/* Those whose place there another stack has: a stack has but one in each, by its hash. Here they lie without the innermost frame, for
 * another hash. */
struct {
        __uint(type, BPF_MAP_TYPE_STACK_TRACE);
        __uint(max_entries, WAIT_STACKS);
        __uint(key_size, sizeof(__u32));
        __uint(value_size, SPAN_STACK * sizeof(__u64));
} wait_stacks_met __weak SEC(".maps");

/* ---- journals ---- */

#define SHARE_ONE 1024 /* all of it */

/* A jbd2 journal. A handle is one change by one thread; a transaction is made of many. */
struct journal {
        __u64 log_ns;    /* when it last began to write a transaction */
        __u64 end_ns;    /* when that was done; 0: not yet */
        __u64 handles;   /* since it began to write the last one */
        __u64 own;       /* of these, by participants */
        __u64 run_delay; /* of the journal's thread, when it began to write */
        __u64 run_ns;    /* that it waited for a processor since, until it was done */
        __u64 share;     /* of SHARE_ONE, of the handles in the transaction that it last began to write */
        __u64 thread;    /* of the kernel, that writes them */
};

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, 256);
        __type(key, __u32); /* s_dev */
        __type(value, struct journal);
} journals __weak SEC(".maps");

/* The change of a file system that a thread of the kernel last began. When pages of a file that grew are on the disk, one makes their
 * blocks a part of the file before it ends the wait for them (ext4_end_io_rsv_work). */
struct helper_change {
        __u64 ns;
        __u32 dev;
        __u32 pad;
};

/* Beyond that whoever began longest ago goes: too little is told of the journal then, and too much of the device. */
struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 256);
        __type(key, __u64); /* address of the task */
        __type(value, struct helper_change);
} helper_changes __weak SEC(".maps");

/* ---- waits ---- */

static __always_inline __u64 disk_busy(const struct disk *d, __u64 now)
{
        __u64 since = d->busy_since_ns;

        return d->busy_ns + (since && now > since ? now - since : 0);
}

static __always_inline void wait_begin(struct span *s, __u64 now)
{
        struct disk *d = s->disk ? bpf_map_lookup_elem(&disks, &s->disk) : NULL;

        if (!d)
                return;
        __u64 idle_since = d->idle_since_ns;

        s->busy_ns = disk_busy(d, now);
        s->idle_ns = d->idle_ns + (!d->busy_since_ns && idle_since && now > idle_since ? now - idle_since : 0);
        s->queue_ns = d->queue_ns;
        s->service_ns = d->service_ns;
}

const __u64 no_wait[sizeof(struct wait_sum) / sizeof(__u64)] __weak = {}; /* on no stack */

static __always_inline struct wait_sum *wait_sum(const struct wait_key *key)
{
        struct wait_sum *w = bpf_map_lookup_elem(&waits, key);

        if (w)
                return w;
        bpf_map_update_elem(&waits, key, no_wait, BPF_NOEXIST);
        w = bpf_map_lookup_elem(&waits, key);
        if (!w)
                LOST(waits);
        return w;
}

/* ---- the open transaction of a database ---- */

static __always_inline struct open_commit *open_commit(__u32 db)
{
        return bpf_map_lookup_elem(&open_commits, &db);
}

/* Where the open transaction of @db keeps what it waited at @stack; COMMIT_WAITS: nowhere. */
GLOBAL int commit_place(__u32 db, __s32 stack)
{
        struct open_commit *c = open_commit(db);

        if (!c)
                return COMMIT_WAITS;
        for (__u32 i = 0; i < COMMIT_WAITS; i++) {
                if (i == c->waits) {
                        __builtin_memset(&c->wait[i], 0, sizeof(c->wait[i]));
                        c->stack[i] = stack;
                        c->waits++;
                }
                if (c->stack[i] == stack)
                        return (int)i;
        }
        return COMMIT_WAITS;
}

static __always_inline struct wait_sum *commit_wait(__u32 db, __s32 stack)
{
        struct open_commit *c = open_commit(db);
        __u64 i = (__u32)commit_place(db, stack);

        if (!c)
                return NULL;
        if (i >= COMMIT_WAITS) {
                LOST(waits);
                return NULL;
        }
        FIX(i);
        return &c->wait[i & (COMMIT_WAITS - 1)];
}

/* Of the time from @from to @to, what the journal took to write the transaction that ends with it, as far as that was made of
 * changes by users of databases. */
static __always_inline __u64 journal_wrote(__u32 dev, __u64 from, __u64 to)
{
        struct journal *j = bpf_map_lookup_elem(&journals, &dev);

        if (!j || !j->log_ns)
                return 0;
        __u64 begin = j->log_ns > from ? j->log_ns : from;
        __u64 end = j->end_ns && j->end_ns < to ? j->end_ns : to;
        return end > begin ? (end - begin) * j->share / SHARE_ONE : 0;
}

/* Of @late ns that the device had nothing to do before the thread was woken, what threads of the kernel waited for a processor:
 * that of the journal, and whichever woke it, at the end. */
static __always_inline __u64 helpers_waited(const struct span *s, const struct disk *d, __u64 late, __u64 from)
{
        struct journal *j = bpf_map_lookup_elem(&journals, &s->dev);
        __u64 done = d->idle_since_ns > from ? d->idle_since_ns : from;
        __u64 ns = j && j->end_ns > from ? j->run_ns : 0;

        if (!d->busy_since_ns && s->waker_ns > done && !(j && j->thread == s->waker)) {
                __u64 most = s->waker_ns - done;
                ns += s->waker_delay < most ? s->waker_delay : most;
        }
        return ns < late ? ns : late;
}

/* Of the time from @from to @to, how long the thread of the kernel that ended the wait had been changing the file system; 0: it had
 * not. Who had to wait for a processor between the order and the wait for it finds that thread at work: since when it was in the way
 * is not known, but that it was, at the end. */
static __always_inline __u64 helper_changed(const struct span *s, __u64 from, __u64 to)
{
        __u64 waker = s->waker, since = s->kinds & 1 << SPAN_SYNC && s->sync_ns < from ? s->sync_ns : from;
        struct helper_change *c = waker ? bpf_map_lookup_elem(&helper_changes, &waker) : NULL;

        if (!c || c->dev != s->dev || c->ns < since || c->ns >= to)
                return 0;
        return c->ns >= from ? to - c->ns : 1;
}

/* The last @tail ns, when the device was done or that thread at work, whichever was first. It makes one change after the other, those
 * of other files first, and each waits for the journal. */
static __always_inline void wait_changed(struct wait_sum *w, const struct span *s, __u64 tail)
{
        __u64 run = s->waker_delay < tail ? s->waker_delay : tail;

        w->run_ns += run;
        w->journal_ns += tail - run;
}

/* The device as it was during the wait: idle until requests came, though what is waited for had been asked of it; idle at the
 * end, when all of it was done; or busy with requests that were in its queue and in its hands. */
static __always_inline void wait_split(struct wait_sum *w, const struct span *s, __u64 ns, __u64 now)
{
        struct disk *d = s->disk ? bpf_map_lookup_elem(&disks, &s->disk) : NULL;

        /* A device that passes its work on (device-mapper, md) never has a request of its own. */
        if (!d || (!d->busy_ns && !d->busy_since_ns)) {
                w->unsplit_ns += ns;
                return;
        }
        __u64 busy = disk_busy(d, now) - s->busy_ns, queue = d->queue_ns - s->queue_ns,
              service = d->service_ns - s->service_ns;
        __u64 idle = busy < ns && ns - busy >= HELD_NS ? ns - busy : 0;
        __u64 held = d->idle_ns > s->idle_ns ? d->idle_ns - s->idle_ns : 0;
        __u64 tail = helper_changed(s, now - ns, now);

        if (held > idle)
                held = idle;
        if (tail) {
                if (tail < idle - held)
                        tail = idle - held;
                if (held > ns - tail)
                        held = ns - tail;
                wait_changed(w, s, tail);
                idle = held + tail;
        } else if (idle) {
                __u64 run = helpers_waited(s, d, idle - held, now - ns);
                w->run_ns += run;
                w->late_ns += idle - held - run;
        }
        w->held_ns += held;
        if (queue && queue + service)
                w->queue_ns += (ns - idle) * ((queue << 10) / (queue + service)) >> 10;
}

/* What a span waited, which @part describes, of one kind. */
static __always_inline void wait_add(struct wait_sum *w, const struct wait_sum *part)
{
        if (!w)
                return;
        __sync_fetch_and_add(&w->ns, part->ns);
        __sync_fetch_and_add(&w->held_ns, part->held_ns);
        __sync_fetch_and_add(&w->late_ns, part->late_ns);
        __sync_fetch_and_add(&w->run_ns, part->run_ns);
        __sync_fetch_and_add(&w->queue_ns, part->queue_ns);
        __sync_fetch_and_add(&w->log_ns, part->log_ns);
        __sync_fetch_and_add(&w->journal_ns, part->journal_ns);
        __sync_fetch_and_add(&w->unsplit_ns, part->unsplit_ns);
}

/* Adds s->part to what @s waits for in each of its kinds. */
static __always_inline void waits_add(struct span *s)
{
        __s32 stack = s->stack < 0 ? -1 : s->stack;
        struct wait_key key = {.stack = stack, .db = s->db, .kinds = 1 << SPAN_SYNC};

        if (s->kinds & 1 << SPAN_SYNC)
                wait_add(wait_sum(&key), &s->part);
        if (s->kinds & 1 << SPAN_COMMIT)
                wait_add(commit_wait(s->db, stack), &s->part);
}

static __always_inline void wait_end(struct span *s, __u64 ns, __u64 now)
{
        __builtin_memset(&s->part, 0, sizeof(s->part));
        s->part.ns = ns;
        s->part.log_ns = journal_wrote(s->dev, now - ns, now);
        wait_split(&s->part, s, ns, now);
        s->log_ns = s->part.log_ns;
        waits_add(s);
}

/* It blocks where it was blocked before: what the journal wrote meanwhile was another transaction. */
static __always_inline void wait_goes_on(struct span *s)
{
        __builtin_memset(&s->part, 0, sizeof(s->part));
        s->part.log_ns = -s->log_ns;
        waits_add(s);
        s->log_ns = 0;
}

#endif
