/* discover.c - `vigil discover`: which SQLite databases are open here, as a configuration. */
#include "sensor/discover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/opt.h"
#include "report/discover.h"

static const char help[] =
        "Usage: vigil discover [--all]\n"
        "\n"
        "Lists the SQLite databases that processes of this host have open now, and prints a configuration\n"
        "that guards them: look it over, then use it. Nothing is watched or changed; of each open file the\n"
        "first 100 bytes are read. Run it as root, or only your own processes are seen.\n"
        "\n"
        "  --all  also those that are left out by default: temporary (below /tmp, /var/tmp, /run, or in\n"
        "         memory), hidden (below a directory whose name begins with a dot, as browsers keep theirs)\n"
        "         and read-only (nobody may write them)\n"
        "\n"
        "Deleted files, and files to which no path leads from here, are named and never in the configuration.\n"
        "What is proposed for each is what vigil run --discover does: a check and a backup after trouble, the\n"
        "newest three, at most one an hour, none where they would take more than max-bytes (1 GiB).\n"
        "\n"
        "Exit status: 0 done, also when there is none; 69 it could not be found out; 77 not permitted.\n"
        "\n"
        "Example:\n"
        "  vigil discover > vigil.conf && vigil check-config -c vigil.conf\n";

static int print(const struct cli *cli, const json_t *document)
{
        struct utsname host;
        int r;

        if (cli->json) {
                r = json_dumpf(document, stdout, JSON_INDENT(2));
                putchar('\n');
                return r == 0 ? CLI_OK : CLI_INTERNAL;
        }
        r = discover_text(document, uname(&host) == 0 ? host.nodename : "this host",
                          (int64_t)clock_boottime_ns() + clock_realtime_offset_ns(), stdout);
        return r == 0 ? CLI_OK : CLI_INTERNAL;
}

static int tell(int err)
{
        return log_error_r(cli_status(err), "discover: the open files of this host cannot be looked at: %s",
                           err == -ETIME ? "a file system does not answer" : strerror(-err));
}

static int run(const struct cli *cli, int argc, char **argv)
{
        bool all = false;
        const struct opt opts[] = {{.name = "--all", .kind = OPT_FLAG, .ret = &all}, {0}};
        const struct child_options how = {.deadline_ms = DISCOVER_DEADLINE_MS, .answer_limit = DISCOVER_ANSWER};
        struct child_result result = {0};

        int r = opt_parse(&command_discover, opts, &argc, argv, NULL);
        if (r != CLI_OK)
                return r;
        if (argc > 1)
                return cli_usage(&command_discover, "it takes no %s", argv[1]);
        int err = child_run(&how, NULL, discover_work, &all, &result);
        if (err == 0)
                err = (int)json_integer_value(json_object_get(result.answer, "error"));
        const json_t *document = json_object_get(result.answer, "document");
        if (err == 0 && !json_is_object(document))
                err = -ENOMEM;
        r = err < 0 ? tell(err) : print(cli, document);
        child_result_done(&result);
        return r;
}

const struct command command_discover = {
        .name = "discover",
        .summary = "List the databases that are open on this host, as a configuration",
        .help = help,
        .run = run,
};
