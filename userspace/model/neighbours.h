/* neighbours.h - what other processes did that a database may have waited for, between two instants. Pure. Layer: model. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "bpf/abi.h"

/** Whether both are about the same process, and the same lock or disk. */
bool neighbours_same(const struct vigil_neighbour *a, const struct vigil_neighbour *b);

/**
 * What came between two accounts. One that has fallen is a beginning.
 * @param ret  room for @p nnow; those who did nothing meanwhile are left out
 * @return how many
 */
size_t neighbours_between(const struct vigil_neighbour *before, size_t nbefore, const struct vigil_neighbour *now,
                          size_t nnow, struct vigil_neighbour *ret);
