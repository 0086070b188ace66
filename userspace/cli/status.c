/* status.c - `vigil status`: what the daemon guards now. */
#include "cli/ask.h"
#include "cli/opt.h"

static const char help[] =
        "Usage: vigil status\n"
        "\n"
        "Shows what the daemon guards now: health, incidents, trust, and for each database whether it\n"
        "is watched, who uses it, what a power cut would take, its last check and its last backup.\n"
        "Databases in trouble come first. -v shows all of them, with paths and processes.\n"
        "\n"
        "Exit status: 0 done; 69 no daemon runs; 77 not permitted. For scripts: vigil health.\n"
        "\n"
        "Example:\n"
        "  vigil status -v\n";

static int run(const struct cli *cli, int argc, char **argv)
{
        const struct opt opts[] = {{0}};
        int r = opt_parse(&command_status, opts, &argc, argv, NULL);
        if (r != CLI_OK)
                return r;
        if (argc > 1)
                return cli_usage(&command_status, "it takes no %s", argv[1]);
        return ask_and_print(cli, "status", json_object());
}

const struct command command_status = {
        .name = "status",
        .summary = "Show what the daemon guards now",
        .help = help,
        .run = run,
};
