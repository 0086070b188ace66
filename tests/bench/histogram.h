/* histogram.h - latencies of any number of calls in fixed memory: 64 steps per power of two, and evenly spread within a step, so
 * a percentile is at most 1.6 % off. */
#pragma once

#include <stdint.h>
#include <time.h>

enum { HISTOGRAM_STEPS = 64, HISTOGRAM_SLOTS = 60 * HISTOGRAM_STEPS };

struct histogram {
        uint64_t count;
        uint64_t max; /* ns, exact */
        uint64_t slot[HISTOGRAM_SLOTS];
};

/** Now, in ns of CLOCK_MONOTONIC. */
static inline uint64_t now_ns(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void histogram_add(struct histogram *h, uint64_t ns);

/** Value that @p per_mille of a thousand calls did not exceed, in ns; 0 when there were none. */
uint64_t histogram_at(const struct histogram *h, unsigned per_mille);
