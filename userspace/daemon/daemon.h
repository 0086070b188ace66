/* daemon.h - `vigil run`: guards every configured database until it is told to end. Layer: daemon. */
#pragma once

#include <limits.h>
#include <stdbool.h>

struct daemon_options {
        const char *config;    /* file; NULL: CONFIG_PATH */
        const char *state_dir; /* outranks the configuration; NULL: as it says */
        bool verbose;
        bool discover;     /* guard also what is open on the host and not configured; no configuration is needed */
        bool discover_all; /* with it: as in discover() */
};

/**
 * Start order: configuration, state directory, store, sensor and its canary, databases, control socket, privileges, READY=1; then
 * the loop; on SIGTERM, SIGINT or SIGUSR1 the orderly end, which with SIGUSR1 leaves the kernel side to the next run. Whatever makes it impossible is one line on standard error.
 *
 * @return 0 after an orderly end; 2 the configuration is wrong or not there; 69 another daemon has the state directory, or the host does not
 *         let it watch; 77 not permitted; 70 the loop failed
 */
int daemon_run(const struct daemon_options *options);

/** What daemon_forget() did. */
struct daemon_forgot {
        char state_dir[PATH_MAX];
        bool ended; /* a watch that was there; false: there was none */
};

/** Removes from the kernel what a daemon that was killed has left there for the next one. @return as daemon_run(): 69 one that
 * lives has the state directory */
int daemon_forget(const struct daemon_options *options, struct daemon_forgot *ret);
