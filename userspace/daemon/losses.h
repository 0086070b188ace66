/* losses.h - from when on something may be missing. Layer: daemon.
 *
 * Counters of loss only grow. An episode asks for what was lost since its oldest process began to take part: what was lost
 * before that concerns nobody in it. */
#pragma once

#include "bpf/abi.h"
#include "daemon/memory.h"

struct losses {
        struct vigil_stats now;
        struct {
                uint64_t ns; /* the counters had these values then */
                struct vigil_stats at;
        } mark[MEMORY_MARKS]; /* oldest first; the first is the beginning, when nothing was lost */
        size_t nmarks;
};

/** Notes the counters at @p ns. @p gaps: numbers of records that are missing. */
void losses_note(struct losses *l, uint64_t ns, const struct vigil_stats *now, uint64_t gaps);

/** The counters as if the stream had begun at @p ns: never less than what was lost since. */
struct vigil_stats losses_since(const struct losses *l, uint64_t ns);
