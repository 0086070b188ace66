/* tally.h - a table of counts and histograms by file, operation and program. Layer: daemon. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

/** Rows at most: as many as the kernel keeps histograms, for files and for programs. */
#define TALLY_MAX 32768

struct tally_row {
        struct vigil_hist_key key;
        uint64_t count, bytes, errors;
        bool timed;
        struct vigil_hist hist;
};

/** Zero is an empty one. */
struct tally {
        struct tally_row *row;
        size_t n, room;
        uint32_t *slot; /* row + 1 by the hash of its key; 0: empty */
        size_t slots;   /* a power of two */
};

/** The row of @p key, made where it is missing. Valid until the next one is made. @return NULL: out of memory, or TALLY_MAX */
struct tally_row *tally_get(struct tally *t, const struct vigil_hist_key *key);
/** NULL: there is none. */
const struct tally_row *tally_find(const struct tally *t, const struct vigil_hist_key *key);
void tally_done(struct tally *t);
