/* hold.h - stops a process at an exact call of the SQLite file layer, so that a test can kill it there without guessing
 * at times. */
#pragma once

#include <sqlite3.h>

/**
 * Arranges that the @p nth call of @p where on @p db from now creates the file @p ready and then waits for ever, before the
 * call is passed on. Public API only: the methods of the connection's sqlite3_file are replaced by a copy.
 *
 * @param where  "write" or "sync" of the main file, "ckpt": a checkpoint that has its locks and has not yet written,
 *               "wal-sync": a sync of the WAL or journal
 * @return SQLITE_OK, SQLITE_MISUSE for an unknown @p where, or the result of sqlite3_file_control()
 */
int hold_at(sqlite3 *db, const char *where, unsigned long nth, const char *ready);

/** Creates @p ready, unless it is NULL, and waits for a signal that ends the process; never returns. */
_Noreturn void hold_here(const char *ready);
