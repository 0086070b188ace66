/* ask.c - see ask.h. */
#include "cli/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/stored.h"
#include "cli/style.h"
#include "config/config.h"
#include "report/operator.h"
#include "serve/client.h"

/* ---- whom to ask ---- */

/* The state directory of a configuration file. */
static int read_config(const struct cli *cli, char **ret)
{
        const char *path = cli->config ? cli->config : CONFIG_PATH;
        struct config_errors errors;
        struct config *c = NULL;
        int r = config_load(path, &c, &errors);
        if (r == 0) {
                *ret = c->state_dir ? strdup(c->state_dir) : NULL;
                config_free(c);
                return *ret ? CLI_OK : log_error_r(CLI_INTERNAL, "out of memory");
        }
        if (r == -EINVAL && cli->config)
                return log_error_r(CLI_CRITICAL,
                                   "%s:%u: %s; see vigil check-config, or name the state with --state-dir", path,
                                   errors.item[0].line, errors.item[0].text);
        if (cli->config)
                return log_error_r(cli_config_status(r), "cannot read %s: %s", path, strerror(-r));
        /* A daemon may still run by what it read before. */
        if (r == -EINVAL)
                log_warn("%s:%u: %s; the state is taken to be in %s", path, errors.item[0].line,
                         errors.item[0].text, CONFIG_STATE_DIR);
        return CLI_OK;
}

int ask_begin(const struct cli *cli, struct asking *ret)
{
        *ret = (struct asking){.cli = cli};
        if (!cli->state_dir) {
                int r = read_config(cli, &ret->state_dir);
                if (r != CLI_OK || ret->state_dir)
                        return r;
        }
        ret->state_dir = strdup(cli->state_dir ? cli->state_dir : CONFIG_STATE_DIR);
        return ret->state_dir ? CLI_OK : log_error_r(CLI_INTERNAL, "out of memory");
}

void ask_end(struct asking *a)
{
        free(a->state_dir);
}

/* ---- asking ---- */

const char *ask_words(const char *command, char ret[ASK_WORDS])
{
        bool latency = strcmp(command, "latency") == 0; /* it has no command of its own */

        snprintf(ret, ASK_WORDS, "%s", latency ? "summary --latency" : command);
        if (latency)
                return ret;
        for (char *p = ret; (p = strchr(p, '-'));)
                *p = ' ';
        return ret;
}

int ask_tell_no_daemon(const struct asking *a)
{
        const struct cli *cli = a->cli;
        /* The service knows of no other place than its configuration says. */
        bool service = (!cli->state_dir && !cli->config) || strcmp(a->state_dir, CONFIG_STATE_DIR) == 0;
        bool by_config = cli->config && !cli->state_dir;

        log_error("no vigil daemon uses %s; start it: %svigil run %s %s", a->state_dir,
                  service ? "systemctl start vigil, or " : "", by_config ? "--config" : "--state-dir",
                  by_config ? cli->config : a->state_dir);
        return CLI_UNAVAILABLE;
}

int ask_tell(const struct asking *a, int err)
{
        static const struct {
                int err, status;
                const char *text;
        } known[] = {
                {-EACCES, CLI_NOPERM, "not permitted; run this as root or as the user of the daemon"},
                {-ETIME, CLI_UNAVAILABLE, "it runs and does not answer; its log says what it waits for"},
                {-ECONNRESET, CLI_UNAVAILABLE, "it ended while it was asked; see its log"},
                {-EPROTO, CLI_UNAVAILABLE, "what answers there is no daemon of this version"},
                {-ENOMEM, CLI_INTERNAL, "out of memory"},
        };
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (known[i].err == err)
                        return log_error_r(known[i].status, "the daemon in %s: %s", a->state_dir, known[i].text);
        return log_error_r(CLI_UNAVAILABLE, "cannot ask the daemon in %s: %s", a->state_dir, strerror(-err));
}

