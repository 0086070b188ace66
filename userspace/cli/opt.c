/* opt.c - options from a table, so that every command reads and complains alike. */
#include "cli/opt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/suggest.h"
#include "base/text.h"
#include "cli/globals.h"

static int add_item(struct opt_list *list, const char *text)
{
        const char **grown = realloc(list->items, (list->n + 2) * sizeof(*grown));
        if (!grown)
                return log_error_r(CLI_INTERNAL, "out of memory");
        list->items = grown;
        list->items[list->n++] = text;
        list->items[list->n] = NULL;
        return CLI_OK;
}

static int choose(const struct command *command, const struct opt *o, const char *value)
{
        char all[256] = "";
        for (int i = 0; o->choices[i]; i++) {
                if (strcmp(o->choices[i], value) == 0) {
                        *(int *)o->ret = i;
                        return CLI_OK;
                }
                if (i > 0)
                        strncat(all, ", ", sizeof(all) - strlen(all) - 1);
                strncat(all, o->choices[i], sizeof(all) - strlen(all) - 1);
        }
        return cli_usage(command, "%s: %s is not one of: %s", o->name, value, all);
}

static int set_duration(const struct command *command, const struct opt *o, const char *value)
{
        int r = text_parse_duration(value, o->ret);
        if (r == -ERANGE)
                return cli_usage(command, "%s: %s is too long", o->name, value);
        if (r < 0)
                return cli_usage(command, "%s: %s is no duration such as 90s, 5m, 2h or 1d", o->name, value);
        if (*(uint64_t *)o->ret == 0) /* nobody who says 0 means what an option left out means */
                return cli_usage(command, "%s: %s is no time at all; leave the option out for its default", o->name,
                                 value);
        return CLI_OK;
}

static int set_size(const struct command *command, const struct opt *o, const char *value)
{
        int r = text_parse_bytes(value, o->ret);

        if (r == -ERANGE)
                return cli_usage(command, "%s: %s is too large", o->name, value);
        if (r < 0 || *(uint64_t *)o->ret == 0)
                return cli_usage(command, "%s: %s is no size such as 4096, 500M or 20G", o->name, value);
        return CLI_OK;
}

static int set(const struct command *command, const struct opt *o, const char *value)
{
        switch (o->kind) {
        case OPT_FLAG:
                *(bool *)o->ret = true;
                return CLI_OK;
        case OPT_TEXT:
                *(const char **)o->ret = value;
                return CLI_OK;
        case OPT_LIST:
                return add_item(o->ret, value);
        case OPT_DURATION:
                return set_duration(command, o, value);
        case OPT_SIZE:
                return set_size(command, o, value);
        case OPT_CHOICE:
                return choose(command, o, value);
        }
        return CLI_INTERNAL;
}

/* The option that @p arg is, and where it says "=value" that value. */
static const struct opt *find(const struct opt *opts, const char *arg, const char **ret_joined)
{
        for (; opts->name; opts++) {
                size_t n = strlen(opts->name);
                if (strncmp(arg, opts->name, n) != 0 || (arg[n] && arg[n] != '='))
                        continue;
                *ret_joined = arg[n] ? arg + n + 1 : NULL;
                return opts;
        }
        return NULL;
}

static int unknown(const struct command *command, const struct opt *opts, const char *arg)
{
        char name[64];
        size_t best = SUGGEST_NONE;
        const char *nearest = NULL;

        snprintf(name, sizeof(name), "%.*s", (int)strcspn(arg, "="), arg);
        for (; opts->name; opts++)
                if (strlen(opts->name) > SUGGEST_SLIPS && suggest_nearer(name, opts->name, &best))
                        nearest = opts->name;
        nearest = globals_nearest_option(name, nearest, &best);
        if (!nearest)
                return cli_usage(command, "unknown option %s", arg);
        return cli_usage(command, "unknown option %s; did you mean %s?", arg, nearest);
}

/* @p i stands on an option: takes it, and leaves @p i on its last word. */
static int take(const struct command *command, const struct opt *opts, char **argv, int argc, int *i)
{
        const char *value = NULL;
        const struct opt *o = find(opts, argv[*i], &value);
        if (!o)
                return unknown(command, opts, argv[*i]);
        if (o->kind == OPT_FLAG && value)
                return cli_usage(command, "%s takes no value", o->name);
        if (o->kind != OPT_FLAG && !value) {
                const char *joined;
                if (*i + 1 >= argc || strcmp(argv[*i + 1], "--") == 0)
                        return cli_usage(command, "%s needs a value", o->name);
                value = argv[++*i];
                if (find(opts, value, &joined))
                        return cli_usage(command,
                                         "%s needs a value, and %s is an option; write %s=%s if it is meant",
                                         o->name, value, o->name, value);
        }
        if (o->kind != OPT_FLAG && !*value)
                return cli_usage(command, "%s needs a value that is not empty", o->name);
        return set(command, o, value);
}

int opt_parse(const struct command *command, const struct opt *opts, int *argc, char **argv, int *ret_operands)
{
        int kept = 1, behind = -1;
        for (int i = 1; i < *argc; i++) {
                bool option = behind < 0 && argv[i][0] == '-' && argv[i][1];
                if (option && strcmp(argv[i], "--") == 0) {
                        behind = kept;
                } else if (option) {
                        int r = take(command, opts, argv, *argc, &i);
                        if (r != CLI_OK)
                                return r;
                } else if (!argv[i][0] && !(behind >= 0 && ret_operands)) {
                        return cli_usage(command, "argument %d is empty (a variable that is not set?)", kept);
                } else {
                        argv[kept++] = argv[i];
                }
        }
        argv[kept] = NULL;
        *argc = kept;
        if (ret_operands)
                *ret_operands = behind < 0 ? kept : behind;
        return CLI_OK;
}
