/* ask.c - see ask.h. */
#include "cli/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "report/operator.h"
#include "serve/client.h"

const char *ask_state_dir(const struct cli *cli)
{
        return cli->state_dir ? cli->state_dir : CONFIG_STATE_DIR;
}

int ask_tell_no_daemon(const struct cli *cli)
{
        log_error("no vigil run on %s; start it: systemctl start vigil, or vigil run --state-dir %s",
                  ask_state_dir(cli), ask_state_dir(cli));
        return CLI_UNAVAILABLE;
}

static int tell(const struct cli *cli, int err)
{
        static const struct {
                int err, status;
                const char *text;
        } known[] = {
                {-EACCES, CLI_NOPERM, "not permitted; run this as root or as the user of the daemon"},
                {-ETIME, CLI_UNAVAILABLE,
                 "it runs and does not answer; see what it waits for: its log, vigil health"},
                {-ECONNRESET, CLI_UNAVAILABLE, "it ended while it was asked; see its log"},
                {-EPROTO, CLI_UNAVAILABLE, "what answers there is no vigil run of this kind"},
                {-ENOMEM, CLI_INTERNAL, "out of memory"},
        };
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (known[i].err == err)
                        return log_error_r(known[i].status, "the daemon on %s: %s", ask_state_dir(cli),
                                           known[i].text);
        return log_error_r(CLI_UNAVAILABLE, "cannot ask the daemon on %s: %s", ask_state_dir(cli), strerror(-err));
}

int ask(const struct cli *cli, const char *command, json_t *args, json_t **ret)
{
        _cleanup_free_ char *error = NULL;
        json_t *document = NULL;
        int status = CLI_INTERNAL;
        *ret = NULL;
        if (!args)
                return log_error_r(CLI_INTERNAL, "out of memory");
        int r = control_ask(ask_state_dir(cli), command, args, &document, &status, &error);
        json_decref(args);
        if (r == -ENOENT || r == -ECONNREFUSED)
                return ASK_NO_DAEMON;
        if (r < 0)
                return tell(cli, r);
        if (error || !document)
                log_error("%s", error ? error : "the daemon answered without a document");
        *ret = document;
        return document || status != CLI_OK ? status : CLI_INTERNAL;
}

/* Nanoseconds since the epoch, now. */
static int64_t now_ns(void)
{
        return (int64_t)clock_boottime_ns() + clock_realtime_offset_ns();
}

static int put_text(json_t *args, const char *key, const char *text)
{
        return text ? json_object_set_new(args, key, text_json(text, strlen(text))) : 0;
}

json_t *ask_args(const char *status, uint64_t since_ms, const char *database)
{
        int64_t now = now_ns();
        json_t *args = json_object();
        int failed = put_text(args, "status", status) | put_text(args, "database", database);
        if (since_ms)
                failed |= json_object_set_new(
                        args, "since_ns",
                        json_integer(since_ms < (uint64_t)now / 1000000 ? now - (int64_t)since_ms * 1000000 : 1));
        if (!failed)
                return args;
        json_decref(args);
        return NULL;
}

json_t *ask_args_id(const char *id)
{
        json_t *args = json_object();
        if (put_text(args, "id", id) == 0)
                return args;
        json_decref(args);
        return NULL;
}

static struct report_style style_of_stdout(const struct cli *cli)
{
        struct winsize size;
        bool terminal = isatty(STDOUT_FILENO);
        struct report_style style = {.colour = terminal && !getenv("NO_COLOR"), .verbose = cli->verbose};
        if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 60 && size.ws_col < 100)
                style.width = size.ws_col;
        return style;
}

int ask_print(const struct cli *cli, const json_t *document)
{
        int r;
        if (cli->json) {
                r = json_dumpf(document, stdout, JSON_INDENT(2)) == 0 ? 0 : -EIO;
                putchar('\n');
        } else {
                struct report_style style = style_of_stdout(cli);
                r = operator_text(document, now_ns(), &style, stdout);
        }
        if (r == -EINVAL)
                return log_error_r(CLI_INTERNAL,
                                   "the daemon answered with a document that this version does not know");
        /* What could not be written is told by main(). */
        return r < 0 ? CLI_INTERNAL : CLI_OK;
}

int ask_and_print(const struct cli *cli, const char *command, json_t *args)
{
        json_t *document = NULL;
        int status = ask(cli, command, args, &document);
        if (status == ASK_NO_DAEMON)
                return ask_tell_no_daemon(cli);
        if (document) {
                int printed = ask_print(cli, document);
                status = printed == CLI_OK ? status : printed;
        }
        json_decref(document);
        return status;
}
