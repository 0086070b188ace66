/* events.c - `vigil events`: the timeline, page by page, and then as it goes on. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/ask.h"
#include "cli/opt.h"
#include "report/operator.h"
#include "serve/client.h"

static const char help[] =
        "Usage: vigil events [--since DURATION] [--follow] [--db NAME]\n"
        "\n"
        "Shows what happened, oldest first: deaths and their verdicts, incidents and what became of them,\n"
        "backups, checks. With --json one object per line.\n"
        "\n"
        "  --since DURATION  the last 90s, 5m, 2h, 1d; default 1h\n"
        "  --follow          go on with what happens, until interrupted\n"
        "  --db NAME         only those of the database of that name\n"
        "\n"
        "Exit status: 0 done; 69 no such database, no daemon and no store, the daemon ended, or events came\n"
        "faster than they were read; 77 not permitted.\n"
        "\n"
        "Example:\n"
        "  vigil events --follow --json | jq -c 'select(.type == \"death\")'\n";

#define HOUR_MS 3600000

struct events {
        struct asking asking;
        uint64_t since_ms;
        const char *db;
        json_int_t after; /* number of the last event that was shown */
        size_t shown;
        struct report_style style;
};

static json_t *args_of(const struct events *e, bool follow)
{
        json_t *args = ask_args(NULL, e->since_ms, e->db);
        if (args && (json_object_set_new(args, "after", json_integer(e->after)) < 0 ||
                     (follow && json_object_set_new(args, "follow", json_true()) < 0))) {
                json_decref(args);
                return NULL;
        }
        return args;
}

static int print_event(const struct events *e, const json_t *event)
{
        if (!e->asking.cli->json)
                return operator_event(event, &e->style, stdout);
        int failed = json_dumpf(event, stdout, JSON_COMPACT);
        putchar('\n');
        return failed ? -EIO : 0;
}

/* @return CLI_OK with the number of events, or as ask() */
static int show_page(struct events *e, size_t *ret_n)
{
        json_t *document = NULL, *event;
        int status = ask(&e->asking, "events", args_of(e, false), &document);
        size_t i;
        if (status == CLI_OK) {
                const json_t *list = json_object_get(document, "events");
                json_int_t seq = json_integer_value(json_object_get(document, "seq"));
                /* A number that does not grow is the last page again. */
                *ret_n = seq > e->after ? json_array_size(list) : 0;
                json_array_foreach (list, i, event)
                        if (*ret_n && print_event(e, event) < 0)
                                status = CLI_INTERNAL;
                e->shown += *ret_n;
                e->after = seq > e->after ? seq : e->after;
        }
        json_decref(document);
        return status;
}

static int on_line(void *userdata, const char *line, size_t n)
{
        struct events *e = userdata;
        json_t *event = json_loadb(line, n, 0, NULL);
        int r = event ? print_event(e, event) : 0;
        json_decref(event);
        return r < 0 || fflush(stdout) == EOF ? 1 : 0;
}

static int follow(struct events *e)
{
        _cleanup_free_ char *error = NULL;
        int status = CLI_OK;
        json_t *args = args_of(e, true);
        fflush(stdout);
        int r = args ? control_follow(e->asking.state_dir, "events", args, on_line, e, &status, &error) : -ENOMEM;
        json_decref(args);
        if (r == -ENOENT || r == -ECONNREFUSED)
                return ask_tell_no_daemon(&e->asking);
        if (r < 0)
                return ask_tell(&e->asking, r);
        if (error)
                log_error("events: %s", error);
        return status;
}

static int run(const struct cli *cli, int argc, char **argv)
{
        struct events e = {.since_ms = HOUR_MS};
        bool follows = false;
        const struct opt opts[] = {
                {.name = "--since", .kind = OPT_DURATION, .ret = &e.since_ms},
                {.name = "--follow", .kind = OPT_FLAG, .ret = &follows},
                {.name = "--db", .kind = OPT_TEXT, .ret = &e.db},
                {0},
        };
        int status = opt_parse(&command_events, opts, &argc, argv, NULL);
        if (status != CLI_OK)
                return status;
        if (argc > 1)
                return cli_usage(&command_events, "it takes no %s", argv[1]);
        size_t n = 1;
        e.style = ask_style(cli);
        status = ask_begin(cli, &e.asking);
        while (status == CLI_OK && n > 0)
                status = show_page(&e, &n);
        if (status == ASK_NO_DAEMON)
                status = ask_tell_no_daemon(&e.asking);
        else if (status == CLI_OK && follows)
                status = follow(&e);
        else if (status == CLI_OK && e.shown == 0 && !cli->json)
                puts("No event in that time; --since asks for more.");
        ask_end(&e.asking);
        return status;
}

const struct command command_events = {
        .name = "events",
        .summary = "Show what happened, and what happens",
        .help = help,
        .run = run,
};
