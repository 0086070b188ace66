/* incidents.c - `vigil incidents`: what fires, what somebody looks after, what is over. */
#include "cli/ask.h"
#include "cli/opt.h"

static const char help[] =
        "Usage: vigil incidents [--status firing|acknowledged|resolved] [--since DURATION] [--db NAME]\n"
        "\n"
        "Lists incidents: findings of one cause, with a life cycle. What fires comes first, the worst\n"
        "first; then what is acknowledged; then what is resolved, newest first.\n"
        "\n"
        "  --status STATUS   only those: firing, acknowledged or resolved\n"
        "  --since DURATION  only those that began, or had a finding, in the last 90s, 5m, 2h, 1d\n"
        "  --db NAME         only those of the database of that name\n"
        "\n"
        "Exit status: 0 done; 69 no daemon and no store, or no such database; 77 not permitted.\n"
        "\n"
        "Example:\n"
        "  vigil incidents --status firing\n";

static int run(const struct cli *cli, int argc, char **argv)
{
        static const char *const statuses[] = {"firing", "acknowledged", "resolved", NULL};
        int status = -1;
        uint64_t since_ms = 0;
        const char *db = NULL;
        const struct opt opts[] = {
                {.name = "--status", .kind = OPT_CHOICE, .ret = &status, .choices = statuses},
                {.name = "--since", .kind = OPT_DURATION, .ret = &since_ms},
                {.name = "--db", .kind = OPT_TEXT, .ret = &db},
                {0},
        };
        int r = opt_parse(&command_incidents, opts, &argc, argv, NULL);
        if (r != CLI_OK)
                return r;
        if (argc > 1)
                return cli_usage(&command_incidents, "it takes no %s; one alone: vigil incident show %s", argv[1],
                                 argv[1]);
        return ask_and_print(cli, "incidents", ask_args(status < 0 ? NULL : statuses[status], since_ms, db));
}

const struct command command_incidents = {
        .name = "incidents",
        .summary = "List incidents, the worst that fires first",
        .help = help,
        .run = run,
};
