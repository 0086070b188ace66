/* latency.h - when the operations on a database take much longer than usual. Pure: no clock, no file. Layer: detect.
 *
 * Turn by turn (some seconds) the caller gives what was timed of each operation on each file: a *series*. What is usual for
 * it at this hour of the week comes from its baseline. A sample is slow from `factor` times the usual 95th percentile on, and
 * never below the floor of its operation. A series is slow when the last `window` has LATENCY_SLOW_SAMPLES slow ones at least,
 * which are one of twenty of all samples or took a quarter of the time, unless the database was written so much that each
 * byte took no more than twice its usual time: a transaction that is a hundred times larger may take a hundred times longer.
 *
 * A *spike* is one for the whole database: it begins when one series is slow, and is over when none has been slow by half of
 * that measure for `hold`. A spike that begins soon after another has twice the hold, so that a wave becomes one spike. What
 * is learned are turns that have left the window with no spike on; of a spike only one turn of LATENCY_SPIKE_LEARNS, so that
 * what is slow each week at that hour becomes usual there. After `accept` of a spike it is the new usual: everything is
 * learned anew. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "detect/baseline.h"

#define LATENCY_MAX_WINDOW   24 /* turns */
#define LATENCY_SLOW_SAMPLES 5
#define LATENCY_SPIKE_LEARNS 32
#define LATENCY_AGAIN_NS                                                                                           \
        600000000000ull /* sooner after the last one, a spike has twice the hold; at most this long */
#define LATENCY_IDLE_NS 300000000000ull /* without any sample a spike is over */
#define LATENCY_SERIES  16              /* of one database: files times operations that occur */

/** What has a floor of its own. */
enum latency_op { LATENCY_READ, LATENCY_SYNC, LATENCY_LOCK, LATENCY_COMMIT, LATENCY_CHECKPOINT, LATENCY_OPS };
/** @param op  enum vigil_op_kind. @return false: it is not judged */
bool latency_op_of(unsigned op, enum latency_op *ret);

struct latency_limits {
        unsigned factor;
        uint64_t turn_ns;   /* how long a turn is meant to be */
        uint64_t window_ns; /* at most LATENCY_MAX_WINDOW turns */
        uint64_t hold_ns;
        uint64_t accept_ns;
        uint64_t warm_up_ns;  /* time with samples in it before anything is said */
        unsigned min_samples; /* learned, before anything is said */
        uint64_t floor_ns[LATENCY_OPS];
};

enum latency_state {
        LATENCY_IDLE,     /* no sample in the window */
        LATENCY_LEARNING, /* too little is known yet */
        LATENCY_USUAL,
        LATENCY_SLOW,
};
const char *latency_state_name(enum latency_state s); /* "idle", "learning", "usual", "slow" */

/** One operation on one file, as it was judged at the last turn. */
struct latency_series {
        uint8_t role, op; /* enum vigil_role, enum vigil_op_kind */
        enum latency_state state;
        struct baseline baseline;
        struct baseline_usual usual; /* as it was when the spike began, while there is one */
        uint64_t slow_ns;            /* a sample is slow from here on; 0: nothing is usual yet */
        struct vigil_hist window;    /* what was timed in the window */
        uint64_t slow;               /* samples of it that are slow */
        double factor;               /* how many times the usual the slow ones take; 0: none is */
        bool changed;                /* something was learned; the owner clears it */
        bool forgotten;              /* everything was unlearned; the owner clears it */
        uint64_t kept_ns;            /* the owner's */

        /* in this spike */
        bool affected;
        double peak_factor;
        uint64_t peak_p95_ns, max_ns, slow_samples;

        struct latency_ring *ring;
};

/** A spike, or the last one. Times of CLOCK_BOOTTIME. */
struct latency_spike {
        bool on;
        uint64_t from_ns;           /* the turn began in which the first slow sample ended */
        uint64_t to_ns;             /* the turn ended in which the last one did */
        uint64_t peak_ns;           /* the turn ended in which `factor` was reached */
        double factor;              /* the highest of its series */
        uint8_t peak_role, peak_op; /* which series that was */
        bool accepted;              /* it ended because it counts as usual from now on */
        bool idle;                  /* it ended because nothing was done any more */
};

/** Everything about one database. */
struct latency;

int latency_new(const struct latency_limits *limits, struct latency **ret); /* -ENOMEM */
void latency_free(struct latency *l);
/** After a reload. A spike that is on goes on. */
void latency_limit(struct latency *l, const struct latency_limits *limits);

/**
 * The series of this operation on this file, made where it is missing.
 * @return NULL: out of memory, LATENCY_SERIES are there, or the operation is not judged
 */
struct latency_series *latency_series(struct latency *l, unsigned role, unsigned op);
size_t latency_count(const struct latency *l);
struct latency_series *latency_at(const struct latency *l, size_t i);

/** Adds to what this turn has. */
void latency_add(struct latency_series *s, const struct vigil_hist *h);

enum latency_event {
        LATENCY_NOTHING,
        LATENCY_BEGAN,
        LATENCY_GROWS, /* a higher peak, or another series is affected */
        LATENCY_OVER,
};

/** A turn as a whole. */
struct latency_turn {
        uint64_t from_ns, to_ns; /* CLOCK_BOOTTIME */
        int64_t at_s;            /* its end, since the epoch */
        uint64_t bytes;          /* written to the database */
        bool disturbed;          /* Vigil itself was at work on it: what was timed is neither judged nor learned */
};

/** Ends the turn: what was added is judged. */
enum latency_event latency_turn(struct latency *l, const struct latency_turn *turn);

const struct latency_spike *latency_spike(const struct latency *l);
