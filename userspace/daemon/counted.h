/* counted.h - what was done between two instants: the kernel counts from the beginning of the watch. Layer: daemon. */
#pragma once

#include <stdbool.h>

#include "daemon/tally.h"

struct daemon;

/** Rows of a file have no comm; those of a program have this role and a comm. The two kinds are never added up. */
#define COUNTED_OF_A_PROCESS 0xff

/** Everything that had been counted at one instant; nothing, at first. */
struct counted;

/**
 * True when the database was used between accounts @p before and @p now. A directory is synced for one of its databases, and
 * nobody can tell for which: not for one of which no file was touched.
 */
bool counted_used(const struct vigil_db *before, const struct vigil_db *now);

int counted_new(struct counted **ret); /* -ENOMEM */
void counted_free(struct counted *c);

/**
 * What was counted after @p then, of guarded databases. Waits for locks stand in the rows of VIGIL_OP_LOCK_WR: only the calls
 * that had to wait were timed.
 *
 * @param ret_rows  to be released with tally_done(), also on failure
 * @param keep      becomes what is counted now; may be @p then; NULL: it is not kept
 * @return 0 or -errno: the rows are not complete, and nothing was kept of the histograms
 */
int counted_since(struct daemon *d, const struct counted *then, struct tally *ret_rows, struct counted *keep);
