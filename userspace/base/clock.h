/* clock.h - the two clocks Vigil uses: CLOCK_BOOTTIME for events, CLOCK_REALTIME for people. Layer: base. */
#pragma once

#include <stdint.h>

/** Nanoseconds of CLOCK_BOOTTIME: the clock of task->start_boottime and of every record. */
uint64_t clock_boottime_ns(void);

/** CLOCK_REALTIME - CLOCK_BOOTTIME in ns, now. */
int64_t clock_realtime_offset_ns(void);

/** A span of @p ns in microseconds, rounded. */
uint64_t clock_us(uint64_t ns);
