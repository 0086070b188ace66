/* wal.h - the health of write-ahead logs: `wal-growing` and its end. Layer: daemon. */
#pragma once

struct daemon;
struct guard;
struct vigil_db;

/** Looks at the log of @p g, whose account has just been read. Call each second while the database is in use. */
void wal_look(struct daemon *d, struct guard *g, const struct vigil_db *account);

/** Nobody uses the database: its log does not grow. */
void wal_rest(struct daemon *d, struct guard *g);
