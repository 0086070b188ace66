/* opt.h - a command's own options, from a table. Layer: cli. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/cli.h"

/** What an option takes and what ret points to. */
enum opt_kind {
        OPT_FLAG,     /* nothing; bool, set to true */
        OPT_TEXT,     /* a text; const char *, borrowed from argv */
        OPT_LIST,     /* a text, given any number of times; struct opt_list */
        OPT_DURATION, /* "90", "5m", "200ms", more than 0; uint64_t, milliseconds */
        OPT_SIZE,     /* "4096", "500M", "20G", more than 0; uint64_t, bytes */
        OPT_CHOICE,   /* one of `choices`; int, its index */
};

/** Every text that was given, in order. */
struct opt_list {
        const char *
                *items; /* NULL-terminated, or NULL when there is none; release with free(). Texts are borrowed */
        size_t n;
};

/** One option. */
struct opt {
        const char *name; /* "--db"; or "-o", a short form: a second entry with the same ret */
        enum opt_kind kind;
        void *ret;
        const char *const *choices; /* of OPT_CHOICE, ended by NULL */
};

/**
 * Takes the options of @p opts, ended by a NULL name, out of @p argv: `--name value`, `--name=value`. What stays is argv[0]
 * and the operands, in their order. A `--` ends the options and is removed. An empty value is refused, and so is an empty operand:
 * behind `--` only when @p ret_operands is NULL, for there may stand the arguments of somebody else.
 *
 * @param argc          in and out
 * @param ret_operands  index in @p argv of the first operand that stood behind `--`, or argc when there was no `--`; may be
 *                      NULL
 * @return CLI_OK, CLI_USAGE after the mistake has been reported, or CLI_INTERNAL when memory ran out. What @p opts point to
 *         may be filled partly on failure; lists are to be released in every case.
 */
int opt_parse(const struct command *command, const struct opt *opts, int *argc, char **argv, int *ret_operands);
