/* span.h - where the time of commits and syncs goes: a span is what one thread has open, from the write lock to its release,
 * from the entry of a sync to its return.
 *
 * Only with cfg_attribution: otherwise the verifier removes every call. Each change of what the thread does (latency.bpf.c) adds
 * the time since the last one to a sum of its database, so that the sums add up to the whole, of a transaction once it has committed;
 * what it was blocked by is summed up by kernel stack, and user space tells what the stacks mean (userspace/sensor/wait_stacks.c). */
#ifndef VIGIL_SPAN_H
#define VIGIL_SPAN_H

#include "blocked.h"

#define SPANS         2048       /* a power of two */
#define LOCK_RETRY_NS 1000000000 /* who asks again later than that did something else meanwhile */

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, SPANS);
        __type(key, __u32);
        __type(value, struct span);
} spans __weak SEC(".maps");

/* Whose span lies in each place: all that a context switch of somebody else has to look at. */
__u32 span_tids[SPANS] __weak = {};

__u64 spans_blocked __weak = 0; /* while it is not 0, each switch to a thread of the kernel is noted */

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, VIGIL_MAX_DBS *SPAN_KINDS);
        __type(key, __u32);
        __type(value, struct span_sum);
} span_sums __weak SEC(".maps");

/* A thread that asks for a lock again and again before its span begins. */
struct lock_delay {
        struct lock_holder_key holder; /* that had the transaction when it asked last; tgid 0: nobody */
        __u64 since_ns;                /* 0: not now */
        __u64 last_ns;                 /* it was heard of */
        __u64 done_ns;                 /* waited for the locks that it has got */
        __u32 tid;
        __u32 db;
};

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, SPANS);
        __type(key, __u32);
        __type(value, struct lock_delay);
} lock_delays __weak SEC(".maps");

/* Whose span lies where that of thread @tid would. The verifier must see the bound of this very register. */
static __always_inline __u32 *owner_at(__u32 tid)
{
        __u64 place = tid;

        asm volatile("" : "+r"(place));
        return &span_tids[place & (SPANS - 1)];
}

/* The span of thread @tid; NULL for nearly everybody. */
static __always_inline struct span *span_of(__u32 tid)
{
        __u32 place = tid & (SPANS - 1);

        if (!tid || *owner_at(tid) != tid)
                return NULL;
        return bpf_map_lookup_elem(&spans, &place);
}

static __always_inline struct span_sum *span_sum(__u32 db, __u32 kind)
{
        __u32 key = db * SPAN_KINDS + kind;

        return bpf_map_lookup_elem(&span_sums, &key);
}

/* @what: enum span_state */
static __always_inline void span_add(struct span *s, __u32 what, __u64 ns)
{
        struct span_sum *sum = s->kinds & 1 << SPAN_SYNC ? span_sum(s->db, SPAN_SYNC) : NULL;
        struct open_commit *c = s->kinds & 1 << SPAN_COMMIT ? open_commit(s->db) : NULL;

        if (what >= SPAN_BLOCKED)
                return;
        if (sum)
                __sync_fetch_and_add(&sum->ns[what], ns);
        if (c)
                __sync_fetch_and_add(&c->ns[what], ns);
}

/* ---- the open transaction of a database: its time is that of a commit, or nobody's ---- */

static __always_inline void commit_forget(__u32 db)
{
        struct open_commit *c = open_commit(db);

        if (!c)
                return;
        c->begun_ns = 0;
        c->waits = 0;
        for (int i = 0; i < SPAN_BLOCKED; i++)
                c->ns[i] = 0;
}

static __always_inline void commit_begin(__u32 db, __u64 since)
{
        struct open_commit *c = open_commit(db);

        commit_forget(db);
        if (c)
                c->begun_ns = since;
}

static long commit_wait_keep(__u32 round, void *ctx)
{
        __u32 db = *(__u32 *)ctx;
        struct open_commit *c = open_commit(db);
        __u64 i = round;

        if (!c || i >= c->waits || i >= COMMIT_WAITS)
                return 1;
        FIX(i);
        i &= COMMIT_WAITS - 1;
        struct wait_key key = {.stack = c->stack[i], .db = db, .kinds = 1 << SPAN_COMMIT};
        wait_add(wait_sum(&key), &c->wait[i]);
        return 0;
}

/* It has committed. What went by after the thread that had begun it was gone nobody has accounted for: it is not explained. */
GLOBAL int commit_keep(__u32 db, __u64 now)
{
        struct open_commit *c = open_commit(db);
        struct span_sum *sum = span_sum(db, SPAN_COMMIT);

        if (!c || !sum || !c->begun_ns)
                return 0;
        __sync_fetch_and_add(&sum->count, 1);
        __sync_fetch_and_add(&sum->total_ns, now - c->begun_ns);
        for (int i = 0; i < SPAN_BLOCKED; i++)
                __sync_fetch_and_add(&sum->ns[i], c->ns[i]);
        repeat(COMMIT_WAITS, commit_wait_keep, &db);
        return 0;
}

