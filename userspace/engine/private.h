/* private.h - SQLite on a private copy, in a worker. Layer: engine. */
#pragma once

#include <sqlite3.h>

/**
 * Opens the copy in the directory @p dir, which a confined worker can reach by its descriptor only, and lets it recover:
 * rolls back its journal, replays and checkpoints its log. Hostile content is expected: no trusted schema, no mapped
 * memory, a bound on SQLite's heap. Nothing is synced.
 *
 * @param ret  also set on failure, for sqlite3_errmsg(); closed by the caller with sqlite3_close()
 * @return an SQLite result code
 */
int private_open(int dir, sqlite3 **ret);
