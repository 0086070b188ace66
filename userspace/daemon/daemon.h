/* daemon.h - `vigil run`: guards every configured database until it is told to end. Layer: daemon. */
#pragma once

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
 * the loop; on SIGTERM or SIGINT the orderly end. Whatever makes it impossible is one line on standard error.
 *
 * @return 0 after an orderly end; 64 the configuration is wrong; 69 another daemon has the state directory, or the host does not
 *         let it watch; 77 not permitted; 70 the loop failed
 */
int daemon_run(const struct daemon_options *options);
