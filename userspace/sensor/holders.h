/* holders.h - who holds a lock that conflicts with what another process wants. Layer: sensor. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sensor/evidence.h"
#include "sensor/proclocks.h"

/** Where a database's locks are: main file and WAL index, as the kernel has them. */
struct lock_files {
        uint32_t dev[2]; /* main, -shm */
        uint64_t ino[2]; /* 0: there is none */
};

/** Bits of enum vigil_lock that keep another process from getting @p wanted (one lock, or a merged range of several). A read mark
 * as @p wanted means: for oneself alone, as a checkpoint wants it. */
uint32_t holders_conflict(uint32_t wanted);

/**
 * Finds in @p lock the processes but @p tgid that keep @p w->lock from it: fills nholders, and of holder[] `id.tgid` and
 * `locks`, in the order of the list. Open file description locks have no owner: together they are one holder, tgid 0.
 */
void holders_find(const struct proc_lock *lock, size_t n, const struct lock_files *files, uint32_t tgid,
                  struct evidence_wait *w);
