/* locks.h - SQLite's locks on a database: seen, and shared as a reader. Layer: engine.
 *
 * Bytes: sqlite3 os_unix.c and wal.c; sqlite.org/walformat.html 2.3. Taken as open file description locks (fcntl(2)),
 * which belong to a descriptor: closing another one of the same file, here or in a library, does not drop them. */
#pragma once

#include <stdbool.h>

#include "engine/files.h"

/**
 * Whether some process has a lock on the database that tells it is open. A connection in WAL mode always has one; one in
 * rollback mode only inside a transaction, so 0 proves nothing there.
 *
 * @return 1, 0, or -errno of fcntl(2)
 */
int locks_in_use(const struct engine_files *f);

/** Whether some process has the WAL index open, as every WAL connection does but those of locking_mode EXCLUSIVE.
 * @return 1, 0, or -errno of fcntl(2) */
int locks_wal_in_use(const struct engine_files *f);

/**
 * Pins the main file of a database in WAL mode as a reader does: a shared lock on its SHARED range, so that nobody takes
 * himself for the last user and checkpoints at close, and one on byte WAL_READ_LOCK(0) of the -shm, without whose exclusive
 * lock no checkpoint writes the main file (walCheckpoint() in wal.c). Commits go on: they need neither. The -wal may still
 * be reset once, when it was wholly checkpointed already; who copies it compares its header before and after.
 *
 * Never waits. @return 0; -EAGAIN a checkpoint or an exclusive user is at it; or -errno of fcntl(2)
 */
int locks_pin(const struct engine_files *f);

/** Gives both locks back. */
void locks_unpin(const struct engine_files *f);
