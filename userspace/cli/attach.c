/* attach.c - `vigil attach`: the same for processes that are running already. `vigil record`: the stream itself. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/detach.h"
#include "cli/early.h"
#include "cli/opt.h"
#include "cli/outcome.h"
#include "cli/session.h"
#include "engine/check.h"

#define TURN_MS    100
#define RECORD_MIN (1u << 20)

static const char *const check_choices[] = {"none", "quick", "full", NULL};

/* Until the time is over, or somebody asks for the end. */
static int watch_for(struct session *s, uint64_t for_ms)
{
        sigset_t set;
        early_set(&set);
        int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), r = 0;
        uint64_t end = for_ms ? clock_boottime_ns() + for_ms * 1000000 : UINT64_MAX;
        struct signalfd_siginfo si;

        if (signals < 0)
                return -errno;
        while (r >= 0 && clock_boottime_ns() < end) {
                struct pollfd fds[] = {{.fd = sensor_fd(s->sensor), .events = POLLIN},
                                       {.fd = signals, .events = POLLIN}};
                if (poll(fds, 2, TURN_MS) < 0 && errno != EINTR)
                        r = -errno;
                if (read(signals, &si, sizeof(si)) == sizeof(si))
                        break;
                if (r >= 0)
                        r = session_poll(s, 0);
        }
        close(signals);
        return r;
}

/* Whoever records wants a file: what is in it, and where something is missing, what to do. */
static void tell_recorded(const struct session *s)
{
        const char *path = s->options->record;
        uint64_t stored = recording_stored(s->writer);
        bool full = s->write_error == -ENOSPC || s->write_error == -EDQUOT;
        const char *next = full ? "make room and record again" : "record again elsewhere";

        if (!s->write_error)
                log_note("%s: %" PRIu64 " records, %" PRIu64 " bytes%s", path, model_records(s->model),
                         recording_size(s->writer),
                         recording_cut(s->writer) ? "; the size limit was reached, what came later is missing"
                                                  : "");
        else if (stored == 0)
                log_error("%s: nothing could be written (%s); %s", path, strerror(-s->write_error), next);
        else
                log_error("%s: %" PRIu64 " bytes, what came later is missing (%s); %s", path, stored,
                          strerror(-s->write_error), next);
}

static int run_for(const struct command *command, const struct cli *cli, struct watch_options *o, uint64_t for_ms,
                   enum vigil_mode mode)
{
        struct session s = {0};
        int r = outcome_check_places(command, o), seen = 0;

        if (r == CLI_OK)
                r = session_open(&s, command, cli, o, mode, 0, NULL);
        if (r == CLI_OK && (seen = session_seed(&s)) < 0)
                r = log_error_r(CLI_UNAVAILABLE, "%s: the processes that use it already cannot be found: %s",
                                command->name, strerror(-seen));
        if (r == CLI_OK && early_signal())
                r = session_interrupted(command);
        if (r == CLI_OK) {
                log_note("watching; %d process%s %s; %s", seen, seen == 1 ? " uses" : "es use",
                         o->db.n == 1 ? "it" : "them",
                         for_ms ? "until the time is over or Ctrl-C" : "until Ctrl-C");
                int e = watch_for(&s, for_ms);
                if (e >= 0)
                        e = session_finish(&s, NULL, -1);
                r = e < 0 ? log_error_r(CLI_INTERNAL, "%s: the watch was lost: %s", command->name, strerror(-e))
                          : CLI_OK;
        }
        if (r == CLI_OK && mode == VIGIL_MODE_ATTACH)
                r = outcome_report(&s, OUTCOME_OF_WATCH);
        else if (r == CLI_OK)
                tell_recorded(&s);
        if (r == CLI_OK && s.write_error)
                r = CLI_UNAVAILABLE;
        session_done(&s);
        free(o->db.items);
        fflush(stdout);
        detach_sensor(s.sensor, o->wait_detach);
        return r;
}

