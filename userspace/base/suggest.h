/* suggest.h - what somebody who made a slip of the pen may have meant. Layer: base. */
#pragma once

#include <stddef.h>

/** Mistakes, at most, that still are a slip. */
#define SUGGEST_SLIPS 2

/**
 * Letters to insert, remove, replace or swap with their neighbour to get from @p a to @p b (optimal string alignment).
 * SIZE_MAX: one of them is longer than 32 bytes, which no name here is.
 */
size_t suggest_distance(const char *a, const char *b);
