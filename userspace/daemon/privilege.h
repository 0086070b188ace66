/* privilege.h - what the monitor may still do once everything is attached. Layer: daemon. */
#pragma once

#include <stddef.h>

/** One capability that is kept, and why. */
struct privilege {
        int capability;
        const char *name;
        const char *why;
};
/** The whole list; the unit's CapabilityBoundingSet is the same. */
extern const struct privilege privileges[];
extern const size_t privileges_count;

/**
 * Gives up every capability that is not in the list, for good: from the bounding set, too. Call after sensor_open().
 * @return 0; -EPERM the kernel refused: nothing was given up
 */
int privilege_drop(void);
