/* cases.h - incidents as the daemon works on them: findings go in, rows of the store and events come out. Layer: daemon. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "incident/incident.h"

struct daemon;
struct guard;

/** Makes the set and takes out of the store what was open, and what may come back. @return 0 or -errno */
int cases_open(struct daemon *d);
void cases_close(struct daemon *d);
/** Stores everything that is open once more: the store is a new one. */
void cases_store_all(struct daemon *d);

/**
 * One finding: its row, its incident's row, an event.
 * @param doc  the finding as the Contract has it, a reference of the caller's that is taken
 * @return its incident; NULL: out of memory, which has been logged
 */
struct incident *case_add(struct daemon *d, const struct incident_finding *f, json_t *doc);

/**
 * A finding of the daemon's own, with the severity of its code.
 * @param g         about which database; NULL: about Vigil
 * @param evidence  object, its reference is taken; NULL: none
 * @return as case_add()
 */
struct incident *case_raise(struct daemon *d, const char *code, const struct guard *g, const char *detail,
                            json_t *evidence);
/** The same with another severity, and known to have the cause of @p incident (an id; NULL: of none that is known). One that is over
 * has no more findings: then it begins a new one. */
struct incident *case_raise_as(struct daemon *d, const char *code, enum severity severity, const struct guard *g,
                               const char *detail, json_t *evidence, const char *incident);
/** The same with the severity of its code. */
struct incident *case_raise_in(struct daemon *d, const char *code, const struct guard *g, const char *detail,
                               json_t *evidence, const char *incident);

/** As case_raise_as(), of partial trust, for @p reason (static; docs/JSON.md). */
struct incident *case_raise_doubtful(struct daemon *d, const char *code, enum severity severity,
                                     const struct guard *g, const char *detail, json_t *evidence,
                                     const char *incident, const char *reason);

/** @p detail with the time of day that it tells of, "… (as of 00:19:55Z)": it stays, and what it says lasts goes on. A sentence that is too
 * long for both is cut. */
void case_as_of(char ret[DETECT_DETAIL_LEN], const char *detail);

/** An incident lists so many certificates and findings; further ones are counted in its `deaths`, and kept by themselves. */
#define CASE_LISTED 1000
bool case_lists(const struct incident *i);

/** Sets a member of what is stored of the incident ("backup", "integrity", …); takes the reference. Gone: nothing. */
void case_set(struct daemon *d, const char *id, const char *key, json_t *value);

/** Such a member; NULL: there is none. Borrowed. */
const json_t *case_get(const struct incident *i, const char *key);

/** It does not end by itself before @p what, as incident_owe(). */
void case_owe(struct daemon *d, struct incident *i, enum incident_ends what);
/** What a death has left of @p database was taken: whoever opens it recovers nothing of that, and the deaths end by hand. */
void cases_beyond_recovery(struct daemon *d, const char *database);

/** Something has happened that its end may wait for. Resolved when nothing is owed any more. What has proven it, @p by (static) with
 * @p evidence (taken; NULL: none), stands in "resolution" from then on. */
void case_fulfil(struct daemon *d, struct incident *i, enum incident_ends what, const char *by, json_t *evidence);

/** What @p code told of the database (NULL: of Vigil) is over. An incident that has more such codes ends with the last of them. */
void cases_over(struct daemon *d, const char *code, const char *database, const char *by);

/** By an operator. @return 0; -ENOENT no such incident is open; -EALREADY */
int case_acknowledge(struct daemon *d, const char *id, const char *by);
int case_resolve(struct daemon *d, const char *id, const char *by);

/** Ends those that have been quiet, and takes what somebody has set in the sqlite3 shell. Call each second. */
void cases_turn(struct daemon *d);
