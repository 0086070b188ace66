/* database.h - real databases for the tests of this stage, made with SQLite itself. */
#pragma once

#include <check.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** "<a directory of this program, removed at its end>/<name>". Lives as long as the test. */
const char *place(const char *name);

/** Opens or creates; fails the test when it cannot. */
sqlite3 *db_open(const char *path);

/** Runs @p sql; fails the test on an error. */
void db_exec(sqlite3 *db, const char *sql);

/** First column of the first row of @p sql; fails the test on an error. */
int64_t db_int(sqlite3 *db, const char *sql);

/** Opens the database, asks and closes again. */
int64_t db_ask(const char *path, const char *sql);

/** A database in @p mode ("wal", "delete", …) with table t(id integer primary key, v blob) of @p rows rows of 500 bytes. */
void db_make(const char *path, const char *mode, int rows);

/** Runs @p script in a process that is killed by SIGKILL after the last statement, its connection open. The cache holds 5
 * pages, so that a large transaction spills. */
void db_killed_after(const char *path, const char *script);

/** Zeroes salts and checksum of a frame of the -wal, 1 the first, pages of 4096 bytes: so some SQLites write it after a savepoint
 * that spilled was rolled back. */
void db_break_frame(const char *path, unsigned frame);

/** A process that runs @p fn(@p path) until it is ended. Ends it with child_end(). */
pid_t process_start(void (*fn)(const char *path), const char *path);
void child_end(pid_t pid, int sig);

/** Whole content of a file; fails the test when it cannot. Released with free(). */
uint8_t *slurp(const char *path, size_t *ret_size);
void spill(const char *path, const void *data, size_t n);
int64_t size_of(const char *path); /* -1: no such file */

/** SHA-256 of a file, "-" when it does not exist. Static storage of 8 results. */
const char *hash_of(const char *path);

/** Path with a suffix; lives as long as the test. */
const char *with(const char *path, const char *suffix);
