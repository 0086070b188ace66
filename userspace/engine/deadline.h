/* deadline.h - one point in time that several steps must keep. Layer: engine. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define NS_PER_MS 1000000ULL

/** Nanoseconds of CLOCK_BOOTTIME; 0: none. */
static inline uint64_t deadline_in(uint64_t ms)
{
        return ms == 0 ? 0 : clock_boottime_ns() + ms * NS_PER_MS;
}

static inline bool deadline_over(uint64_t deadline)
{
        return deadline != 0 && clock_boottime_ns() >= deadline;
}

/** What is left in ms, at least 1, as child_options.deadline_ms wants it; 0: no deadline. */
static inline uint64_t deadline_left_ms(uint64_t deadline)
{
        uint64_t now = clock_boottime_ns();
        if (deadline == 0)
                return 0;
        return deadline <= now ? 1 : (deadline - now) / NS_PER_MS + 1;
}
