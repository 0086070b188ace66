/* leftover.h - whether the files of a database tell of a transaction that was cut short while nobody watched. Pure. Layer: daemon. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

/** What is known besides the files. */
struct leftover_users {
        size_t n;         /* who have it open now */
        uint32_t locks;   /* what they hold together: enum vigil_lock */
        bool writer_gone; /* when it was last seen somebody was in a write transaction, who no longer has it open */
        bool known; /* such a transaction stood there already when it was last seen, or is an open incident's */
};

/**
 * What can be known: a hot journal that nobody holds a write lock for is a transaction that was cut short, whoever else reads. Frames
 * of the WAL without a commit are less: a ROLLBACK leaves them, too. They count where nobody has the database open, since the last
 * one to close it in order leaves no WAL, or where the writer that was last seen has gone.
 *
 * @param o    a look at the files
 * @param ret  one phrase: what was cut short, or may have been
 * @return false: the files are clean, somebody is at work, or it is known already
 */
bool leftover_tells(const struct vigil_observed *o, const struct leftover_users *u, const char **ret);
