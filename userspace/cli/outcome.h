/* outcome.h - after the watch: verdicts, integrity, backups, report. Layer: cli. */
#pragma once

#include "cli/session.h"
#include "detect/detect.h"

/**
 * Judges the finished session, checks each database, backs up those that did not end clean, and prints or writes the
 * report: to --out, to standard output with --json, else as text to standard error.
 *
 * @param ret_overall  the worst verdict of all databases
 * @return CLI_OK, or CLI_INTERNAL, CLI_UNAVAILABLE when the report could not be made or written (it is then printed on
 *         standard error, so that nothing is lost)
 */
int outcome_report(const struct session *s, enum verdict *ret_overall);

/** Fails early when --out or --backup-dir can never be written. @return CLI_OK, or the exit status to leave with */
int outcome_check_places(const struct watch_options *options);
