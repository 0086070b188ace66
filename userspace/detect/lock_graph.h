/* lock_graph.h - who waits for whom: cycles, which nobody but a timeout ends, and queues behind one holder. Layer: detect. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/evidence.h"

#define KNOT_MEMBERS 16 /* of one knot; more are counted */

enum knot_kind {
        KNOT_DEADLOCK, /* A waits for B, who waits for A: over one database or several */
        KNOT_CONVOY, /* three or more wait for the same lock of one database, held by one process that itself waits for none */
};
#define KNOT_CONVOY_WAITERS 3

/** Processes that are tied up in each other. */
struct lock_knot {
        enum knot_kind kind;
        bool may_end;     /* deadlock: it may end by itself: lock_watch_look() */
        uint64_t idle_ns; /* with may_end: nothing has moved in it at least since then; 0: something does */
        size_t nmembers;  /* in all */
        size_t member
                [KNOT_MEMBERS]; /* index of the waiters: of a deadlock in the order in which they wait for each other */
        struct evidence_holder holder; /* KNOT_CONVOY: the one who is waited for */
        uint64_t since_ns;             /* deadlock: since its last edge stands; convoy: since the third one waits */
};

/** "deadlock", "convoy". */
const char *knot_kind_name(enum knot_kind kind);

/**
 * Finds the knots of @p waiter. Every process is told in one deadlock at most. All waits must be of one instant.
 * @return how many, at most @p room
 */
size_t lock_graph_knots(const struct lock_waiter *waiter, size_t n, struct lock_knot *ret, size_t room);

/** True when the lock of @p k's member @p i (0 to nmembers - 1), for which another one waits, is that of the thread that waits itself,
 * as far as can be known: it has no other, or has taken the lock. */
bool lock_knot_is_own(const struct lock_knot *k, const struct lock_waiter *waiter, size_t i);

/** The member of @p k one of whose other threads may have the lock and let go of it; NULL: none that can be named. */
const struct lock_waiter *lock_knot_doubt(const struct lock_knot *k, const struct lock_waiter *waiter);

/** True when @p k keeps the process @p id from going on, whose wait is @p wait: it is a member, or waits for a member of a deadlock. */
bool lock_knot_keeps(const struct lock_knot *k, const struct lock_waiter *waiter, const struct vigil_ident *id,
                     const struct evidence_wait *wait);
