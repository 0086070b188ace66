/* gaps.h - holes, doubles and disorder in the sequence numbers of a stream. Layer: model. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"

/** Records of one cpu may arrive this many places late: two rings are read one after the other. */
#define GAPS_WINDOW   2048
#define GAPS_MAX_CPUS 512

struct gaps {
        struct gaps_cpu *cpu;
        uint32_t ncpus;
        uint64_t unfollowed; /* records of cpus beyond GAPS_MAX_CPUS */
        uint64_t holes;      /* numbers that have not come */
        uint64_t
                shared; /* numbers that came with two different records: a probe ran in an interrupt of another, between
                                its number and its sending; the next number is then a hole that is no loss */
        uint64_t duplicates; /* the same record again */
        uint64_t too_late;   /* came after more than GAPS_WINDOW younger ones: cannot be told from a duplicate */
};

/**
 * Notes the number of @p h.
 * @return 1 when the record is new, 0 when the same one came before, -ENOMEM
 */
int gaps_note(struct gaps *g, const struct vigil_hdr *h);
/** Numbers that no record has. */
uint64_t gaps_missing(const struct gaps *g);
void gaps_done(struct gaps *g);
