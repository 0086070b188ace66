/* backup.h - what the subcommands of `vigil backup` share. Layer: cli. */
#pragma once

#include "cli/cli.h"
#include "engine/check.h"

/** One subcommand. argv[0] is its name; usage errors name `vigil backup`. */
struct backup_verb {
        const char *name;
        int (*run)(const struct cli *cli, int argc, char **argv);
};

int backup_run_create(const struct cli *cli, int argc, char **argv);
int backup_run_list(const struct cli *cli, int argc, char **argv);
int backup_run_verify(const struct cli *cli, int argc, char **argv);
int backup_run_restore(const struct cli *cli, int argc, char **argv);
int backup_run_prune(const struct cli *cli, int argc, char **argv);

/** Choices of --check; the index is the one of backup_check_methods. */
extern const char *const backup_check_names[];
extern const enum check_method backup_check_methods[];

/** Exit status for a -errno: 77 for what is not permitted, 2 for corrupt data, 70 for memory, else 69. */
int backup_exit(int err);
