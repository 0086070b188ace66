/* unproven.h - what was written before this watch began, and is not known to be on the disk. Layer: daemon. */
#pragma once

#include <stdint.h>

#include "bpf/abi.h"

/** Files whose state is not known: bits 1 << enum vigil_role. */
#define UNPROVEN_ALL (1u << VIGIL_ROLE_MAIN | 1u << VIGIL_ROLE_WAL | 1u << VIGIL_ROLE_JOURNAL)

/** Of the files of the database at @p path those that exist and were changed at @p since_ns (since the epoch) or later. */
unsigned unproven_changed(const char *path, int64_t since_ns);

/**
 * What is still not known: neither has the file gone since, nor did a sync of it succeed, which covers what was written before, too.
 * * @param files  as they were
 */
unsigned unproven_left(unsigned files, const char *path, const struct vigil_db *account);