/* ---- a span ---- */

/* Everything until @now is accounted for. */
static __always_inline void span_account(struct span *s, __u64 now)
{
        __u64 ns = now > s->since_ns ? now - s->since_ns : 0;

        s->since_ns = now;
        if (s->lock_ns)
                span_add(s, SPAN_LOCKED, ns);
        else if (s->state == SPAN_BLOCKED)
                wait_end(s, ns, now);
        else
                span_add(s, s->state, ns);
}

/* @s is blocked no longer: it was woken, or another thread ends it or takes it over. */
static __always_inline void span_unblock(struct span *s)
{
        if (s->state != SPAN_BLOCKED)
                return;
        s->state = SPAN_RUNS;
        __sync_fetch_and_add(&spans_blocked, -1);
}

static __always_inline void sync_ended(struct span *s, __u64 now)
{
        struct span_sum *sum = span_sum(s->db, SPAN_SYNC);

        if (!sum || !(s->kinds & 1 << SPAN_SYNC))
                return;
        __sync_fetch_and_add(&sum->count, 1);
        __sync_fetch_and_add(&sum->total_ns, now - s->sync_ns);
}

/* The current thread begins an operation. @waited: for the lock, before. */
GLOBAL int span_open(__u32 db, __u32 kind, __u64 now, __u64 waited)
{
        struct task_struct *task = self();
        __u32 tid = (__u32)self_id(task), place = tid & (SPANS - 1);
        struct span *s = bpf_map_lookup_elem(&spans, &place);
        struct db_priv *priv = db_priv(db);
        __u32 *owner = owner_at(tid);

        if (!s || !priv || kind >= SPAN_KINDS)
                return 0;
        if (!*owner) {
                __builtin_memset(s, 0, sizeof(*s));
                s->task = (__u64)task;
                s->start_ns = BPF_CORE_READ(task, start_boottime);
                s->since_ns = now;
                s->db = db;
                s->disk = priv->disk;
                s->dev = priv->key[VIGIL_ROLE_MAIN].dev;
                s->stack = -1;
                *owner = tid;
        } else if (*owner != tid || s->db != db || s->kinds & 1 << kind) {
                LOST(spans);
                if (kind == SPAN_COMMIT)
                        commit_forget(db);
                return 0;
        } else {
                span_account(s, now);
        }
        s->kinds |= 1 << kind;
        if (kind == SPAN_SYNC) {
                s->sync_ns = now;
        } else {
                commit_begin(db, now - waited);
                priv->commit_tid = tid;
                span_add(s, SPAN_LOCKED, waited);
        }
        return 0;
}

/* The operation that thread @tid has open ends. */
static __always_inline void span_close(__u32 tid, __u32 db, __u32 kind, __u64 now)
{
        struct span *s = span_of(tid);

        if (!s || s->db != db)
                return;
        span_account(s, now);
        if (kind == SPAN_SYNC)
                sync_ended(s, now);
        s->kinds &= ~(1 << kind);
        s->lock_ns = 0;
        if (!s->kinds) {
                span_unblock(s);
                *owner_at(tid) = 0;
        }
}

GLOBAL int sync_close(__u32 tid, __u32 db, __u64 now)
{
        span_close(tid, db, SPAN_SYNC, now);
        return 0;
}

/* Its transaction, of which thread @tid has the span, has been taken for over: another process has begun the next one of @db. */
GLOBAL int commit_leave(__u32 tid, __u32 db, __u64 now)
{
        span_close(tid, db, SPAN_COMMIT, now);
        return 0;
}

/* The transaction of @db is over. @committed: one that was rolled back is no commit. @tid: whose span it is, if that still lives. */
GLOBAL int commit_close(__u32 tid, __u32 db, __u64 now, int committed)
{
        span_close(tid, db, SPAN_COMMIT, now);
        if (committed)
                commit_keep(db, now);
        commit_forget(db);
        return 0;
}

/* The commit that thread @from has open goes on in the current thread, @to of the same process: libraries that run each
 * statement in whichever thread of a pool is free. */
GLOBAL int span_move(__u32 from, __u32 to, __u64 now)
{
        __u32 place = to & (SPANS - 1);
        struct span *s = span_of(from), *mine = bpf_map_lookup_elem(&spans, &place);
        struct db_priv *priv = s ? db_priv(s->db) : NULL;
        struct task_struct *task = self();

        if (!s || !mine || !priv)
                return 0;
        if (*owner_at(to)) {
                LOST(spans);
                return 0;
        }
        span_account(s, now);
        span_unblock(s);
        *owner_at(from) = 0;
        *mine = *s;
        mine->task = (__u64)task;
        mine->start_ns = BPF_CORE_READ(task, start_boottime);
        mine->state = SPAN_RUNS;
        mine->stack = -1;
        *owner_at(to) = to;
        priv->commit_tid = to;
        return 0;
}

