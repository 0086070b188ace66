/* taken.h - what an earlier daemon has left in the kernel, and what this one keeps ready for the next. Layer: daemon.
 *
 * A daemon that ends orderly takes its watch with it, unless it is asked to leave it. One that is killed leaves it: programs go on
 * counting, deaths wait in the urgent ring. What only user space knew goes into notes beside the accounts, after it was stored and never before: then the next
 * one may be told something twice, and knows it by its id, but misses nothing. */
#pragma once

#include <stdint.h>

#include "detect/detect.h"
#include "sensor/sensor.h"

struct daemon;

/** Opens the sensor: takes over what was left, where it can. @return as sensor_open() */
int taken_open(struct daemon *d, char why[SENSOR_WHY_LEN]);

/** Removes what was left. @return how many sets, or -errno after it was told */
int taken_forget(struct daemon *d);

/** What only the earlier daemon knew, as far as it noted it. Once, when there is a memory. */
void taken_remember(struct daemon *d);

/** The databases of the configuration have been claimed: the others leave the watch, and what waited comes. @return 0 or -errno */
int taken_settle(struct daemon *d);

/** Call at the end of each turn in which everything that was seen has been judged and stored. */
void taken_keep(struct daemon *d);

/**
 * Whether the death at @p ns, whose certificate has this @p id, was stored by the earlier daemon. Never waits.
 * @return 1, 0; -EAGAIN: the store cannot say now, as while a commit is under way
 */
int taken_is_stored(struct daemon *d, const char *id, uint64_t ns);
/** The same of a finding at @p ns, itself or with its death: beyond CASE_LISTED findings are counted and not stored. */
int taken_is_told(struct daemon *d, const struct finding *f, uint64_t ns);
