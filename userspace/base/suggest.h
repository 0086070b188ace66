/* suggest.h - what somebody who made a slip of the pen may have meant. Layer: base. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** Mistakes, at most, that still are a slip. */
#define SUGGEST_SLIPS 2

/**
 * Letters to insert, remove, replace or swap with their neighbour to get from @p a to @p b (optimal string alignment).
 * SIZE_MAX: one of them is longer than 32 bytes, which no name here is.
 */
size_t suggest_distance(const char *a, const char *b);

/** Whether @p known is a slip away from @p name, and nearer than @p best, which it then lowers. Begin with SUGGEST_NONE. */
bool suggest_nearer(const char *name, const char *known, size_t *best);
#define SUGGEST_NONE (SUGGEST_SLIPS + 1)
