/* ask.h - what the commands that ask the daemon have in common. Layer: cli. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "cli/cli.h"

/** There is no daemon on the state directory. */
#define ASK_NO_DAEMON (-1)

/**
 * Asks the daemon of the state directory (--state-dir, else the default) and tells what goes wrong.
 *
 * @param command   as serve/protocol.h lists them
 * @param args      its reference is taken; an object
 * @param ret       new reference, or NULL when there is no document: then the error has been told
 * @return exit status, or ASK_NO_DAEMON, of which nothing has been told
 */
int ask(const struct cli *cli, const char *command, json_t *args, json_t **ret);

/** Says that no daemon runs, where, and how to start it. @return CLI_UNAVAILABLE */
int ask_tell_no_daemon(const struct cli *cli);

/** Where the state is: --state-dir or the default. Borrowed. */
const char *ask_state_dir(const struct cli *cli);

/** Prints a document on standard output: JSON with --json, else text. @return CLI_OK or CLI_INTERNAL after telling why */
int ask_print(const struct cli *cli, const json_t *document);

/** Asks and prints. @return exit status */
int ask_and_print(const struct cli *cli, const char *command, json_t *args);

/** Arguments of a question; what is NULL or 0 is left out. Bytes that are not UTF-8 become U+FFFD. NULL: out of memory. */
json_t *ask_args(const char *status, uint64_t since_ms, const char *database);
json_t *ask_args_id(const char *id);
