/* backup.c - `vigil backup`: copies that are proven, and back. */
#include "cli/backup.h"

#include <errno.h>
#include <string.h>

const char *const backup_check_names[] = {"quick", "full", "none", NULL};
const enum check_method backup_check_methods[] = {CHECK_QUICK, CHECK_FULL, CHECK_NONE};

static const char help[] =
        "Usage: vigil backup create  --db FILE --backup-dir DIR [--check quick|full|none]\n"
        "                            [--byte-budget SIZE] [--time-limit DURATION] [--reason TEXT]\n"
        "       vigil backup list    --backup-dir DIR [--db FILE]\n"
        "       vigil backup verify  --backup-dir DIR [ID]... [--all] [--check quick|full|none]\n"
        "       vigil backup restore --backup-dir DIR ID --to FILE [--force] [--check quick|full|none]\n"
        "\n"
        "create   Copies a database that may be in use, without touching it, reads the copy back from\n"
        "         the disk, opens it by itself and checks it. Only what passes becomes a\n"
        "         backup: ID.db, one file that opens by itself, and ID.json, what is known of it. If the\n"
        "         database is corrupt its files are kept as they are below DIR/evidence, apart from the\n"
        "         good ones. 10 % of the file system stay free.\n"
        "list     Shows what DIR holds, newest first, without reading the copies.\n"
        "verify   Reads the copies again, compares hashes, restores and checks each. Default: --all.\n"
        "restore  Puts a backup in the place of FILE, whole or not at all, and removes the -wal, -journal\n"
        "         and -shm of what was there. Never while a process has FILE open. --force replaces a file\n"
        "         that exists, and takes a copy that was never verified. Not seen are users on other\n"
        "         hosts of a network file system, and processes outside this container, unless they\n"
        "         hold SQLite's locks.\n"
        "\n"
        "  --byte-budget SIZE     most bytes a copy may take: 500M, 20G\n"
        "  --time-limit DURATION  give up after 90s, 10m, 2h; the check alone ends after 10m without it\n"
        "  --reason TEXT          why, for the list; default: manual\n"
        "\n"
        "Exit status: 0 done; 1 verify found a copy that is not good, or none at all; 2 the database is\n"
        "corrupt, or no copy is good; 69 could not be done; 77 not permitted.\n"
        "\n"
        "Example:\n"
        "  vigil backup create --db /srv/app.db --backup-dir /var/backups/app\n";

static const struct backup_verb verbs[] = {
        {"create", backup_run_create},
        {"list", backup_run_list},
        {"verify", backup_run_verify},
        {"restore", backup_run_restore},
};

static int run(const struct cli *cli, int argc, char **argv)
{
        if (argc < 2)
                return cli_usage(&command_backup, "say what to do: create, list, verify or restore");
        for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
                if (strcmp(argv[1], verbs[i].name) == 0)
                        return verbs[i].run(cli, argc - 1, argv + 1);
        return cli_usage(&command_backup, "'%s' is not one of create, list, verify and restore", argv[1]);
}

const struct command command_backup = {
        .name = "backup",
        .summary = "Make, list, verify and restore proven copies",
        .help = help,
        .run = run,
};

int backup_exit(int err)
{
        static const struct {
                int err, status;
        } table[] = {{0, CLI_OK},
                     {-EACCES, CLI_NOPERM},
                     {-EUCLEAN, CLI_CRITICAL},
                     {-EIO, CLI_CRITICAL},
                     {-ENOMEM, CLI_INTERNAL}};

        for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
                if (table[i].err == err)
                        return table[i].status;
        return CLI_UNAVAILABLE;
}
