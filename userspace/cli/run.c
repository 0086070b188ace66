/* run.c - vigil run: the daemon, in the foreground. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/opt.h"
#include "daemon/daemon.h"

static int print_json(const struct daemon_forgot *done)
{
        json_t *document = json_pack("{s:s, s:o, s:b}", "schema", "vigil.forget/1", "state_dir",
                                     text_json(done->state_dir, strlen(done->state_dir)), "ended",
                                     (int)done->ended);
        int r = document && json_dumpf(document, stdout, JSON_INDENT(2)) == 0 ? CLI_OK : CLI_INTERNAL;

        json_decref(document);
        putchar('\n');
        return r;
}

static int end_left(const struct cli *cli, const struct daemon_options *o)
{
        struct daemon_forgot done;
        int r = daemon_forget(o, &done);

        if (r == CLI_OK && cli->json)
                return print_json(&done);
        if (r == CLI_OK && !cli->quiet)
                printf(done.ended ? "ended: the watch that an earlier run with the state in %s has left in the "
                                    "kernel\n"
                                  : "nothing to end: no run with the state in %s has left a watch in the kernel\n",
                       done.state_dir);
        return r;
}

static int run_run(const struct cli *cli, int argc, char **argv)
{
        bool discover = false, all = false, forget = false;
        const struct opt opts[] = {
                {.name = "--discover", .kind = OPT_FLAG, .ret = &discover},
                {.name = "--all", .kind = OPT_FLAG, .ret = &all},
                {.name = "--forget", .kind = OPT_FLAG, .ret = &forget},
                {0},
        };
        int r = opt_parse(&command_run, opts, &argc, argv, NULL);

        if (r == CLI_OK && argc > 1)
                r = cli_usage(&command_run, "takes no argument, got '%s'", argv[1]);
        if (r == CLI_OK && all && !discover)
                r = cli_usage(&command_run, "--all says which databases --discover takes: give both");
        if (r != CLI_OK)
                return r;
        const struct daemon_options o = {
                .config = cli->config,
                .state_dir = cli->state_dir,
                .verbose = cli->verbose,
                .discover = discover,
                .discover_all = all,
        };
        return forget ? end_left(cli, &o) : daemon_run(&o);
}

const struct command command_run = {
        .name = "run",
        .summary = "Guard every configured database: the daemon, in the foreground",
        .help = "Usage: vigil run [-c FILE] [--state-dir DIR] [--discover [--all]] [--forget]\n"
                "\n"
                "Watches the databases of the configuration until SIGTERM. Deaths, failed checks and failing\n"
                "storage become certificates and incidents in STATE/vigil.db; after anything unclean it makes\n"
                "a verified backup by itself, as the configuration says. Ask it with vigil status, health,\n"
                "incidents and certificates.\n"
                "\n"
                "Runs in the foreground, for systemd (Type=notify). SIGHUP reads the configuration again: a\n"
                "file that is wrong changes nothing, and says so. One daemon for each state directory.\n"
                "\n"
                "When it is killed, crashes or is sent SIGUSR1, the kernel goes on watching where it can (vigil\n"
                "doctor tells), and the next run takes over: nothing is missed. SIGTERM and SIGINT end the watch.\n"
                "\n"
                "  -c, --config FILE  default /etc/vigil/vigil.conf\n"
                "  --state-dir DIR    default: state-dir of the configuration, else /var/lib/vigil\n"
                "  --discover         guard also the SQLite databases that are open on this host, looked for at "
                "the\n"
                "                     start and each minute, 256 at most; without -c there need be no "
                "configuration.\n"
                "                     One that was found stays guarded. For each: a check and a backup after "
                "trouble,\n"
                "                     three backups, at most one an hour, none where they would take more than 1 "
                "GiB,\n"
                "                     nothing by schedule. What the configuration says of a database outranks "
                "that\n"
                "  --all              with it: temporary, hidden and read-only ones, too; see vigil discover\n"
                "  --forget           do not run: end the watch that an earlier run has left in the kernel, and "
                "say\n"
                "                     whether there was one; vigil doctor tells of those that are there. Without "
                "-c\n"
                "                     there need be no configuration\n"
                "\n"
                "Exit status: 0 after an orderly end, 2 the configuration is wrong or not there, 64 usage, 69\n"
                "unavailable, 70 internal error, 77 not permitted.\n",
        .run = run_run,
};