/* No daemon runs: what it has stored may be asked. */
static int ask_store(struct asking *a, const char *command, const json_t *args, json_t **ret)
{
        static const struct {
                int err;
                const char *text;
        } known[] = {
                {-EPROTONOSUPPORT, "another version wrote it"},
                {-EUCLEAN, "it is damaged; the next vigil run sets it aside"},
                {-EROFS, "a write to it was cut off; the next vigil run undoes that"},
                {-EBUSY, "another process keeps it locked; try again"},
        };
        char near[STORED_NAME] = "", words[ASK_WORDS];
        int r = stored_answer(a->state_dir, command, args, near, ret);
        if (r == 0) {
                if (!a->told)
                        log_warn("no vigil daemon uses %s: this is what its store said last", a->state_dir);
                a->told = true;
                return CLI_OK;
        }
        if (r == -ENOSYS || r == -ENOENT)
                return ASK_NO_DAEMON;
        if (r == -ENOKEY)
                return log_error_r(CLI_UNAVAILABLE,
                                   "%s: no such id: %s: the store in %s does not have it (no daemon runs); vigil "
                                   "%s lists those that it has",
                                   ask_words(command, words), json_string_value(json_object_get(args, "id")),
                                   a->state_dir,
                                   strcmp(command, "certificate") == 0 ? "certificates" : "incidents");
        if (r == -ENXIO)
                return log_error_r(
                        CLI_UNAVAILABLE,
                        "%s: no such database: %s: the store in %s has nothing of it (no daemon runs)%s%s%s",
                        ask_words(command, words), json_string_value(json_object_get(args, "database")),
                        a->state_dir, *near ? "; did you mean '" : "", near, *near ? "'?" : "");
        const char *why = strerror(-r);
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                why = known[i].err == r ? known[i].text : why;
        return log_error_r(cli_status(r), "no vigil daemon uses %s, and its store cannot be read: %s", a->state_dir,
                           why);
}

int ask(struct asking *a, const char *command, json_t *args, json_t **ret)
{
        _cleanup_free_ char *error = NULL;
        json_t *document = NULL;
        char words[ASK_WORDS];
        int status = CLI_INTERNAL;
        *ret = NULL;
        if (!args)
                return log_error_r(CLI_INTERNAL, "out of memory");
        int r = control_ask(a->state_dir, command, args, &document, &status, &error);
        if (r == -ENOENT || r == -ECONNREFUSED) {
                status = ask_store(a, command, args, ret);
                json_decref(args);
                return status;
        }
        json_decref(args);
        if (r < 0)
                return ask_tell(a, r);
        if (error || !document)
                log_error("%s: %s", ask_words(command, words),
                          error ? error : "the daemon answered without a document");
        *ret = document;
        return document || status != CLI_OK ? status : CLI_INTERNAL;
}

/* ---- arguments ---- */

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

/* ---- printing ---- */

struct report_style ask_style(const struct cli *cli)
{
        return style_of(STDOUT_FILENO, cli->verbose);
}

static int print_json(const json_t *document)
{
        int failed = json_dumpf(document, stdout, JSON_INDENT(2));
        putchar('\n');
        return failed ? -EIO : 0;
}

/* What could not be written is told by main(). */
static int printed(int r)
{
        if (r == -EINVAL)
                return log_error_r(CLI_INTERNAL,
                                   "the daemon answered with a document that this version does not know");
        return r < 0 ? CLI_INTERNAL : CLI_OK;
}

int ask_print(const struct asking *a, const json_t *document)
{
        struct report_style style = ask_style(a->cli);
        return printed(a->cli->json ? print_json(document) : operator_text(document, now_ns(), &style, stdout));
}

int ask_print_markdown(const struct asking *a, const json_t *document)
{
        return printed(a->cli->json ? print_json(document) : operator_markdown(document, stdout));
}

int ask_print_certificate(const struct asking *a, const json_t *document)
{
        struct report_style style = ask_style(a->cli);
        return printed(a->cli->json ? print_json(document) : operator_certificate(document, &style, stdout));
}

int ask_and_print(const struct cli *cli, const char *command, json_t *args)
{
        return ask_and(cli, command, args, ask_print);
}

int ask_and(const struct cli *cli, const char *command, json_t *args,
            int (*print)(const struct asking *a, const json_t *document))
{
        _cleanup_(ask_end) struct asking a;
        json_t *document = NULL;
        int status = ask_begin(cli, &a);
        if (status != CLI_OK) {
                json_decref(args);
                return status;
        }
        status = ask(&a, command, args, &document);
        if (status == ASK_NO_DAEMON)
                return ask_tell_no_daemon(&a);
        if (document) {
                int r = print(&a, document);
                status = r == CLI_OK ? status : r;
        }
        json_decref(document);
        return status;
}