/* ---- locks of the database ---- */

/* Until @now the thread of @w waited for whoever had the transaction when it asked last. */
static __always_inline void lock_waited(struct lock_delay *w, __u64 now)
{
        if (w->since_ns && w->holder.tgid && now > w->last_ns)
                holder_waited_for(&w->holder, now - w->last_ns);
}

/* The same of a lock in the middle of @s: the locks of readers, which a rollback commit waits for. */
static __always_inline void blocker_waited(struct span *s, __u64 now)
{
        if (s->lock_ns && s->blocker.tgid && now > s->lock_ns && now - s->lock_ns <= LOCK_RETRY_NS)
                holder_waited_for(&s->blocker, now - s->lock_ns);
}

/* A lock of @db, from @start to @end of its file, is not to be had: the current thread will ask again, as SQLite's busy handlers
 * do. */
GLOBAL int span_lock_refused(__u32 db, __s64 start, __s64 end, __u64 now)
{
        __u32 tid = (__u32)bpf_get_current_pid_tgid(), place = tid & (SPANS - 1);
        struct lock_delay *w = bpf_map_lookup_elem(&lock_delays, &place);
        struct span *s = span_of(tid);

        if (s && s->db == db) {
                span_account(s, now);
                blocker_waited(s, now);
                holder_is(db, (__u32)lock_blocker(db, start, end), &s->blocker);
                s->lock_ns = now;
                return 0;
        }
        if (!w)
                return 0;
        if (w->tid && w->tid != tid && now - w->last_ns <= LOCK_RETRY_NS) {
                LOST(spans); /* whoever has the place still waits himself */
                return 0;
        }
        if (w->tid != tid || w->db != db || now - w->last_ns > LOCK_RETRY_NS) {
                w->tid = tid;
                w->db = db;
                w->done_ns = 0;
                w->since_ns = 0;
        }
        lock_waited(w, now);
        holder_now(db, &w->holder);
        if (!w->since_ns)
                w->since_ns = now;
        w->last_ns = now;
        return 0;
}

/* The current thread has got a lock of @db. @begins: the one that begins a transaction. */
GLOBAL int span_lock_taken(__u32 db, __u32 begins, __u64 now)
{
        __u32 tid = (__u32)bpf_get_current_pid_tgid(), place = tid & (SPANS - 1);
        struct lock_delay *w = bpf_map_lookup_elem(&lock_delays, &place);
        struct span *s = span_of(tid);
        __u64 waited = 0;

        if (s && s->db == db && s->lock_ns) {
                span_account(s, now);
                blocker_waited(s, now);
                s->lock_ns = 0;
        }
        if (w && w->tid == tid && w->db == db) {
                if (w->since_ns && now - w->last_ns <= LOCK_RETRY_NS) {
                        lock_waited(w, now);
                        w->done_ns += now - w->since_ns;
                }
                w->since_ns = 0;
                w->last_ns = now;
                waited = w->done_ns;
                if (begins)
                        w->tid = 0;
        }
        return begins ? span_open(db, SPAN_COMMIT, now, waited) : 0;
}

/* ---- syncs ---- */

/* The disk under @file becomes that of @db. */
static __always_inline void disk_find(struct db_priv *priv, struct file *file)
{
        struct super_block *sb = BPF_CORE_READ(file, f_inode, i_sb);
        struct journal no_journal = {};
        struct disk idle = {};
        __u64 disk = (__u64)BPF_CORE_READ(sb, s_bdev, bd_disk);
        __u32 dev = BPF_CORE_READ(sb, s_dev);

        if (!disk)
                return;
        idle.dev = disk_dev((struct gendisk *)disk);
        if (bpf_map_update_elem(&disks, &disk, &idle, BPF_NOEXIST) && !bpf_map_lookup_elem(&disks, &disk)) {
                LOST(disks);
                return;
        }
        bpf_map_update_elem(&journals, &dev, &no_journal, BPF_NOEXIST);
        priv->disk = disk;
}

/* Thread @tid enters a sync of a file of the database of @db. */
static __always_inline void span_sync(struct vigil_db *db, struct db_priv *priv, struct file *file, __u32 tid,
                                      __u64 now)
{
        __u32 owner = priv->commit_tid;
        struct span *s;

        if (!priv->disk)
                disk_find(priv, file);
        if (owner && owner != tid && txn_is_mine(db))
                span_move(owner, tid, now);
        span_open(db->id, SPAN_SYNC, now, 0);
        s = span_of(tid);
        if (s)
                s->disk = priv->disk;
}

#endif
