/* obstacle.h - what keeps a participant from going on: locks that it asks for in vain, signals that stop it.
 *
 * SQLite does not sleep in the kernel for a lock. It gets EAGAIN, its busy handler waits some milliseconds and it asks again: a
 * wait is a series of refusals without a success. Only refusals are written down, and the end of a series. */
#ifndef VIGIL_OBSTACLE_H
#define VIGIL_OBSTACLE_H

#include "hist.h"
#include "watch.h"

__u64 refused_ns __weak = 0; /* the last refusal of all: spares user space the look at everybody */
__u64 slept_ns __weak = 0;   /* the last that a process went to sleep for; 0: none ever did */

/* That of participant @tgid, its own. */
static __always_inline struct obstacle *obstacle_of(__u32 tgid)
{
        __u32 *slot = bpf_map_lookup_elem(&part_slots, &tgid);
        struct vigil_proc *p = slot ? bpf_map_lookup_elem(&parts, slot) : NULL;
        struct obstacle *o = slot ? bpf_map_lookup_elem(&obstacles, slot) : NULL;

        if (!p || !o)
                return NULL;
        if (o->start_ns != p->id.start_ns) {
                __builtin_memset(o, 0, sizeof(*o));
                o->start_ns = p->id.start_ns;
        }
        return o;
}

/* A lock of database @db was refused to the current thread of participant @tgid. @lock: bits of enum vigil_lock. */
GLOBAL int wait_refused(__u32 tgid, __u32 db, __u32 lock, int asleep)
{
        struct obstacle *o = obstacle_of(tgid);
        __u64 ns = bpf_ktime_get_boot_ns();

        refused_ns = ns;
        if (asleep)
                slept_ns = ns;
        if (!o)
                return 0;
        struct lock_wait *w = &o->wait[0], *other = &o->wait[1];
        if (w->db != db || w->lock != lock) {
                bool second = (other->db == db && other->lock == lock) || other->last_ns < w->last_ns;
                w = second ? other : w;
        }
        /* Who slept and now merely asks was woken by a signal, whenever that was. Another thread may have been refused a moment
         * later, and written that down before. */
        bool anew = w->asleep ? !asleep : ns > w->last_ns + WAIT_GIVE_UP_NS;
        if (w->db != db || w->lock != lock || anew) {
                w->db = db;
                w->lock = lock;
                w->since_ns = ns;
                w->tries = 0;
        }
        w->last_ns = ns;
        w->tries++;
        w->tid = (__u32)bpf_get_current_pid_tgid();
        w->asleep = (__u32)asleep;
        return 0;
}

#define LOCKS_OF_SHM  (VIGIL_LOCK_WAL_WRITE | VIGIL_LOCK_WAL_RECOVER)
#define LOCKS_OF_MAIN (VIGIL_LOCK_SHARED | VIGIL_LOCK_RESERVED | VIGIL_LOCK_PENDING | VIGIL_LOCK_EXCLUSIVE)

/* How long it took, from the first refusal on. Whoever had given up began anew. Read marks and the checkpoint lock are wanted,
 * not waited for: a checkpoint that finds another at work is put off until the next commit. */
static __always_inline void wait_count(__u32 tgid, const struct lock_wait *w)
{
        __u32 role = w->lock & LOCKS_OF_SHM ? VIGIL_ROLE_SHM : VIGIL_ROLE_MAIN;
        __u64 ns = bpf_ktime_get_boot_ns();
        bool asked = w->asleep || ns <= w->last_ns + WAIT_GIVE_UP_NS;

        if (w->lock & (LOCKS_OF_SHM | LOCKS_OF_MAIN) && asked && ns >= w->since_ns)
                hist_count(tgid, w->db, role << 8 | VIGIL_OP_LOCK_WAIT, ns - w->since_ns, 0);
}

/* Participant @tgid got @got of database @db: it waits no longer for that. Returns 1 when it waits for nothing else there. */
GLOBAL int wait_over(__u32 tgid, __u32 db, __u32 got)
{
        struct obstacle *o = obstacle_of(tgid);
        int none = 1;

        if (!o)
                return 1;
        for (int i = 0; i < OBSTACLE_WAITS; i++) {
                struct lock_wait *w = &o->wait[i];

                if (w->db != db)
                        continue;
                if (w->lock & got) {
                        wait_count(tgid, w);
                        __builtin_memset(w, 0, sizeof(*w));
                } else {
                        none = 0;
                }
        }
        return none;
}

#endif
