/* clock.h - the clocks Vigil uses: CLOCK_BOOTTIME for events, CLOCK_REALTIME for people, and what it costs itself. Layer: base. */
#pragma once

#include <stdint.h>

/** Nanoseconds of CLOCK_BOOTTIME: the clock of task->start_boottime and of every record. */
uint64_t clock_boottime_ns(void);

/** CPU time that this thread has used, in ns. */
uint64_t clock_cpu_ns(void);

/** CLOCK_REALTIME - CLOCK_BOOTTIME in ns, now. */
int64_t clock_realtime_offset_ns(void);

/** A span of @p ns in microseconds, rounded. */
uint64_t clock_us(uint64_t ns);
