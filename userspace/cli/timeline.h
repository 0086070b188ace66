/* timeline.h - records as lines: `vigil replay --timeline`. Layer: cli. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "bpf/abi.h"

/** Which databases and processes of a recording are Vigil's own test, with the death that every watch begins with. */
struct timeline_own {
        bool database[VIGIL_MAX_DBS];
        struct vigil_ident process[8];
        unsigned n;
};

/** Learns from every record, in the order of the recording: some of the first ones tell only later that they are of it. */
void timeline_learn(struct timeline_own *own, const struct vigil_hdr *h);

/**
 * One record as an object of "vigil.events/1": {"at", "ns", "type", …} with what its type has (docs/JSON.md). `at` is null when
 * @p offset_ns (realtime - boottime) is 0. New reference; NULL: out of memory.
 */
json_t *timeline_json(const struct vigil_hdr *h, int64_t offset_ns);

/** The same as one line of text for people; nothing where it is about @p own (may be NULL). @return 0 or -ENOMEM */
int timeline_print(const struct vigil_hdr *h, int64_t offset_ns, const struct timeline_own *own, FILE *out);
