/* tangles.h - processes that are tied up in each other's locks: `lock-deadlock`, `lock-convoy` and their ends. Layer: daemon.
 *
 * Of all guarded databases, with jobs or without. What is in the way of whom is detect/lock_graph.h, how long it lasts
 * detect/lock_watch.h. */
#pragma once

#include "detect/lock_watch.h"

struct daemon;
struct guard;

#define TANGLE_WAITERS 256 /* processes that wait for a lock; more are not looked at */
#define TANGLE_KNOTS   16

/** The last look. */
struct tangles {
        struct lock_waiter waiter[TANGLE_WAITERS];
        size_t nwaiters;
        bool known; /* who waits could be read; if not, nobody stands there */
        struct lock_knot knot[TANGLE_KNOTS];
        size_t nknots;
        struct lock_watch watch;
        uint64_t due_ns;
};

int tangles_new(struct tangles **ret); /* -ENOMEM */

/** Looks at everybody who waits, every two seconds, and tells what has begun and what is over. Call each second. */
void tangles_second(struct daemon *d);
