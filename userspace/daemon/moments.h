/* moments.h - what the kernel side had counted at the last turns: any two of them tell what came between. Pure. Layer: daemon. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

/** The longest window, and a turn before it. Turns are 1 to 5 s: of more than MOMENTS those that are close together thin out. */
#define MOMENTS_NS 130000000000ull
#define MOMENTS    32

/** What had been counted at one instant. Zero is an empty one. */
struct moment {
        uint64_t ns;                      /* CLOCK_BOOTTIME */
        struct vigil_attribution *shares; /* commits and syncs of each database that had any */
        size_t nshares;
        struct vigil_neighbour *neighbour;
        size_t nneighbours;
};

struct moments {
        struct moment moment[MOMENTS]; /* oldest first */
        size_t n;
};

/** Adds what @p record says, if it is VIGIL_ATTRIBUTION or VIGIL_NEIGHBOUR. @return 0 or -ENOMEM */
int moment_add(struct moment *m, const struct vigil_hdr *record);
/** What @p from has of database @p db and of @p disk (0: of none); @p ret is freed before. @return 0; -ENOMEM: it is as it was */
int moment_copy(const struct moment *from, uint32_t db, uint32_t disk, struct moment *ret);
void moment_done(struct moment *m);

/** Takes @p m, the newest of all. */
void moments_add(struct moments *a, const struct moment *m);
/** The last one that was not after @p ns, else the oldest; NULL: there is none. */
const struct moment *moments_at(const struct moments *a, uint64_t ns);
void moments_done(struct moments *a);
