/* backup.c - `vigil backup`: copies that are proven, and back. */
#include "cli/backup.h"

#include <errno.h>
#include <string.h>

const char *const backup_check_names[] = {"quick", "full", "none", NULL};
const enum check_method backup_check_methods[] = {CHECK_QUICK, CHECK_FULL, CHECK_NONE};

static const char help[] =
        "Usage: vigil backup create  --db FILE --backup-dir DIR [--check quick|full|none]\n"
        "                            [--byte-budget SIZE] [--time-limit DURATION] [--reason TEXT]\n"
        "       vigil backup create  NAME [--reason TEXT]\n"
        "       vigil backup list    --backup-dir DIR [--db FILE]\n"
        "       vigil backup verify  --backup-dir DIR [ID]... [--all] [--check quick|full|none]\n"
        "                            [--time-limit DURATION]\n"
        "       vigil backup restore --backup-dir DIR ID --to FILE [--force] [--check quick|full|none]\n"
        "       vigil backup prune   --backup-dir DIR [--keep N] [--max-bytes SIZE] [--dry-run]\n"
        "\n"
        "create   Copies a database that may be in use, without touching it, reads the copy back from\n"
        "         the disk, opens it by itself and checks it. Only what passes becomes a\n"
        "         backup: ID.db, one file that opens by itself, and ID.json, what is known of it. If the\n"
        "         database is corrupt its files are kept as they are below DIR/evidence, apart from the\n"
        "         good ones. 10 % of the file system stay free.\n"
        "         NAME is a database that the daemon guards: it makes the backup, in STATE/backups/NAME, and\n"
        "         keeps what came of it; this command waits. Left alone, the work goes on.\n"
        "list     Shows what DIR holds, newest first, without reading the copies.\n"
        "verify   Reads the copies again, compares hashes, restores and checks each. Default: --all.\n"
        "restore  Puts a backup in the place of FILE, whole or not at all, and removes the -wal, -journal\n"
        "         and -shm of what was there. Never while a process has FILE open. --force replaces a file\n"
        "         that exists, and takes a copy that was never verified. Not seen are users on other\n"
        "         hosts of a network file system, and processes outside this container, unless they\n"
        "         hold SQLite's locks.\n"
        "prune    Removes old copies of each database: verified ones beyond the newest N, and the oldest that\n"
        "         take more than SIZE together. Never the newest verified one, never evidence, never what\n"
        "         has no sound manifest. It knows of no incidents.\n"
        "\n"
        "  --byte-budget SIZE     most bytes a copy may take: 500M, 20G; a bare number is bytes\n"
        "  --time-limit DURATION  give up after 90s, 10m, 2h; the check alone ends after 10m without it\n"
        "  --keep N               of verified copies, and as many that were never verified\n"
        "  --max-bytes SIZE       of all copies of a database\n"
        "  --dry-run              only tell what would go\n"
        "  --reason TEXT          why, for the list; default: manual\n"
        "\n"
        "Exit status: 0 done; 1 verify found a copy that is not good, or none at all, or what prune must\n"
        "keep is more than --max-bytes; 2 the database is corrupt, or no copy is good; 69 could not be\n"
        "done; 77 not permitted.\n"
        "\n"
        "Example:\n"
        "  vigil backup create --db /srv/app.db --backup-dir /var/backups/app\n";

static const struct backup_verb verbs[] = {
        {"create", backup_run_create},   {"list", backup_run_list},   {"verify", backup_run_verify},
        {"restore", backup_run_restore}, {"prune", backup_run_prune},
};

static int run(const struct cli *cli, int argc, char **argv)
{
        if (argc < 2)
                return cli_usage(&command_backup, "say what to do: create, list, verify, restore or prune");
        for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
                if (strcmp(argv[1], verbs[i].name) == 0)
                        return verbs[i].run(cli, argc - 1, argv + 1);
        return cli_usage(&command_backup, "'%s' is not one of create, list, verify, restore and prune", argv[1]);
}

const struct command command_backup = {
        .name = "backup",
        .summary = "Make, list, verify, restore and prune proven copies",
        .help = help,
        .run = run,
};

int backup_exit(int err)
{
        if (err == 0)
                return CLI_OK;
        if (err == -EPERM) /* refused by us: it was never verified */
                return CLI_UNAVAILABLE;
        return err == -EUCLEAN || err == -EIO ? CLI_CRITICAL : cli_status(err);
}
