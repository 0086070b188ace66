/* check_config.c - vigil check-config: what the daemon would make of a configuration. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/opt.h"
#include "config/config.h"

static void put_items(json_t *doc, const char *key, const struct config_errors *errors, bool notes)
{
        json_t *list = json_array();

        for (size_t i = 0; i < errors->n; i++) {
                const struct config_error *e = &errors->item[i];
                if (e->note != notes)
                        continue;
                json_t *item = json_object();
                json_object_set_new(item, "line", e->line ? json_integer(e->line) : json_null());
                text_json_set(item, "text", e->text, strlen(e->text));
                json_array_append_new(list, item);
        }
        json_object_set_new(doc, key, list);
}

static void print_json(const char *path, int r, const struct config_errors *errors)
{
        json_t *doc = json_object();

        json_object_set_new(doc, "schema", json_string("vigil.check-config/1"));
        text_json_set(doc, "file", path, strlen(path));
        json_object_set_new(doc, "valid", json_boolean(r == 0));
        put_items(doc, "errors", errors, false);
        put_items(doc, "notes", errors, true);
        json_dumpf(doc, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(doc);
}

static void print_text(const char *path, const struct config_errors *errors)
{
        for (size_t i = 0; i < errors->n; i++) {
                const struct config_error *e = &errors->item[i];
                char text[sizeof(e->text)];

                text_printable(text, sizeof(text), e->text);
                fprintf(stderr, e->line ? "%s:%u: %s%s\n" : "%s:%.0u %s%s\n", path, e->line,
                        e->note ? "note: " : "", text);
        }
        if (errors->lost)
                fprintf(stderr, "%s: %zu more\n", path, errors->lost);
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
                return r == -EACCES || r == -EPERM ? CLI_NOPERM : r == -ENOMEM ? CLI_INTERNAL : CLI_CRITICAL;
        }
        if (cli->json)
                print_json(path, r, &errors);
        else
                print_text(path, &errors);
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
                "the first that breaks the syntax, every unknown key with the nearest known one, every value that\n"
                "cannot be. Nothing of the host is looked at: a database may come later.\n"
                "\n"
                "  -c, --config FILE  default: " CONFIG_PATH "\n"
                "\n"
                "Exit status: 0 valid, 2 not.\n",
        .run = run,
};
