/* crash_loop.h - a program that dies again and again must not spend on each of its deaths what the policy has for others. Layer: daemon. */
#pragma once

#include <stdbool.h>

#include "incident/incident.h"

struct daemon;
struct guard;

/**
 * Whether this death of @p i needs no backup: it is not the first one, and the copy made at first, which stands for an hour, is there
 * or on its way. Its check is begun, or owed where the last one is not a minute old (response_resume()).
 */
bool crash_loop_spares(struct daemon *d, struct guard *g, struct incident *i);
