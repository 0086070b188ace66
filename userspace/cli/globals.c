/* globals.c - options that every command has, before or after its name. */
#include "cli/globals.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/suggest.h"

enum global { JSON, QUIET, VERBOSE, CONFIG, STATE_DIR, HELP, VERSION };

static const struct {
        const char *spelling;
        enum global what;
        bool has_value;
} globals[] = {
        {"--json", JSON, false},       {"-q", QUIET, false},
        {"--quiet", QUIET, false},     {"-v", VERBOSE, false},
        {"--verbose", VERBOSE, false}, {"-c", CONFIG, true},
        {"--config", CONFIG, true},    {"--state-dir", STATE_DIR, true},
        {"-h", HELP, false},           {"--help", HELP, false},
        {"--version", VERSION, false},
};

static void set(struct invocation *in, enum global what, const char *value)
{
        switch (what) {
        case JSON:
                in->cli.json = true;
                return;
        case QUIET:
                in->cli.quiet = true;
                return;
        case VERBOSE:
                in->cli.verbose = true;
                return;
        case CONFIG:
                in->cli.config = value;
                return;
        case STATE_DIR:
                in->cli.state_dir = value;
                return;
        case HELP:
                in->help = true;
                return;
        case VERSION:
                in->version = true;
                return;
        }
}

/* How many elements of @p argv a global option takes here: 0 none, 1 itself, 2 with its value; or -1 after an error. */
static int take(struct invocation *in, char **argv)
{
        for (size_t i = 0; i < sizeof(globals) / sizeof(globals[0]); i++) {
                const char *spelling = globals[i].spelling;
                size_t n = strlen(spelling);
                if (strncmp(argv[0], spelling, n) != 0 || (argv[0][n] && argv[0][n] != '='))
                        continue;
                bool joined = argv[0][n] == '=';
                if (globals[i].has_value != (joined || (globals[i].has_value && argv[1]))) {
                        cli_usage(NULL, globals[i].has_value ? "%s needs a value" : "%s takes no value", spelling);
                        return -1;
                }
                const char *value = joined ? argv[0] + n + 1 : argv[1];
                if (globals[i].has_value && !*value) {
                        cli_usage(NULL, "%s needs a value that is not empty", spelling);
                        return -1;
                }
                set(in, globals[i].what, value);
                return globals[i].has_value && !joined ? 2 : 1;
        }
        return 0;
}

const char *globals_nearest(const char *name, const struct command *const *table)
{
        const char *nearest = NULL;
        size_t best = SUGGEST_SLIPS + 1;
        for (; *table; table++) {
                size_t d = suggest_distance(name, (*table)->name);
                if (d < best && d < strlen((*table)->name)) {
                        best = d;
                        nearest = (*table)->name;
                }
        }
        return nearest;
}

/* `vigil help COMMAND`, as it is with other programs: the same as `vigil COMMAND --help`. */
static void take_help(struct invocation *in)
{
        while (in->argc > 0 && strcmp(in->argv[0], "help") == 0) {
                in->help = true;
                in->argc--;
                in->argv++;
        }
}

const char *globals_nearest_option(const char *name, const char *nearest, size_t *best)
{
        for (size_t i = 0; i < sizeof(globals) / sizeof(globals[0]); i++)
                if (strlen(globals[i].spelling) > SUGGEST_SLIPS && suggest_nearer(name, globals[i].spelling, best))
                        nearest = globals[i].spelling;
        return nearest;
}

static int unknown_option(const char *name)
{
        size_t best = SUGGEST_NONE;
        const char *nearest = globals_nearest_option(name, NULL, &best);

        if (!nearest)
                return cli_usage(NULL, "unknown option %s before the command", name);
        return cli_usage(NULL, "unknown option %s before the command; did you mean %s?", name, nearest);
}

static int choose(struct invocation *in, const struct command *const *table)
{
        take_help(in);
        if (in->argc == 0)
                return CLI_OK;
        const char *name = in->argv[0];
        if (!name[0])
                return cli_usage(NULL, "the name of the command is empty (a variable that is not set?)");
        if (name[0] == '-')
                return unknown_option(name);
        for (const struct command *const *c = table; *c; c++)
                if (strcmp((*c)->name, name) == 0)
                        in->command = *c;
        if (in->command)
                return CLI_OK;
        const char *nearest = globals_nearest(name, table);
        if (nearest)
                return cli_usage(NULL, "unknown command %s; did you mean %s?", name, nearest);
        return cli_usage(NULL, "unknown command %s", name);
}

int globals_parse(int argc, char **argv, const struct command *const *table, struct invocation *ret)
{
        struct invocation in = {.argv = argv + 1};
        int kept = 0, i = 1;
        while (i < argc && strcmp(argv[i], "--") != 0) {
                int took = take(&in, argv + i);
                if (took < 0)
                        return CLI_USAGE;
                if (took == 0)
                        in.argv[kept++] = argv[i++];
                i += took;
        }
        for (; i < argc; i++)
                in.argv[kept++] = argv[i];
        in.argv[kept] = NULL;
        in.argc = kept;
        if (in.cli.quiet && in.cli.verbose)
                return cli_usage(NULL, "-q and -v exclude each other");
        int r = in.version ? CLI_OK : choose(&in, table);
        if (r == CLI_OK)
                *ret = in;
        return r;
}
