/* clock.c - see clock.h. */
#include "base/clock.h"

#include <time.h>

#define NS_PER_S 1000000000

#define OFFSET_TRIES   4
#define OFFSET_NEAR_NS 2000

static int64_t now(clockid_t clock)
{
        /* No clock can fail on Linux: all have been there since 2.6.39. */
        struct timespec ts = {0};
        clock_gettime(clock, &ts);
        return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

uint64_t clock_boottime_ns(void)
{
        return (uint64_t)now(CLOCK_BOOTTIME);
}

uint64_t clock_cpu_ns(void)
{
        return (uint64_t)now(CLOCK_THREAD_CPUTIME_ID);
}

int64_t clock_realtime_offset_ns(void)
{
        int64_t span = INT64_MAX, offset = 0;

        /* The boot clock is read on both sides: a preemption between the reads costs half of itself, so the closest of some counts. */
        for (int i = 0; i < OFFSET_TRIES && span > OFFSET_NEAR_NS; i++) {
                int64_t before = now(CLOCK_BOOTTIME);
                int64_t real = now(CLOCK_REALTIME);
                int64_t after = now(CLOCK_BOOTTIME);
                if (after - before >= span)
                        continue;
                span = after - before;
                offset = real - (before + span / 2);
        }
        return offset;
}

uint64_t clock_us(uint64_t ns)
{
        return ns / 1000 + (ns % 1000 + 500) / 1000; /* without overflow */
}
