/* latencies.h - how long operations take, turn by turn; a spike is an incident for as long as it lasts. Layer: daemon.
 *
 * The rule is detect/latency.h's. What it has learned is kept in the store, an hour at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "daemon/counted.h"
#include "detect/detect.h"
#include "detect/latency.h"

struct attribution_span;
struct guard;
struct latencies;

#define LATENCIES_PROGRAMS 3

/** A program, and the time of its longest kind of operation; ns 0: none. */
struct latency_program {
        char comm[VIGIL_COMM_LEN];
        uint64_t ns;
};

/** Of one database. */
struct guard_latency {
        struct latency *rule;
        uint64_t began_ns;                                  /* of this turn, CLOCK_BOOTTIME */
        uint64_t first_ns;                                  /* when the first one began */
        uint64_t bytes;                                     /* written in this turn */
        bool disturbed;                                     /* Vigil itself has been at work on it in this turn */
        char incident[DETECT_ID_LEN];                       /* of the spike that is on; empty: none */
        struct latency_program program[LATENCIES_PROGRAMS]; /* of the last turn, most time first */
        struct attribution_span
                *why; /* where time went in the spike that is on, or the last one; NULL: not known */
};

int latencies_new(struct latencies **ret); /* -ENOMEM */
void latencies_free(struct latencies *l);
/** Frees what @p g has; what was learned stays in the store. */
void latencies_forget(struct guard *g);
/** The same, and its spike ends: it is not judged any longer. */
void latencies_stop(struct daemon *d, struct guard *g);

/** Judges whose turn is over. Call each second. */
void latencies_second(struct daemon *d);

/** Stores what was learned ten minutes ago and is not stored yet; with @p all, everything. Call each minute, and at the end. */
void latencies_keep(struct daemon *d, bool all);

/** What a database's turns are by its configuration. */
struct latency_limits latencies_limits(const struct config_latency *c);

/**
 * What was counted since the last turn but one: some seconds, up to now.
 * @param ret_ns  how long that was; 0: nothing is known yet
 * @return as counted_since()
 */
int latencies_recent(struct daemon *d, struct tally *ret_rows, uint64_t *ret_ns);
