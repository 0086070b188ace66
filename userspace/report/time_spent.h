/* time_spent.h - where time went, for people: shares, who held the lock, who else used the disk. Layer: report. */
#pragma once

#include <jansson.h>

#include "report/page.h"

/** Prints `attribution`, `neighbours` and `attribution_why_not` of @p o, where they are; nothing was asked for: nothing. */
void time_spent_print(struct page *p, const json_t *o, unsigned label);
