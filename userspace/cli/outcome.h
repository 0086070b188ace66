/* outcome.h - after the watch: verdicts, integrity, backups, report. Layer: cli. */
#pragma once

#include "cli/session.h"

/** Exit status by the worst verdict of all databases: clean 0, abrupt 1, unclean and unknown 2. */
#define OUTCOME_BY_VERDICT (-1)
/** No command ran: 0, or CLI_UNAVAILABLE when the report could not be written. */
#define OUTCOME_OF_WATCH (-2)

/**
 * Judges the finished session, checks each database, backs up those that did not end clean, and prints or writes the
 * report: to --out, to standard output with --json, else as text to standard error. All of it in a child (supervise.h): whoever
 * does not want to wait for it sends a signal, and nothing is left behind.
 *
 * A report that cannot be written is printed on standard error, so that nothing is lost.
 *
 * @param status  of the command, OUTCOME_BY_VERDICT or OUTCOME_OF_WATCH
 * @return exit status: that; CLI_INTERNAL when the report could not be made; 128+N after signal N
 */
int outcome_report(const struct session *s, int status);

/** Fails early when --out or --backup-dir can never be written. @return CLI_OK, or the exit status to leave with */
int outcome_check_places(const struct command *command, const struct watch_options *options);
