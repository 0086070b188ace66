/* driver.h - an SQLite program whose life is its command line; the commands are listed in driver.c. */
#pragma once

#include <pthread.h>
#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#define DRIVER_THREADS 64

struct driver {
        const char *path;
        sqlite3 *db;              /* NULL: not open */
        int flags;                /* of sqlite3_open_v2() at the next open */
        uint64_t commits;         /* acknowledged to the program */
        unsigned commits_pending; /* seen by the commit hook and not yet acknowledged */
        pthread_t thread[DRIVER_THREADS];
        size_t nthreads;
        int status; /* of the process when its steps are done */
};

/** Steps of a command line, or of a block of it. */
struct steps {
        char **arg;
        size_t n;
};

/**
 * Runs the steps in order and tells the truth about each.
 *
 * @return 0, or the result of the first step that failed, which has been told on standard error
 */
int run_steps(struct driver *d, struct steps s);

/** One @-command. */
struct command {
        const char *name;
        size_t args;
        enum { STEP_PLAIN, STEP_BLOCK, STEP_REST } kind; /* BLOCK: up to its @end; REST: all that follows */
        int (*run)(struct driver *d, char **args, struct steps block); /* 0, or an SQLite result or -errno */
};

/* Commands that act on the database (driver_data.c) and on the process (driver_life.c); each ended by a NULL name. */
extern const struct command data_commands[];
extern const struct command life_commands[];

/** Opens the database unless it is open. @return SQLITE_OK or an SQLite result */
int driver_open(struct driver *d);

/** Runs SQL, opening the database if need be. @return SQLITE_OK or an SQLite result */
int driver_sql(struct driver *d, const char *sql);
