/* pace.h - how large a step of retention may be, so that it is over soon on any disk. Pure. Layer: daemon.
 *
 * What is to go lies where nothing was read for weeks: each row may cost several seeks. While a step is at work nothing else is
 * stored, so it begins small, grows while it is quick, and is broken off when it is not. */
#pragma once

#include <stdbool.h>

#define PACE_LEAST 8
#define PACE_BEGIN 32
#define PACE_MOST  512

/** Zero: nothing is known yet. */
struct pace {
        unsigned rows; /* of the next step; 0: PACE_BEGIN */
        bool stuck;    /* even the smallest one was broken off */
};

/** Rows of the next step. @param ret_ms  after which it is to be broken off */
unsigned pace_next(const struct pace *p, unsigned *ret_ms);
/** It took @p ms. @param broken_off  nothing of it was done. @return true: it is stuck since now */
bool pace_took(struct pace *p, unsigned ms, bool broken_off);
