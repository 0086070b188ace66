/* private.h - SQLite on a private copy, in a worker. Layer: engine. */
#pragma once

#include <sqlite3.h>

#include "engine/scratch.h"

/**
 * Opens the copy in the private directory @p s and lets it recover:
 * rolls back its journal, replays and checkpoints its log. Hostile content is expected: no trusted schema, no mapped
 * memory, a bound on SQLite's heap. Nothing is synced.
 *
 * @param ret  also set on failure, for sqlite3_errmsg(); closed by the caller with sqlite3_close()
 * @return an SQLite result code
 */
int private_open(const struct scratch *s, sqlite3 **ret);
