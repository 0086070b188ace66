/* baseline.h - how long an operation usually takes at this hour of the week. Pure: no clock, no file. Layer: detect.
 *
 * One histogram for each hour of the week, of what was seen in it in this and earlier weeks: each new week halves what is
 * there. Of one turn (some seconds) at most BASELINE_TURN_SAMPLES count, so that a busy minute does not outweigh its hour.
 * What is asked for is a quantile, so that a few outliers change nothing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/hist.h"

#define BASELINE_SLOTS        168 /* hours of a week; 0 is Monday 00:00 UTC */
#define BASELINE_TURN_SAMPLES 64
#define BASELINE_SLOT_TURNS   120 /* an hour with fewer asks others, too */

/** Half octaves: two buckets of the kernel's are one. The first and the last stand alone. */
#define BASELINE_BUCKETS ((VIGIL_HIST_BUCKETS - 2) / 2 + 2)

/** One hour of the week. */
struct baseline_slot {
        uint32_t week;     /* since the epoch, in which it was learned last */
        uint16_t turns;    /* that were learned, halved with the rest; stays at its maximum */
        float ns_per_byte; /* time of the operation for each byte that was written to the database; 0: not known */
        uint16_t bucket[BASELINE_BUCKETS];
};

struct baseline {
        struct baseline_slot *slot[BASELINE_SLOTS]; /* NULL: nothing learned; owned */
};

/** Frees what @p b holds, not @p b. */
void baseline_done(struct baseline *b);

/** Which hour of the week, and which week, a time in seconds since the epoch is in. */
unsigned baseline_hour(int64_t at_s, uint32_t *ret_week);

/**
 * Learns one turn.
 * @param at_s   when it was, since the epoch
 * @param bytes  written to the database in it; 0: not known
 * @return 0 or -ENOMEM
 */
int baseline_learn(struct baseline *b, int64_t at_s, const struct vigil_hist *turn, uint64_t bytes);

/** Out of which hours the answer is. */
enum baseline_from {
        BASELINE_NONE,       /* nothing is known */
        BASELINE_HOUR,       /* this hour of the week */
        BASELINE_DAILY,      /* this hour of all days */
        BASELINE_NEIGHBOURS, /* and the hour before and after it */
        BASELINE_ALL,        /* whatever is known */
};
const char *baseline_from_name(enum baseline_from f); /* "none", "hour", "daily", "neighbours", "all" */

struct baseline_usual {
        enum baseline_from from;
        uint64_t p50_ns, p95_ns; /* upper bounds, at most 1.5 times the truth */
        double ns_per_byte;      /* 0: not known */
        uint32_t samples, turns; /* that it is made of */
};

/** What is usual at @p at_s: the first of enum baseline_from that knows BASELINE_SLOT_TURNS turns, else all there is. */
struct baseline_usual baseline_usual(const struct baseline *b, int64_t at_s);
/** What is known over all hours. */
struct baseline_usual baseline_overall(const struct baseline *b);

/* ---- for the store: one hour as bytes, "version, week, turns, ns per byte, then pairs of bucket and count" ---- */

#define BASELINE_PACKED_MAX (1 + 4 + 2 + 4 + BASELINE_BUCKETS * 3)

/** @return bytes written to @p ret; 0: nothing is known of that hour */
size_t baseline_pack(const struct baseline *b, unsigned hour, uint8_t ret[BASELINE_PACKED_MAX]);
/** Takes what baseline_pack() made. @return 0; -EBADMSG: it is none, and nothing was taken; -ENOMEM */
int baseline_unpack(struct baseline *b, unsigned hour, const void *data, size_t n);
