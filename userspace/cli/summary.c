/* summary.c - `vigil summary`: what was done to the databases, how often, and how long it took. */
#include <string.h>

#include "cli/ask.h"
#include "cli/opt.h"

static const char help[] =
        "Usage: vigil summary [--since DURATION] [--by db,file,process,op] [--db NAME]\n"
        "       vigil summary --latency [--why] [--db NAME]\n"
        "\n"
        "Sums up what was done to the guarded databases: counts, bytes, errors, and how long it took (p50,\n"
        "p95, p99, max) where it was timed: syncs, waits for locks and commits always are. Of locks, lock is\n"
        "how often one was asked for, lock-busy how often it was refused, and lock-wait the waits that came\n"
        "of it; a refusal is no error.\n"
        "\n"
        "  --since DURATION  the last 90s, 5m, 2h, 1d; default 1h; whole minutes are counted\n"
        "  --by LIST         what is told apart: any of db, file, process, op; default db,file,op. Files\n"
        "                    and processes are counted apart: with both, a row has one of them\n"
        "  --db NAME         only the database of that name\n"
        "  --latency         instead: how long operations take now, beside what is usual at this hour of\n"
        "                    the week, and which are too slow. Only a running daemon knows\n"
        "  --why             with --latency: where the time of commits and syncs went, and who else held the\n"
        "                    lock or used the disk. Needs latency { attribution = true }\n"
        "\n"
        "Exit status: 0 done; 69 no daemon and no store, or no such database; 77 not permitted.\n"
        "\n"
        "Example:\n"
        "  vigil summary --since 10m --by db,process,op\n";

#define HOUR_MS 3600000

/* "db,op" as an array. NULL after the mistake has been told. */
static json_t *parse_by(const char *text)
{
        static const char *const names[] = {"db", "file", "process", "op"};
        json_t *by = json_array();
        while (by && *text) {
                size_t n = strcspn(text, ","), k = 0;
                while (k < sizeof(names) / sizeof(names[0]) &&
                       (strlen(names[k]) != n || memcmp(names[k], text, n) != 0))
                        k++;
                if (k == sizeof(names) / sizeof(names[0])) {
                        cli_usage(&command_summary, "--by: %.*s is none of db, file, process, op", (int)n, text);
                        json_decref(by);
                        return NULL;
                }
                json_array_append_new(by, json_string(names[k]));
                text += n + (text[n] == ',');
        }
        return by;
}

static int ask_latency(const struct cli *cli, const char *db, bool why)
{
        json_t *args = ask_args(NULL, 0, db);

        if (why)
                json_object_set_new(args, "why", json_true());
        return ask_and_print(cli, "latency", args);
}

static int run(const struct cli *cli, int argc, char **argv)
{
        uint64_t since_ms = 0;
        const char *db = NULL, *by_text = NULL;
        bool latency = false, why = false;
        const struct opt opts[] = {
                {.name = "--since", .kind = OPT_DURATION, .ret = &since_ms},
                {.name = "--by", .kind = OPT_TEXT, .ret = &by_text},
                {.name = "--db", .kind = OPT_TEXT, .ret = &db},
                {.name = "--latency", .kind = OPT_FLAG, .ret = &latency},
                {.name = "--why", .kind = OPT_FLAG, .ret = &why},
                {0},
        };
        int r = opt_parse(&command_summary, opts, &argc, argv, NULL);
        if (r != CLI_OK)
                return r;
        if (argc > 1)
                return cli_usage(&command_summary, "it takes no %s", argv[1]);
        if (latency && (since_ms || by_text))
                return cli_usage(&command_summary, "--latency is about now: it takes no --since and no --by");
        if (why && !latency)
                return cli_usage(&command_summary, "--why is about --latency: give both");
        if (latency)
                return ask_latency(cli, db, why);
        json_t *by = parse_by(by_text ? by_text : "db,file,op");
        json_t *args = by ? ask_args(NULL, since_ms ? since_ms : HOUR_MS, db) : NULL;
        if (!by)
                return CLI_USAGE;
        json_object_set_new(args, "by", by);
        return ask_and_print(cli, "summary", args);
}

const struct command command_summary = {
        .name = "summary",
        .summary = "Sum up what was done to the databases",
        .help = help,
        .run = run,
};
