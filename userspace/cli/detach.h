/* detach.h - the end of a sensor, without making anybody wait for it. Layer: cli. */
#pragma once

#include <stdbool.h>

struct sensor;

/**
 * Detaches in a child of its own: taking some forty classic tracepoints off takes seconds (about 70 ms each, also when a
 * process that holds them exits), and the report must not wait for that. The child has left our process group, session and
 * standard streams.
 *
 * @param wait  detach here and now instead, for whoever must know that nothing is left (--wait-detach)
 */
void detach_sensor(struct sensor *s, bool wait);
