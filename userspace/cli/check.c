/* check.c - `vigil check DB`: is the data intact? */
#include "engine/check.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/act.h"
#include "cli/cli.h"
#include "cli/interrupt.h"
#include "cli/opt.h"
#include "cli/progress.h"
#include "cli/supervise.h"
#include "daemon/action.h"

static const char help[] =
        "Usage: vigil check DB [--check quick|full] [--time-limit DURATION]\n"
        "       vigil check NAME [--check quick|full]\n"
        "\n"
        "Says whether the data of an SQLite database are intact. Copies it, with its -wal and -journal,\n"
        "to a private place, lets the copy recover and checks that: the database itself is not touched\n"
        "and no commit waits; in WAL mode checkpoints are put off meanwhile. The copy goes to $TMPDIR or\n"
        "/var/tmp, else beside the database.\n"
        "\n"
        "  --check quick|full     quick (default): structure of every page; full: indexes and constraints too\n"
        "  --time-limit DURATION  give up after 90s, 10m, 2h; default 10m\n"
        "\n"
        "NAME is a database that the daemon guards (vigil status), where no file is called so: then the\n"
        "daemon checks it, keeps what came of it, and this command waits. Left alone, the check goes on.\n"
        "\n"
        "\"ok\" does not say that nothing was ever lost: rows that vanished with a -wal leave no trace in the\n"
        "file. Only a watch (vigil exec, vigil attach) sees that.\n"
        "\n"
        "Exit status: 0 ok; 2 corrupt; 69 it could not be checked; 77 it may not be read.\n"
        "\n"
        "Example:\n"
        "  vigil check /srv/app.db --check full\n";

struct check {
        const struct cli *cli;
        const char *path;
        struct check_options options;
        struct progress progress;
};

static const int statuses[] = {[CHECK_OK] = CLI_OK,
                               [CHECK_CORRUPT] = CLI_CRITICAL,
                               [CHECK_FAILED] = CLI_UNAVAILABLE,
                               [CHECK_TIMEOUT] = CLI_UNAVAILABLE,
                               [CHECK_SKIPPED] = CLI_UNAVAILABLE};

static int print_json(const char *path, const struct check_result *r)
{
        json_t *doc = json_pack("{s:s, s:s}", "schema", "vigil.check/1", "vigil", VIGIL_VERSION);
        json_t *check = check_json(r);

        int failed = !doc || !check || text_json_set(doc, "path", path, strlen(path)) < 0 ||
                     json_object_update(doc, check) < 0 || json_dumpf(doc, stdout, JSON_INDENT(2)) != 0;
        putchar('\n');
        json_decref(doc);
        json_decref(check);
        return failed ? -1 : 0;
}

static void print_errors(const json_t *errors)
{
        size_t i;
        json_t *error;

        json_array_foreach (errors, i, error) {
                const json_t *page = json_object_get(error, "page");
                char line[300];
                text_printable(line, sizeof(line), json_string_value(json_object_get(error, "text")));
                if (json_is_integer(page))
                        printf("  page %-6lld %s\n", (long long)json_integer_value(page), line);
                else
                        printf("              %s\n", line);
        }
}

static void print_text(const char *path, const struct check_result *r)
{
        char name[4096], ms[TEXT_DURATION_LEN];

        text_printable(name, sizeof(name), path);
        text_measured(ms, r->ms, 1000000);
        if (r->outcome == CHECK_OK) {
                printf("ok       %s\n  %s%s%s of a private copy, %s; the database was not touched\n", name,
                       r->reason ? r->reason : "", r->reason ? "; " : "", r->method, ms);
                return;
        }
        printf("CORRUPT  %s\n", name);
        print_errors(r->errors);
        if (r->reason) {
                char reason[600];
                text_printable(reason, sizeof(reason), r->reason);
                printf("  %s\n", reason);
        }
        printf("  %s of a private copy, %s; the database was not touched\n"
               "  next     keep all its files as they are: no VACUUM, no REINDEX. Restore the last verified copy\n"
               "           (vigil backup list), or read what is left with sqlite3's .recover into a new file\n",
               r->method, ms);
}

