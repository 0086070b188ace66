/* live.h - what can be said of this moment: `vigil status` and `vigil health`. Layer: daemon. */
#pragma once

#include <jansson.h>

struct daemon;

/** "vigil.status/1". New reference; NULL: out of memory. */
json_t *live_status(struct daemon *d);

/** `status` and `reasons` of "vigil.health/1". @param ret_exit 0 healthy, 1 degraded, 2 critical. New reference. */
json_t *live_health(struct daemon *d, int *ret_exit);

/** How many are not resolved, by severity. New reference. */
json_t *live_incidents(const struct daemon *d);
