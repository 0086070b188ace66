/* fixture.h - a directory with real databases for the tests of this stage. */
#pragma once

#include <check.h>
#include <stddef.h>
#include <stdint.h>

/** "<a directory of this test program, removed at its end>/<name>". Lives as long as the test. */
const char *place(const char *name);

/** printf() into memory that lives as long as the test. */
const char *text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** Makes an SQLite database in @p mode ("wal", "delete") with table t(id, v) of @p rows rows, and closes it. */
void make_database(const char *path, const char *mode, int rows);

/** Runs @p sql in a process of its own that is killed afterwards, connection open, the cache holding 5 pages. */
void killed_after(const char *path, const char *sql);

/** First column of the first row. Fails the test when the database does not answer. */
int64_t ask(const char *path, const char *sql);

/** Fills the b-tree pages behind the first with nonsense. */
void damage(const char *path);

/** Replaces or creates a file. */
void write_file(const char *path, const void *data, size_t n);

/** -1: no such file. */
int64_t size_of(const char *path);

/** Names in a directory, sorted, each followed by a blank; "" when it is empty or missing. */
const char *names_in(const char *path);

/** How many names in the directory begin with ".vigil-". */
int temporaries_in(const char *path);

/** Content, mtime and names of all that lies beside @p path and begins with its name, as one text to compare. */
const char *state_of(const char *path);
