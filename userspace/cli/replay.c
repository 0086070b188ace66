/* replay.c - `vigil replay`: the report of a recording. Needs no privilege and gives the same answer every time. */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/opt.h"
#include "cli/style.h"
#include "cli/timeline.h"
#include "detect/detect.h"
#include "report/report.h"
#include "sensor/recording.h"

struct replay {
        const struct cli *cli;
        const char *path;
        bool timeline;
        int64_t offset_ns; /* of the session, for the timeline */
        struct timeline_own own;
        struct model *model;
};

static int show(struct replay *r, const struct vigil_hdr *h)
{
        if (h->type == VIGIL_SESSION)
                r->offset_ns = ((const struct vigil_session *)(const void *)h)->realtime_offset_ns;
        timeline_learn(&r->own, h);
        if (!r->cli->json)
                return timeline_print(h, r->offset_ns, r->cli->verbose ? NULL : &r->own, stdout);
        json_t *o = timeline_json(h, r->offset_ns);
        if (!o)
                return -ENOMEM;
        int k = json_dumpf(o, stdout, JSON_COMPACT);
        json_decref(o);
        putchar('\n');
        return k < 0 ? -ENOMEM : 0;
}

/* @return an exit status */
static int feed_all(struct replay *r, struct recording *rec)
{
        const struct vigil_hdr *h;
        uint64_t n = 0;
        int k;
        while ((k = recording_next(rec, &h)) > 0) {
                n++;
                int e = r->timeline ? show(r, h) : model_feed(r->model, h);
                if (e < 0)
                        return log_error_r(CLI_INTERNAL, "replay: %s: %s", r->path, strerror(-e));
        }
        if (k == -EPROTONOSUPPORT)
                return log_error_r(CLI_UNAVAILABLE, "replay: %s: %s; replay it with the vigil that made it",
                                   r->path, recording_error(rec));
        if (k < 0)
                return log_error_r(CLI_UNAVAILABLE, "replay: %s: %s; the file is damaged or no recording", r->path,
                                   recording_error(rec));
        if (n == 0)
                return log_error_r(CLI_UNAVAILABLE, "replay: %s: no record in it; is it a recording?", r->path);
        if (recording_truncated(rec))
                log_warn("replay: %s: ends in the middle of a record at byte %llu; what is before it is told",
                         r->path, (unsigned long long)recording_offset(rec));
        return CLI_OK;
}

static int print_report(const struct replay *r, const struct detection *d)
{
        json_t *report = NULL;
        int k = report_build(d, NULL, &report);
        if (k == 0 && r->cli->json) {
                k = json_dumpf(report, stdout, JSON_INDENT(2)) < 0 ? -EIO : 0;
                putchar('\n');
        } else if (k == 0) {
                struct report_style style = style_of(STDOUT_FILENO, r->cli->verbose);
                k = report_text(report, stdout, &style);
        }
        json_decref(report);
        if (k < 0)
                return log_error_r(CLI_INTERNAL, "replay: %s: cannot write the report: %s", r->path, strerror(-k));
        return CLI_OK;
}

static int judge(struct replay *r)
{
        struct detection *d = NULL;
        int k = model_finish(r->model);
        if (k == 0)
                k = detect_run(r->model, &d);
        if (k < 0)
                return log_error_r(CLI_INTERNAL, "replay: %s: %s", r->path, strerror(-k));
        int status = print_report(r, d);
        detection_free(d);
        return status;
}

/* What is wrong with the recording is told by who reads it next. */
static void find_own(struct replay *r, struct recording *rec)
{
        const struct vigil_hdr *h;

        while (recording_next(rec, &h) > 0)
                timeline_learn(&r->own, h);
        memset(r->own.database, 0, sizeof(r->own.database)); /* numbers are used again */
}

static int replay(struct replay *r)
{
        struct recording *rec;
        int k = recording_open(r->path, &rec);
        if (k < 0)
                return log_error_r(cli_status(k), "replay: cannot read %s: %s", r->path,
                                   k == -EINVAL ? "not a regular file" : strerror(-k));
        if (r->timeline) {
                find_own(r, rec);
                recording_free(rec);
                k = recording_open(r->path, &rec);
                if (k < 0)
                        return log_error_r(cli_status(k), "replay: cannot read %s: %s", r->path, strerror(-k));
        }
        r->model = model_new();
        int status = r->model ? feed_all(r, rec) : log_error_r(CLI_INTERNAL, "replay: out of memory");
        if (status == CLI_OK && !r->timeline)
                status = judge(r);
        model_free(r->model);
        recording_free(rec);
        if (status == CLI_OK && (fflush(stdout) == EOF || ferror(stdout)))
                return log_error_r(CLI_INTERNAL, "replay: cannot write to standard output: %s", strerror(errno));
        return status;
}

static int run(const struct cli *cli, int argc, char **argv)
{
        struct replay r = {.cli = cli};
        const struct opt opts[] = {{"--timeline", OPT_FLAG, &r.timeline, NULL}, {NULL, 0, NULL, NULL}};
        int status = opt_parse(&command_replay, opts, &argc, argv, NULL);
        if (status != CLI_OK)
                return status;
        if (argc != 2)
                return cli_usage(&command_replay, argc < 2 ? "which recording?" : "one recording at a time");
        r.path = argv[1];
        return replay(&r);
}

const struct command command_replay = {
        .name = "replay",
        .summary = "Report on a recording; needs no privilege",
        .help = "Usage: vigil replay FILE [--json] [-v] [--timeline]\n"
                "\n"
                "Reads a recording made by `vigil record` and prints the report of the run it holds: the same\n"
                "certificates and findings every time, on any machine. Nothing else is read: `integrity` is\n"
                "skipped and there is no backup.\n"
                "\n"
                "  --timeline   print the records one by one instead (with --json as lines of JSON), in the order\n"
                "               of the recording: a death may stand before what led to it. The test that every\n"
                "               watch begins with, a death too, is shown with -v and --json only\n"
                "  -v           every certificate with its last operations, every row of I/O\n"
                "\n"
                "A recording that ends early is told of as far as it goes, and its trust is partial.\n"
                "\n"
                "Exit status: 0 done, 64 usage, 69 the file cannot be read or is no recording, 70 internal error.\n"
                "\n"
                "Example: vigil replay run.vigil --json | jq '.databases[].certificates[].verdict'\n",
        .run = run,
};
