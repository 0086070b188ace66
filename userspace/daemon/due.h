/* due.h - the checks and backups that Vigil owes an incident: stored with it as `due`, so that a helper or a daemon that is killed
 * leaves the debt behind. The incident does not end by itself before it is paid. Layer: daemon. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/action.h"
#include "incident/incident.h"

struct daemon;

/** Beyond so many of one incident (databases times two) a debt is not kept, and the log says so. */
#define DUE_MAX (2 * INCIDENT_MAX_DATABASES)

/** Vigil means to do @p kind on @p database for @p i, as it is from now on: once more is the same debt with a newer `since`. */
void due_add(struct daemon *d, struct incident *i, enum action_kind kind, const char *database);
/** It has been done, or found to be impossible. */
void due_done(struct daemon *d, struct incident *i, enum action_kind kind, const char *database);

/** Of what is stored of the incident (its tag). */
bool due_has(const struct incident *i, enum action_kind kind, const char *database);
/** When it was wanted last, as text_time() writes it; NULL: it is not due. */
const char *due_since(const struct incident *i, enum action_kind kind, const char *database);
size_t due_count(const struct incident *i);
/** The debt at @p n, counted from 0. @return false: there is none, or what is stored is none */
bool due_at(const struct incident *i, size_t n, enum action_kind *ret_kind, const char **ret_database);
