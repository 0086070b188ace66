/* outcome.h - after the watch: verdicts, integrity, backups, report. Layer: cli. */
#pragma once

#include "cli/session.h"

/** Exit status by the worst verdict of all databases: clean 0, abrupt 1, unclean and unknown 2. */
#define OUTCOME_BY_VERDICT (-1)

/**
 * Judges the finished session, checks each database, backs up those that did not end clean, and prints or writes the
 * report: to --out, to standard output with --json, else as text to standard error. All of it in a child (supervise.h): whoever
 * does not want to wait for it sends a signal, and nothing is left behind.
 *
 * @param status  to exit with when the report was given, or OUTCOME_BY_VERDICT
 * @return exit status: that; CLI_INTERNAL, CLI_UNAVAILABLE when the report could not be made or written (it is then printed on
 *         standard error, so that nothing is lost); 128+N after signal N
 */
int outcome_report(const struct session *s, int status);

/** Fails early when --out or --backup-dir can never be written. @return CLI_OK, or the exit status to leave with */
int outcome_check_places(const struct command *command, const struct watch_options *options);
