/* ask.h - what the commands that ask the daemon have in common. Layer: cli. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/cli.h"
#include "report/report.h"

/** Whom a command asks. */
struct asking {
        const struct cli *cli;
        char *state_dir;
        bool told; /* that the store answers instead of a daemon */
};

/** No daemon answers, and the store cannot answer instead. */
#define ASK_WORDS     32
#define ASK_NO_DAEMON (-1)

/**
 * Finds the state directory: --state-dir, else what the configuration says, else the default.
 * @return CLI_OK, or the exit status to leave with after the error has been told. Release with ask_end() in every case.
 */
int ask_begin(const struct cli *cli, struct asking *ret);
void ask_end(struct asking *a);

/**
 * Asks the daemon, and where none runs its store, which is said in one line; tells what goes wrong.
 *
 * @param command   as serve/protocol.h lists them
 * @param args      its reference is taken; an object
 * @param ret       new reference, or NULL when there is no document: then the error has been told
 * @return exit status, or ASK_NO_DAEMON, of which nothing has been told
 */
int ask(struct asking *a, const char *command, json_t *args, json_t **ret);

/** Says that no daemon runs, where, and how to start it. @return CLI_UNAVAILABLE */
int ask_tell_no_daemon(const struct asking *a);

/** How text on standard output looks: colour and width of the terminal, if it is one. */
struct report_style ask_style(const struct cli *cli);

/** Prints a document on standard output: JSON with --json, else text. @return CLI_OK or CLI_INTERNAL after telling why */
int ask_print(const struct asking *a, const json_t *document);
/** The same for one incident, as an incident report in Markdown instead of text. */
int ask_print_markdown(const struct asking *a, const json_t *document);
/** The same for one certificate, told whole, where text shows a list otherwise. */
int ask_print_certificate(const struct asking *a, const json_t *document);

/** All of it: finds, asks, prints. @return exit status */
int ask_and_print(const struct cli *cli, const char *command, json_t *args);
/** The same, with another way to print. */
int ask_and(const struct cli *cli, const char *command, json_t *args,
            int (*print)(const struct asking *a, const json_t *document));

/** The command line's word for one of the protocol: "backup create" for "backup-create". @return @p ret */
const char *ask_words(const char *command, char ret[ASK_WORDS]);

/** Tells why a daemon that is there has not answered; @p err as of control_ask(). @return exit status */
int ask_tell(const struct asking *a, int err);

/** Arguments of a question; what is NULL or 0 is left out. Bytes that are not UTF-8 become U+FFFD. NULL: out of memory. */
json_t *ask_args(const char *status, uint64_t since_ms, const char *database);
json_t *ask_args_id(const char *id);
