/* run.c - vigil run: the daemon, in the foreground. */
#include "cli/cli.h"
#include "cli/opt.h"
#include "daemon/daemon.h"

static int run_run(const struct cli *cli, int argc, char **argv)
{
        const struct opt opts[] = {{0}};
        int r = opt_parse(&command_run, opts, &argc, argv, NULL);

        if (r == CLI_OK && argc > 1)
                r = cli_usage(&command_run, "takes no argument, got '%s'", argv[1]);
        if (r != CLI_OK)
                return r;
        const struct daemon_options o = {
                .config = cli->config, .state_dir = cli->state_dir, .verbose = cli->verbose};
        return daemon_run(&o);
}

const struct command command_run = {
        .name = "run",
        .summary = "Guard every configured database: the daemon, in the foreground",
        .help = "Usage: vigil run [-c FILE] [--state-dir DIR]\n"
                "\n"
                "Watches the databases of the configuration until SIGTERM. Deaths, failed checks and failing\n"
                "storage become certificates and incidents in STATE/vigil.db; after anything unclean it makes\n"
                "a verified backup by itself, as the configuration says. Ask it with vigil status, health,\n"
                "incidents and certificates.\n"
                "\n"
                "Runs in the foreground, for systemd (Type=notify). SIGHUP reads the configuration again: a\n"
                "file that is wrong changes nothing, and says so. One daemon for each state directory.\n"
                "\n"
                "  -c, --config FILE  default /etc/vigil/vigil.conf\n"
                "  --state-dir DIR    default: state-dir of the configuration, else /var/lib/vigil\n"
                "\n"
                "Exit status: 0 after an orderly end, 64 the configuration is wrong, 69 unavailable, 70 internal\n"
                "error, 77 not permitted.\n",
        .run = run_run,
};
