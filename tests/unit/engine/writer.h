/* writer.h - processes that write a database all the time and fail when anybody makes them wait. */
#pragma once

#include <sys/types.h>

/** Tables a and b with one row per commit in each: in every consistent copy both have the same rows, 1..n. */
void writer_make(const char *path, const char *mode);

/**
 * Bodies for process_start(). Each commit inserts into both tables. No busy timeout: SQLITE_BUSY ends the process with
 * status 3, any other error with 4, SIGTERM with 0 after a proper close.
 */
void writer_constant(const char *path);  /* as fast as it can; small automatic checkpoints */
void writer_with_gaps(const char *path); /* 20 ms of rest after every commit */
void writer_exclusive(const char *path); /* locking_mode=exclusive, with gaps */

/** Waits until the file with @p suffix has been written after now. Fails the test after 10 s. */
void writer_wait(const char *path, const char *suffix);

/** Fails the test unless the copy passes integrity_check and holds 1..n in both tables. @return n */
long writer_verify(const char *copy);
