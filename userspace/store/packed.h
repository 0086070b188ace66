/* packed.h - a histogram as `summaries.hist` holds it: pairs of bucket (1 byte) and count (4 bytes, little-endian), those that
 * are not empty. Layer: store. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

#define PACKED_PAIR 5
#define PACKED_MAX  (VIGIL_HIST_BUCKETS * PACKED_PAIR)

/** @return bytes written to @p ret */
size_t packed_write(const struct vigil_hist *h, uint8_t ret[PACKED_MAX]);

/** Adds the pairs to @p into, its `count` with them. Bytes that are no such pairs are passed over: somebody else wrote them. */
void packed_add(struct vigil_hist *into, const void *data, size_t n);