static int run_attach(const struct cli *cli, int argc, char **argv)
{
        struct watch_options o = {.check = CHECK_QUICK};
        uint64_t for_ms = 0;
        const struct opt opts[] = {
                {"--db", OPT_LIST, &o.db, NULL},
                {"--for", OPT_DURATION, &for_ms, NULL},
                {"--out", OPT_TEXT, &o.out, NULL},
                {"--backup-dir", OPT_TEXT, &o.backup_dir, NULL},
                {"--record", OPT_TEXT, &o.record, NULL},
                {"--check", OPT_CHOICE, &o.check, check_choices},
                {"--reads", OPT_FLAG, &o.reads, NULL},
                {"--wait-detach", OPT_FLAG, &o.wait_detach, NULL},
                {NULL, OPT_FLAG, NULL, NULL},
        };
        int r = opt_parse(&command_attach, opts, &argc, argv, NULL);

        if (r == CLI_OK && argc > 1)
                r = cli_usage(&command_attach, "takes no argument, got '%s'", argv[1]);
        else if (r == CLI_OK && o.db.n == 0)
                r = cli_usage(&command_attach, "which database? Give --db FILE");
        if (r == CLI_OK)
                return run_for(&command_attach, cli, &o, for_ms, VIGIL_MODE_ATTACH);
        free(o.db.items);
        return r;
}

static int run_record(const struct cli *cli, int argc, char **argv)
{
        struct watch_options o = {.check = CHECK_NONE, .stream_all = true, .max_bytes = 1u << 30};
        uint64_t for_ms = 0;
        const struct opt opts[] = {
                {"--out", OPT_TEXT, &o.record, NULL},
                {"-o", OPT_TEXT, &o.record, NULL},
                {"--db", OPT_LIST, &o.db, NULL},
                {"--for", OPT_DURATION, &for_ms, NULL},
                {"--max-size", OPT_SIZE, &o.max_bytes, NULL},
                {"--reads", OPT_FLAG, &o.reads, NULL},
                {"--wait-detach", OPT_FLAG, &o.wait_detach, NULL},
                {NULL, OPT_FLAG, NULL, NULL},
        };
        int r = opt_parse(&command_record, opts, &argc, argv, NULL);

        if (r == CLI_OK && argc > 1)
                r = cli_usage(&command_record, "takes no argument, got '%s'", argv[1]);
        else if (r == CLI_OK && !o.record)
                r = cli_usage(&command_record, "where to? Give -o FILE");
        else if (r == CLI_OK && o.db.n == 0)
                r = cli_usage(&command_record, "which database? Give --db FILE");
        else if (r == CLI_OK && o.max_bytes < RECORD_MIN)
                r = cli_usage(&command_record, "--max-size %" PRIu64 " is less than 1M: a bare number is bytes",
                              o.max_bytes);
        if (r == CLI_OK)
                return run_for(&command_record, cli, &o, for_ms, VIGIL_MODE_RECORD);
        free(o.db.items);
        return r;
}

const struct command command_attach = {
        .name = "attach",
        .summary = "Watch a database whose processes run already",
        .help = "Usage: vigil attach --db FILE [OPTION]...\n"
                "\n"
                "Like vigil exec, for processes that run already. What they did before is not known, and the "
                "report\n"
                "says where that matters (seen-late).\n"
                "\n"
                "  --db FILE         the database; may be given more than once\n"
                "  --for DURATION    how long: 90s, 5m, 2h; otherwise until Ctrl-C\n"
                "  --wait-detach     end only when every probe is detached (some seconds), for tests\n"
                "  --backup-dir DIR, --out FILE, --check METHOD, --record FILE, --reads: see vigil exec --help\n"
                "\n"
                "Exit status: 0 done, 64 usage, 69 unavailable, 77 not permitted, 128+N interrupted by signal N\n"
                "before the watch or in the work after it.\n"
                "\n"
                "Example:\n"
                "  vigil attach --db /srv/app/app.db --for 10m --json\n",
        .run = run_attach,
};

const struct command command_record = {
        .name = "record",
        .summary = "Write every operation on a database to a file for replay",
        .help = "Usage: vigil record -o FILE --db FILE [OPTION]...\n"
                "\n"
                "Streams every operation on the database, whoever does it, into a file that vigil replay judges\n"
                "without any privilege and with the same result every time. A recorder that is killed leaves what "
                "it\n"
                "had. Paths and command lines are in the file: it is created with mode 0600.\n"
                "\n"
                "  -o, --out FILE    where to; an existing recording is replaced, anything else is left alone\n"
                "  --db FILE         the database; may be given more than once\n"
                "  --for DURATION    how long: 90s, 5m, 2h; otherwise until Ctrl-C\n"
                "  --max-size SIZE   stop adding records there: 500M, 20G; default 1G; the rest is counted\n"
                "  --reads           record reads, too\n"
                "  --wait-detach     end only when every probe is detached (some seconds), for tests\n"
                "\n"
                "To record a command from its start: vigil exec --record FILE -- COMMAND\n"
                "\n"
                "Exit status: 0 done, 64 usage, 69 unavailable, 77 not permitted, 128+N interrupted by signal N\n"
                "before the watch or in the work after it.\n",
        .run = run_record,
};
