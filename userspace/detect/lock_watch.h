/* lock_watch.h - knots that last, from look to look: which are worth telling. Pure: looks in, verdict out. Layer: detect.
 *
 * One look may find a ring that is none: a writer whose checkpoints are refused a reader's mark gets on all the same, while that reader
 * waits for it. So a deadlock counts from the first look at which it was the same processes and none of them had
 * written or committed since. A lock belongs to a process, not to a thread: of a process with several one may wait while the one with
 * the lock reads, and the ring ends when that is done. So where the lock may be another thread's, the ring counts only while no other
 * thread of that process can get on by itself, and none has run since.
 * Where one can, a ring may be one all the same: runtimes have threads that always wait for events. It is suspected to be one when nothing
 * has moved in it for long: nobody has written, committed, or given up; the other threads have only waited, used next to no CPU time,
 * and read nothing.
 * A convoy counts since three have waited, whoever held the lock meanwhile: none of them got it. */
#pragma once

#include <stdbool.h>

#include "detect/lock_graph.h"

#define LOCK_WATCHED 16 /* deadlocks at a time; of more the others begin anew with each look */

/* What other threads may use of a CPU while nothing moves, in thousandths: heartbeats and the like. */
#define LOCK_NOISE_PERMILLE 10

/** What is kept from look to look; zeroed before the first. */
struct lock_watch {
        struct lock_ring {
                uint64_t key;       /* of its members; 0: none */
                uint64_t looked_ns; /* when the rest of this was so */
                uint64_t work;      /* of all members */
                uint64_t run_ns;    /* of other threads that may have a lock of it */
                uint64_t reads;     /* of these */
                uint64_t since_ns;  /* it stands as it is at least since then; 0: it may end by itself */
                uint64_t idle_ns;   /* nothing has moved in it at least since then; 0: something does */
        } ring[LOCK_WATCHED];
};

struct lock_limits {
        uint64_t deadlock_after_ms; /* 0: it is not told */
        uint64_t suspect_after_ms;  /* 0: it is not told */
        uint64_t convoy_after_ms;
};

/** Takes a look at @p now into account: sets since_ns of each deadlock to when it was first seen as it is, may_end and idle_ns.
 * @param waiter  with `others` of all members of deadlocks */
void lock_watch_look(struct lock_watch *w, struct lock_knot *knot, size_t n, const struct lock_waiter *waiter,
                     uint64_t now);

/** True when @p k has lasted for as long as @p l says, and does not end by itself. */
bool lock_knot_lasts(const struct lock_knot *k, const struct lock_limits *l, uint64_t now);

/** True when @p k may be a deadlock, and nothing has moved in it for as long as @p l says. */
bool lock_knot_is_suspect(const struct lock_knot *k, const struct lock_limits *l, uint64_t now);

/** The database at which it is told: of several that with the lowest number. */
unsigned lock_knot_database(const struct lock_knot *k, const struct lock_waiter *waiter);
