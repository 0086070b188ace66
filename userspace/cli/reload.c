/* reload.c - `vigil reload`: the daemon reads its configuration again, and says whether it took it. */
#include <stdio.h>

#include "cli/ask.h"
#include "cli/opt.h"
#include "report/config_errors.h"

static const char help[] =
        "Usage: vigil reload\n"
        "\n"
        "Has the daemon read its configuration again, as SIGHUP does, and says what came of it: each mistake\n"
        "as FILE:LINE on standard error. A file with a mistake changes nothing. Databases are added and let\n"
        "go; those that stay keep their watch and their accounts.\n"
        "\n"
        "Exit status: 0 it was taken; 2 it was not; 69 no daemon runs; 77 not permitted.\n"
        "\n"
        "Example:\n"
        "  vigil check-config && vigil reload && vigil status\n";

static int print(const struct cli *cli, const json_t *document)
{
        bool valid = json_is_true(json_object_get(document, "valid"));
        json_int_t n = json_integer_value(json_object_get(document, "databases"));

        if (cli->json) {
                int r = json_dumpf(document, stdout, JSON_INDENT(2));
                putchar('\n');
                return r;
        }
        config_errors_text(document, stderr);
        if (!valid)
                fputs("not taken: the configuration of before stays in force\n", stderr);
        else if (!cli->quiet)
                printf("taken: %lld database%s\n", (long long)n, n == 1 ? "" : "s");
        return 0;
}

static int run(const struct cli *cli, int argc, char **argv)
{
        const struct opt opts[] = {{0}};
        struct asking a;
        json_t *document = NULL;
        int r = opt_parse(&command_reload, opts, &argc, argv, NULL);

        if (r != CLI_OK)
                return r;
        if (argc > 1)
                return cli_usage(&command_reload, "it takes no %s", argv[1]);
        r = ask_begin(cli, &a);
        if (r == CLI_OK)
                r = ask(&a, "reload", json_object(), &document);
        if (r == ASK_NO_DAEMON)
                r = ask_tell_no_daemon(&a);
        if (document && print(cli, document) != 0)
                r = CLI_INTERNAL;
        json_decref(document);
        ask_end(&a);
        return r;
}

const struct command command_reload = {
        .name = "reload",
        .summary = "Have the daemon read its configuration again",
        .help = help,
        .run = run,
};
