/* main.c - from the command line to a command and its exit status. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/globals.h"

static const char about[] =
        "Usage: vigil [OPTION]... COMMAND [ARGUMENT]...\n"
        "\n"
        "Watches databases in the kernel and says, when a process dies, what it held, what was not\n"
        "yet durable, whether the data survived, and what to do next.\n"
        "\n"
        "Commands:\n";

static const char global_help[] =
        "\n"
        "Options of every command, before or after its name:\n"
        "  --json             one JSON document on standard output; messages on standard error\n"
        "  -q, --quiet        errors only\n"
        "  -v, --verbose      say more\n"
        "  -c, --config FILE  configuration file\n"
        "  --state-dir DIR    where Vigil keeps its own data\n"
        "  --help             this text, or that of COMMAND; vigil help COMMAND is the same\n"
        "  --version          the version\n"
        "\n"
        "Exit status: 0 done, 1 degraded or something found, 2 critical, 64 usage, 69 unavailable,\n"
        "70 internal error, 77 not permitted.\n";

/* Started with a standard stream closed, the first file we open would take its number, and its output. */
static int hold_standard_streams(void)
{
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
                if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
                        return -1;
        return 0;
}

static void help(const struct command *command)
{
        if (command) {
                fputs(command->help, stdout);
                return;
        }
        fputs(about, stdout);
        for (const struct command *const *c = commands; *c; c++)
                printf("  %-13s %s\n", (*c)->name, (*c)->summary);
        fputs(global_help, stdout);
}

static int run(const struct invocation *in)
{
        if (in->version) {
                puts("vigil " VIGIL_VERSION);
                return CLI_OK;
        }
        if (in->help) {
                help(in->command);
                return CLI_OK;
        }
        if (!in->command)
                return cli_usage(NULL, "no command given");
        return in->command->run(&in->cli, in->argc, in->argv);
}

int main(int argc, char **argv)
{
        struct invocation in;
        if (hold_standard_streams() < 0)
                return CLI_INTERNAL;
        int status = globals_parse(argc, argv, commands, &in);
        if (status != CLI_OK)
                return status;
        if (in.cli.quiet)
                log_set_level(LOG_ERROR_);
        else if (in.cli.verbose)
                log_set_level(LOG_DEBUG_);
        status = run(&in);
        /* What did not reach the reader was not said. */
        if (fflush(stdout) != 0 || ferror(stdout)) {
                log_error("cannot write to standard output: %m");
                return status == CLI_OK ? CLI_INTERNAL : status;
        }
        return status;
}
