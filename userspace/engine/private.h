/* private.h - SQLite on a private copy, in a worker. Layer: engine. */
#pragma once

#include <sqlite3.h>

#include "engine/scratch.h"

/**
 * Opens the copy in the private directory @p s and lets it recover: rolls back its journal, replays and checkpoints its log.
 * Hostile content is expected: no trusted schema, a bound on SQLite's heap. The file is mapped in part, which is safe because
 * nobody else has it. Nothing is synced.
 *
 * @param ret  also set on failure, for sqlite3_errmsg(); closed by the caller with sqlite3_close()
 * @return an SQLite result code
 */
int private_open(const struct scratch *s, sqlite3 **ret);

/** Opens the finished file at the resolved @p path read-only and as one that never changes: no lock is taken, no companion
 * looked for, nothing created. Otherwise like private_open(). */
int private_open_finished(const char *path, sqlite3 **ret);
