/* fixture.h - a state directory of the test's own, and short ways to fill and read a store. */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "store/store.h"

#define SECOND 1000000000LL
#define T0     (1795260000LL * SECOND) /* 2026-11-21 in ns since the epoch */

/** The state directory, made by the first call and removed when the process ends. */
const char *state(void);
/** A path in it; the next eight calls do not touch it. */
const char *in_state(const char *name);

/** Opens the store of state(), which must work. @p ret_how may be NULL */
struct store *opened(enum store_opened *ret_how);

/** An incident of T0 with every member set; change what the test is about. */
struct store_incident an_incident(const char *id);
/** Writes it in a transaction of its own. */
void put_incident(struct store *s, const char *id, const char *status);

/** The only entry of the document of @p id, which must exist; borrowed from *ret_document. */
const json_t *incident_of(struct store *s, const char *id, json_t **ret_document);

/** Runs @p sql as another program would, by a connection of its own that is closed again. The first column of the first row is
 * kept in @p ret, where it is not NULL. */
void shell(const char *sql, char *ret, size_t size);
long long shell_number(const char *sql);
/** A connection of another program, left open. Its close is sqlite3_close(). */
struct sqlite3 *other(const char *sql);