static int work(void *arg)
{
        struct check *c = arg;
        struct check_result r;

        progress_start(&c->progress, c->cli);
        c->progress.what = "copying";
        c->options.on_progress = progress_update;
        c->options.userdata = &c->progress;
        int err = check_database(c->path, &c->options, &r);
        progress_end(&c->progress);
        if (err < 0)
                return log_error_r(CLI_INTERNAL, "check: %s: %s", c->path, strerror(-err));
        int status = statuses[r.outcome] == CLI_UNAVAILABLE && r.error ? cli_status(r.error) : statuses[r.outcome];
        if (c->cli->json && print_json(c->path, &r) < 0)
                status = CLI_INTERNAL;
        if (statuses[r.outcome] == CLI_UNAVAILABLE)
                log_error("check: %s could not be checked (%s): %s", c->path, check_outcome_name(r.outcome),
                          r.reason ? r.reason : "no reason given");
        else if (!c->cli->json)
                print_text(c->path, &r);
        check_result_done(&r);
        return status;
}

static void clean(void *arg)
{
        const struct check *c = arg;

        interrupt_sweep_scratch(c->path);
}

/* ---- by the daemon ---- */

static int print_answer(const struct cli *cli, const char *name, const json_t *document)
{
        struct check_result r;

        if (cli->json) {
                int failed = json_dumpf(document, stdout, JSON_INDENT(2));
                putchar('\n');
                return failed ? CLI_INTERNAL : CLI_OK;
        }
        if (action_checked(document, &r) < 0)
                return log_error_r(CLI_INTERNAL, "check: the daemon answered with a document that is none");
        if (statuses[r.outcome] == CLI_UNAVAILABLE)
                log_error("check: %s could not be checked (%s): %s", name, check_outcome_name(r.outcome),
                          r.reason ? r.reason : "no reason given");
        else
                print_text(name, &r);
        check_result_done(&r);
        return CLI_OK;
}

/* @return exit status, or ASK_NO_DAEMON */
static int by_daemon(const struct cli *cli, const char *name, const char *method)
{
        _cleanup_(ask_end) struct asking a;
        json_t *document = NULL;
        int r = ask_begin(cli, &a);

        if (r != CLI_OK)
                return r;
        r = act(&a, "check", json_pack("{s:o, s:s*}", "database", text_json(name, strlen(name)), "method", method),
                &document);
        if (document && print_answer(cli, name, document) != CLI_OK)
                r = CLI_INTERNAL;
        json_decref(document);
        return r;
}

/* A word that is no file here. */
static bool may_be_name(const char *text)
{
        return !strchr(text, '/') && access(text, F_OK) < 0 && errno == ENOENT;
}

static int run(const struct cli *cli, int argc, char **argv)
{
        static const char *const names[] = {"quick", "full", NULL};
        struct check c = {.cli = cli, .options = {.others_may_write = true}};
        int method = -1;
        const struct opt opts[] = {
                {.name = "--check", .kind = OPT_CHOICE, .ret = &method, .choices = names},
                {.name = "--time-limit", .kind = OPT_DURATION, .ret = &c.options.deadline_ms},
                {0},
        };

        int r = opt_parse(&command_check, opts, &argc, argv, NULL);
        if (r != CLI_OK)
                return r;
        if (argc != 2)
                return cli_usage(&command_check, argc < 2 ? "say which database" : "one database at a time");
        if (may_be_name(argv[1])) {
                r = by_daemon(cli, argv[1], method < 0 ? NULL : names[method]);
                if (r != ASK_NO_DAEMON)
                        return r;
                return log_error_r(
                        CLI_UNAVAILABLE,
                        "check: there is no file %s here, and no daemon runs that would guard a database "
                        "of that name",
                        argv[1]);
        }
        /* As the report names it; what does not exist is named as it was asked for. */
        _cleanup_free_ char *real = realpath(argv[1], NULL);
        c.path = real ? real : argv[1];
        c.options.method = method > 0 ? CHECK_FULL : CHECK_QUICK;
        return supervise(work, clean, &c);
}

const struct command command_check = {
        .name = "check",
        .summary = "Say whether the data of a database are intact",
        .help = help,
        .run = run,
};
