/* certificates.c - `vigil certificates` and `vigil certificate ID`: deaths of processes and their verdicts. */
#include "cli/ask.h"
#include "cli/opt.h"

static const char list_help[] =
        "Usage: vigil certificates [--since DURATION] [--db NAME]\n"
        "\n"
        "Lists the deaths of processes that used a guarded database, newest first, each with its verdict.\n"
        "Clean ones are only counted; -v lists them, too.\n"
        "\n"
        "  --since DURATION  only those of the last 90s, 5m, 2h, 1d\n"
        "  --db NAME         only those of the database of that name\n"
        "\n"
        "Exit status: 0 done; 69 no daemon and no store, or no such database; 77 not permitted.\n"
        "\n"
        "Example:\n"
        "  vigil certificates --since 1d\n";

static const char one_help[] =
        "Usage: vigil certificate ID\n"
        "\n"
        "Shows one death: the verdict and why, who ended the process, what it held, what was not\n"
        "yet durable, what the next open will do, and its last operations.\n"
        "\n"
        "Exit status: 0 done; 69 no such certificate, or nobody to ask; 77 not permitted.\n"
        "\n"
        "Example:\n"
        "  vigil certificate c-0123456789abcdef\n";

static int run_list(const struct cli *cli, int argc, char **argv)
{
        uint64_t since_ms = 0;
        const char *db = NULL;
        const struct opt opts[] = {
                {.name = "--since", .kind = OPT_DURATION, .ret = &since_ms},
                {.name = "--db", .kind = OPT_TEXT, .ret = &db},
                {0},
        };
        int r = opt_parse(&command_certificates, opts, &argc, argv, NULL);
        if (r != CLI_OK)
                return r;
        if (argc > 1)
                return cli_usage(&command_certificates, "it takes no %s; one alone: vigil certificate %s", argv[1],
                                 argv[1]);
        return ask_and_print(cli, "certificates", ask_args(NULL, since_ms, db));
}

static int run_one(const struct cli *cli, int argc, char **argv)
{
        const struct opt opts[] = {{0}};
        int r = opt_parse(&command_certificate, opts, &argc, argv, NULL);
        if (r != CLI_OK)
                return r;
        if (argc != 2)
                return cli_usage(&command_certificate, "say which one: vigil certificates lists them");
        return ask_and(cli, "certificate", ask_args_id(argv[1]), ask_print_certificate);
}

const struct command command_certificates = {
        .name = "certificates",
        .summary = "List deaths of processes and their verdicts",
        .help = list_help,
        .run = run_list,
};

const struct command command_certificate = {
        .name = "certificate",
        .summary = "Show one death in full",
        .help = one_help,
        .run = run_one,
};
