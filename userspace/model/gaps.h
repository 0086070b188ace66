/* gaps.h - holes, doubles and disorder in the sequence numbers of a stream. Layer: model. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Records of one cpu may arrive this many places late: two rings are read one after the other. */
#define GAPS_WINDOW   4096
#define GAPS_MAX_CPUS 512

struct gaps {
        struct gaps_cpu *cpu;
        uint32_t ncpus;
        uint64_t unfollowed; /* records of cpus beyond GAPS_MAX_CPUS */
        uint64_t missing;    /* numbers that have not come */
        uint64_t duplicates;
        uint64_t too_late; /* came after more than GAPS_WINDOW younger ones: cannot be told from a duplicate */
};

/**
 * Notes sequence number @p seq of @p cpu.
 * @return 1 when it is new, 0 when it came before, -ENOMEM
 */
int gaps_note(struct gaps *g, uint32_t cpu, uint64_t seq);
void gaps_done(struct gaps *g);
