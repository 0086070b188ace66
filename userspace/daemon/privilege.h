/* privilege.h - what the monitor may still do once everything is attached. Layer: daemon. */
#pragma once

/**
 * Gives up, for good and from the bounding set too, every capability that is not in the table of privilege.c, which the unit's
 * CapabilityBoundingSet repeats. Call after sensor_open().
 * @return 0; -EPERM the kernel refused: nothing was given up
 */
int privilege_drop(void);
