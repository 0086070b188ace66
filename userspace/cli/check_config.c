/* check_config.c - vigil check-config: what the daemon would make of a configuration. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/opt.h"
#include "config/config.h"
#include "report/config_errors.h"

static void print_json(const json_t *document)
{
        json_dumpf(document, stdout, JSON_INDENT(2));
        putchar('\n');
}

static int run(const struct cli *cli, int argc, char **argv)
{
        const struct opt opts[] = {{0}};
        const char *path = cli->config ? cli->config : CONFIG_PATH;
        struct config_errors errors;
        struct config *c = NULL;

        int r = opt_parse(&command_check_config, opts, &argc, argv, NULL);
        if (r != CLI_OK)
                return r;
        if (argc > 1)
                return cli_usage(&command_check_config,
                                 "takes no argument, got '%s'; name the file with --config FILE", argv[1]);
        r = config_load(path, &c, &errors);
        if (r < 0 && r != -EINVAL) {
                log_error("check-config: cannot read %s: %s%s", path, strerror(-r),
                          cli->config ? "" : "; name another file with --config FILE");
                return CLI_CRITICAL;
        }
        json_t *document = config_errors_json("vigil.check-config/1", path, r == 0, &errors);
        if (cli->json)
                print_json(document);
        else
                config_errors_text(document, stderr);
        json_decref(document);
        if (r == 0 && !cli->json && !cli->quiet)
                printf("%s: valid: %zu %s, state in %s\n", path, c->ndatabases,
                       c->ndatabases == 1 ? "database" : "databases", c->state_dir);
        config_free(c);
        return r == 0 ? CLI_OK : CLI_CRITICAL;
}

const struct command command_check_config = {
        .name = "check-config",
        .summary = "Find the mistakes in a configuration",
        .help = "Usage: vigil check-config [--config FILE] [--json]\n"
                "\n"
                "Reads the configuration as the daemon would, and tells each mistake as FILE:LINE on standard "
                "error:\n"
                "keys and sections that are unknown, with the nearest known one or where they belong, values that\n"
                "cannot be, names given twice, braces that are missing. Behind a quote that is never closed "
                "nothing\n"
                "can be told. Nothing of the host is looked at: a database may come later.\n"
                "\n"
                "  -c, --config FILE  default: " CONFIG_PATH "\n"
                "\n"
                "Exit status: 0 valid, 2 not, or it cannot be read.\n",
        .run = run,
};
