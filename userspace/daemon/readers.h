/* readers.h - programs that use a database after a death and find nothing to recover. Layer: daemon. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"

/**
 * Whether @p u, of a process that lives or has closed in good order, shows that SQLite opened the database after @p since_ns and
 * went through what an opener does: it took SQLite's locks, and is not in the middle of a recovery, a checkpoint or a transaction.
 * A program that copies or looks at the file takes none, and proves nothing; nor does a descriptor that was inherited.
 */
bool reader_counts(const struct vigil_use *u, uint64_t since_ns);

/**
 * Whether such an opener would have recovered what there was to recover: of a log whoever may write the -shm (else SQLite reads with an
 * index of its own, in its own memory, or not at all: sqlite.org/wal.html, "Read-Only Databases"), of a journal whoever may write the
 * main file.
 * @param use_flags  enum vigil_use_flag, of all its opens
 * @param o          what the files are
 */
bool reader_could_recover(uint32_t use_flags, const struct vigil_observed *o);

/**
 * Whether @p u, of a process that had it open at the death already and has closed it in good order since, was the last to use it: of a
 * log, the last to close takes over all that counts and removes it.
 * @param now  the account after that
 */
bool closer_counts(const struct vigil_use *u, const struct vigil_db *now);

/** What the account says against it: a hot journal is still there, or the log or the journal was taken away since. */
bool reader_is_refuted(const struct vigil_db *then, const struct vigil_db *now);

/** Of what a look at the files shows: nothing that the next opener would have to undo. */
bool reader_is_confirmed(const struct vigil_observed *o);
/** The same, and there is no log whose end somebody would have to look for. */
bool closer_is_confirmed(const struct vigil_observed *o);
