/* globals.h - global options and the choice of a command. Layer: cli. */
#pragma once

#include <stddef.h>

#include "cli/cli.h"

/** What the command line asks for. */
struct invocation {
        struct cli cli;
        const struct command *command; /* NULL: none named */
        bool help;                     /* of the command, or of vigil itself */
        bool version;
        int argc; /* of the command: argv[0] is its name, global options are gone */
        char **argv;
};

/**
 * Takes the global options out of @p argv, wherever they stand before a `--`, and looks the command up in @p table.
 * @p argv is reordered, its strings are borrowed by @p ret.
 *
 * @return CLI_OK, or CLI_USAGE after the mistake has been reported
 */
int globals_parse(int argc, char **argv, const struct command *const *table, struct invocation *ret);

/** Of the global options that are nearer to @p name than @p best, which is lowered, the nearest; else @p nearest. */
const char *globals_nearest_option(const char *name, const char *nearest, size_t *best);

/** Name in @p table that is at most two typing mistakes away from @p name; NULL: none. */
const char *globals_nearest(const char *name, const struct command *const *table);
