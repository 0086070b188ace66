/* clock.c - see clock.h. */
#include "base/clock.h"

#include <time.h>

#define NS_PER_S 1000000000

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
        /* The boot clock is read on both sides, so that a preemption between the reads costs half of itself. */
        int64_t before = now(CLOCK_BOOTTIME);
        int64_t real = now(CLOCK_REALTIME);
        int64_t after = now(CLOCK_BOOTTIME);
        return real - (before + (after - before) / 2);
}

uint64_t clock_us(uint64_t ns)
{
        return ns / 1000 + (ns % 1000 + 500) / 1000; /* without overflow */
}
