/* schema.h - the tables of vigil.db and how an older file becomes a newer one. Layer: store. */
#pragma once

#include <sqlite3.h>
#include <stddef.h>

#define SCHEMA_APPLICATION_ID                                                                                      \
        1447512396 /* "VIGL": what `file` shows, and by which another program's database is told */

/** SQL that makes version N+1 out of N: entry N of the list. Entry 0 makes everything out of an empty file. */
extern const char *const schema_steps[];

/**
 * Brings the file from version @p from to version @p to in one transaction: all of it or nothing.
 * @return 0 or an SQLite result code
 */
int schema_migrate(sqlite3 *db, const char *const *steps, int from, int to);

/** Whether every table has its columns and a first page that can be read. @return 0 or an SQLite result code */
int schema_verify(sqlite3 *db);
