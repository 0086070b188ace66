/* timeline.h - records as lines: `vigil replay --timeline`. Layer: cli. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "bpf/abi.h"

/**
 * One record as an object of "vigil.events/1": {"at", "ns", "type", …} with what its type has (docs/JSON.md). `at` is null when
 * @p offset_ns (realtime - boottime) is 0. New reference; NULL: out of memory.
 */
json_t *timeline_json(const struct vigil_hdr *h, int64_t offset_ns);

/** The same as one line of text for people. @return 0 or -ENOMEM */
int timeline_print(const struct vigil_hdr *h, int64_t offset_ns, FILE *out);
