/* keeper_fixture.h - a keeper on a store of the test's own, and what it told. */
#pragma once

#include <sqlite3.h>
#include <sys/types.h>

#include "daemon/keeper.h"
#include "daemon/scribe.h"

extern char dir[];  /* removed when the test ends */
extern char db[64]; /* vigil.db in it */
extern struct scribe *scribe;

/** What the hooks were told; also the userdata of on_stored(). */
struct seen {
        unsigned events, stored, renewed;
        char trouble[160]; /* empty: none */
};
void on_stored(void *userdata);

/** Opens it and begins a run. */
struct keeper *begin(struct seen *seen);
/** One transaction, and what came of it. */
void turn(struct keeper *k);
void end(struct keeper *k);

/** Another program has the store locked until it is closed: sqlite3_close(). */
sqlite3 *lock(void);
/** Runs @p sql as another program. */
void shell(const char *sql);
/** The number that @p sql gives. */
int count(const char *sql);
/** The child of this process, which must have one: who writes. */
pid_t only_child(void);
