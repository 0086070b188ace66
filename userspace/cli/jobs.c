/* jobs.c - `vigil jobs`: the jobs of the orchestrators, and for each the kernel's evidence. */
#include "cli/ask.h"
#include "cli/opt.h"

static const char help[] =
        "Usage: vigil jobs [ID]\n"
        "\n"
        "Lists the jobs that run, the worst first: orphaned (its process has ended), blocked (on what,\n"
        "by whom), spinning (CPU but no progress), stalled (nothing moves), overdue (over its time, but\n"
        "progressing), unknown (and why), healthy. Healthy ones are only counted; -v lists them, too.\n"
        "CHANGED is when its row last changed. With ID, what is known of that job, in words; all of it as\n"
        "numbers: --json.\n"
        "\n"
        "Which processes are orchestrators, and how their jobs are read: vigil.conf(5).\n"
        "\n"
        "Exit status: 0 done; 69 no daemon runs, or no job of that id; 77 not permitted.\n"
        "\n"
        "Example:\n"
        "  vigil jobs job_abc123\n";

static int run(const struct cli *cli, int argc, char **argv)
{
        const struct opt opts[] = {{0}};
        int r = opt_parse(&command_jobs, opts, &argc, argv, NULL);
        if (r != CLI_OK)
                return r;
        if (argc > 2)
                return cli_usage(&command_jobs, "one id at a time, not %s", argv[2]);
        return ask_and_print(cli, "jobs", argc == 2 ? ask_args_id(argv[1]) : json_object());
}

const struct command command_jobs = {
        .name = "jobs",
        .summary = "List jobs with the kernel's evidence for each",
        .help = help,
        .run = run,
};
