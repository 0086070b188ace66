/* predict.h - what the next program that opens a database will do to it. Layer: engine. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

/** `journal_pages` where nobody has looked into the journal: then no number is told. */
#define PREDICT_PAGES_UNKNOWN UINT32_MAX

/** Room that every prediction fits into. */
#define PREDICT_LEN 320

/**
 * Says in one English sentence, without a full stop, what the next open does to the files as @p o describes them, when
 * nobody else has them open: "next open discards 2 uncommitted WAL frames; no committed transaction is lost", "next open
 * rolls back the hot journal (12 pages); …", "nothing to recover". Begins with "unknown: " and why when it cannot be known.
 *
 * Rules: sqlite.org/lockingv3.html 4.2 (hot journals), sqlite.org/fileformat2.html 3 and 4, and pager.c: a main file of
 * 0 bytes makes SQLite delete the -journal and the -wal unread; a valid -wal is replayed whatever the header's mode says.
 *
 * @param ret  always NUL-terminated; cut at @p size - 1 bytes
 * @return 0, or -EINVAL when @p size is 0
 */
int predict_next_open(const struct vigil_observed *o, char *ret, size_t size);

/** Committed frames of the -wal that no recovery will find (VIGIL_OBS_WAL_UNREADABLE); 0: none that is known. */
uint64_t predict_unreadable(const struct vigil_observed *o);
