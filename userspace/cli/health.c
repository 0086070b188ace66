/* health.c - `vigil health`: one word, one line for each reason, and an exit status for scripts. */
#include "base/cleanup.h"
#include "cli/ask.h"
#include "cli/doctor_left.h"
#include "cli/opt.h"

static const char help[] =
        "Usage: vigil health\n"
        "\n"
        "Says in one word whether everything is well, and why not, one line for each reason.\n"
        "No answer from the daemon is critical: what is not watched is not known to be well.\n"
        "\n"
        "Exit status: 0 healthy; 1 degraded; 2 critical, or no daemon answers; 77 not permitted.\n"
        "\n"
        "Example:\n"
        "  vigil health || page-somebody\n";

/* A monitor that is not there must look like what it is to a health check. */
static int unanswered(const struct asking *a, const char *why, const char *what, const char *then)
{
        json_t *document = json_pack("{s:s, s:s, s:[s++]}", "schema", "vigil.health/1", "status", "critical",
                                     "reasons", why, what, then);
        int printed = document ? ask_print(a, document) : CLI_INTERNAL;
        json_decref(document);
        return printed == CLI_OK ? CLI_CRITICAL : printed;
}

static int run(const struct cli *cli, int argc, char **argv)
{
        const struct opt opts[] = {{0}};
        json_t *document = NULL;
        int r = opt_parse(&command_health, opts, &argc, argv, NULL);
        if (r != CLI_OK)
                return r;
        if (argc > 1)
                return cli_usage(&command_health, "it takes no %s", argv[1]);
        _cleanup_(ask_end) struct asking a;
        int status = ask_begin(cli, &a);
        if (status != CLI_OK)
                return status == CLI_CRITICAL
                               ? unanswered(&a, "nobody watches: wrong or no configuration in ", cli->config, "")
                               : status;
        status = ask(&a, "health", json_object(), &document);
        if (status == ASK_NO_DAEMON) {
                ask_tell_no_daemon(&a);
                return doctor_left_of(a.state_dir)
                               ? unanswered(&a, "no vigil daemon runs on ", a.state_dir,
                                            ": its watch in the kernel goes on, and the next start takes it over; "
                                            "until then nobody is told")
                               : unanswered(&a, "nobody watches: no vigil daemon runs on ", a.state_dir, "");
        }
        if (!document)
                return status == CLI_UNAVAILABLE
                               ? unanswered(&a, "nobody watches: no answer from vigil run on ", a.state_dir, "")
                               : status;
        int printed = ask_print(&a, document);
        json_decref(document);
        return printed == CLI_OK ? status : printed;
}

const struct command command_health = {
        .name = "health",
        .summary = "Say whether everything is well: 0 healthy, 1 degraded, 2 critical",
        .help = help,
        .run = run,
};
