/* exec.c - `vigil exec`: one command tree under watch, from its first instruction to its report. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/detach.h"
#include "cli/opt.h"
#include "cli/outcome.h"
#include "cli/session.h"
#include "cli/tree.h"
#include "engine/check.h"

#define TURN_MS 100 /* ordinary records are taken this often; deaths wake us at once */

enum wait_for { WAIT_TREE, WAIT_CMD };

static const char *const wait_choices[] = {"tree", "cmd", NULL};
static const char *const check_choices[] = {"none", "quick", "full", NULL}; /* in the order of enum check_method */

/* The command's own status, as a shell tells it. */
static int status_of(const struct tree *t)
{
        return WIFSIGNALED(t->status) ? 128 + WTERMSIG(t->status) : WEXITSTATUS(t->status);
}

static int exec_failed(const struct tree *t, const char *name)
{
        log_error("exec: cannot run %s: %s", name, strerror(-t->exec_error));
        return status_of(t);
}

static int watch_tree(struct session *s, struct tree *t, enum wait_for wait)
{
        int r = 0;

        while (r >= 0 && !t->empty && !(wait == WAIT_CMD && t->reaped))
                r = tree_turn(t, s, TURN_MS);
        return r;
}

static int run_watched(struct session *s, char **argv, enum wait_for wait, bool verdict_exit)
{
        struct tree t;
        int r = tree_start(&t, s, argv, s->cli->json && !s->options->out);

        if (r < 0) {
                tree_done(&t);
                return log_error_r(CLI_UNAVAILABLE, "exec: cannot start %s: %s", argv[0], strerror(-r));
        }
        if (t.interrupted) {
                tree_done(&t);
                return session_interrupted(&command_exec);
        }
        r = watch_tree(s, &t, wait);
        if (t.exec_error) {
                tree_done(&t);
                return exec_failed(&t, argv[0]);
        }
        if (r >= 0)
                r = session_finish(s, &t.id, t.status);
        tree_done(&t);
        if (r < 0)
                return log_error_r(CLI_INTERNAL, "exec: the watch was lost: %s", strerror(-r));
        return outcome_report(s, verdict_exit ? OUTCOME_BY_VERDICT : status_of(&t));
}

static int run(const struct cli *cli, int argc, char **argv)
{
        struct watch_options o = {.check = CHECK_QUICK};
        bool verdict_exit = false;
        int wait = WAIT_TREE, operands = argc;
        const struct opt opts[] = {
                {"--db", OPT_LIST, &o.db, NULL},
                {"--out", OPT_TEXT, &o.out, NULL},
                {"--backup-dir", OPT_TEXT, &o.backup_dir, NULL},
                {"--record", OPT_TEXT, &o.record, NULL},
                {"--check", OPT_CHOICE, &o.check, check_choices},
                {"--wait", OPT_CHOICE, &wait, wait_choices},
                {"--reads", OPT_FLAG, &o.reads, NULL},
                {"--why", OPT_FLAG, &o.why, NULL},
                {"--verdict-exit", OPT_FLAG, &verdict_exit, NULL},
                {"--wait-detach", OPT_FLAG, &o.wait_detach, NULL},
                {NULL, OPT_FLAG, NULL, NULL},
        };
        struct session s = {0};
        int r = opt_parse(&command_exec, opts, &argc, argv, &operands);

        if (r == CLI_OK && argc < 2)
                r = cli_usage(&command_exec, "no command given; put it behind --");
        else if (r == CLI_OK && !argv[1][0])
                r = cli_usage(&command_exec, "the command behind -- is empty (a variable that is not set?)");
        else if (r == CLI_OK && operands != 1)
                r = cli_usage(&command_exec, "put -- before the command: vigil exec [OPTION]... -- %s ...",
                              argv[1]);
        if (r == CLI_OK)
                r = outcome_check_places(&command_exec, &o);
        if (r == CLI_OK)
                r = session_open(&s, &command_exec, cli, &o, VIGIL_MODE_EXEC, argc - 1, argv + 1);
        if (r == CLI_OK && o.db.n && session_seed(&s) < 0)
                log_warn("processes that have the database open already could not be found");
        if (r == CLI_OK)
                r = run_watched(&s, argv + 1, (enum wait_for)wait, verdict_exit);
        session_done(&s);
        free(o.db.items);
        fflush(stdout);
        detach_sensor(s.sensor, o.wait_detach);
        return r;
}

const struct command command_exec = {
        .name = "exec",
        .summary = "Run a command under watch and report how it left its databases",
        .help = "Usage: vigil exec [OPTION]... -- COMMAND [ARGUMENT]...\n"
                "\n"
                "Runs COMMAND with its own stdin, stdout and stderr, watches every process it starts, and reports\n"
                "for each process that used a database how it ended: who killed it, what it had locked, what was\n"
                "not yet durable, what the next open will do, and whether the data is intact.\n"
                "\n"
                "  --db FILE         watch this database, whoever uses it; may be given more than once, and may\n"
                "                    not exist yet. Without it every SQLite database that the tree opens is found\n"
                "  --backup-dir DIR  after anything but a clean end, put a verified backup there\n"
                "  --out FILE        write the report as JSON to FILE, not as text (whole or not at all, mode "
                "0600)\n"
                "  --check METHOD    integrity check on a private copy: quick (default), full, none\n"
                "  --wait tree|cmd   report when the whole tree has ended (default), or COMMAND alone\n"
                "  --record FILE     keep the stream of records for vigil replay\n"
                "  --reads           count reads, too; slows every read of the host a little\n"
                "  --why             say where the time of commits and syncs went; slows every context switch of "
                "the\n"
                "                    host a little\n"
                "  --verdict-exit    exit 0 clean, 1 abrupt, 2 unclean, unknown, corrupt; not COMMAND's status\n"
                "  --wait-detach     end only when every probe is detached (some seconds), for tests\n"
                "\n"
                "The report goes to standard error as text, or with --json to standard output, with COMMAND's\n"
                "standard output on standard error.\n"
                "\n"
                "Exit status: COMMAND's, 128+N when signal N ended it, 126 or 127 when it cannot be run; 64 "
                "usage,\n"
                "69 or 77 when Vigil cannot watch here, 128+N when signal N came early: COMMAND is then not "
                "started.\n"
                "\n"
                "Example:\n"
                "  vigil exec --db app.db --backup-dir /var/backups/app -- ./app --port 8080\n",
        .run = run,
};
