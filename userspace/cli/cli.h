/* cli.h - one table of commands, one file per command. Layer: cli. */
#pragma once

#include <stdbool.h>

/** Exit statuses of the Contract (sysexits.h numbers where one fits). */
enum cli_exit {
        CLI_OK = 0,
        CLI_FOUND = 1, /* degraded, or something was found */
        CLI_CRITICAL = 2,
        CLI_USAGE = 64,
        CLI_UNAVAILABLE = 69,
        CLI_INTERNAL = 70,
        CLI_NOPERM = 77,
};

/** Global options, before or after the command. */
struct cli {
        bool json;
        bool quiet;
        bool verbose;
        const char *config;
        const char *state_dir;
};

/** One command. Global options are taken out of argv before run() is called; argv[0] is the command's name. */
struct command {
        const char *name;
        const char *summary; /* one line for `vigil --help` */
        const char *help;    /* whole text of `vigil NAME --help`: usage, options, exit status, an example */
        int (*run)(const struct cli *cli, int argc, char **argv); /* returns an exit status */
};

extern const struct command command_attach;
extern const struct command command_backup;
extern const struct command command_certificate;
extern const struct command command_certificates;
extern const struct command command_check;
extern const struct command command_check_config;
extern const struct command command_discover;
extern const struct command command_doctor;
extern const struct command command_events;
extern const struct command command_exec;
extern const struct command command_health;
extern const struct command command_incident;
extern const struct command command_incidents;
extern const struct command command_jobs;
extern const struct command command_record;
extern const struct command command_reload;
extern const struct command command_replay;
extern const struct command command_run;
extern const struct command command_status;
extern const struct command command_summary;
extern const struct command command_top;

/** Every command in the order of `vigil --help`, ended by NULL: cli/commands.c. */
extern const struct command *const commands[];

/** What could not be done for @p err, a -errno: CLI_NOPERM where it was not permitted, CLI_INTERNAL without memory, else
 * CLI_UNAVAILABLE. */
int cli_status(int err);

/** The same of a configuration: one that is wrong, or is not there, is CLI_CRITICAL wherever it is read. */
int cli_config_status(int err);

/** Says what is wrong with the usage and how to get help. @return CLI_USAGE */
int cli_usage(const struct command *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
