/* incident.c - `vigil incident show|ack|resolve|report ID`: one incident. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/ask.h"
#include "cli/opt.h"

static const char help[] =
        "Usage: vigil incident show|ack|resolve|report ID\n"
        "\n"
        "One incident, as vigil incidents lists them.\n"
        "\n"
        "  show ID     what happened, what is known about the data, and what to do; -v says more\n"
        "  ack ID      you look after it: it is shown as acknowledged and stays open. It fires again when\n"
        "              it becomes worse than what you have seen\n"
        "  resolve ID  it is over. Most end by themselves, when the next opener has recovered, a check is ok\n"
        "              or a verified backup is there; where nothing can be seen, your word ends it\n"
        "  report ID   an incident report in Markdown: what is known is filled in, what only people know is\n"
        "              marked with [brackets]\n"
        "\n"
        "Exit status: 0 done; 69 no such incident, no daemon, or ack of a resolved one; 77 not permitted.\n"
        "\n"
        "Example:\n"
        "  vigil incident report i-0123456789abcdef >incident.md\n";

#define TOLD_DEATHS 8

/* Adds the certificates themselves, of many the first and the newest: the incident has only their ids. */
static int add_certificates(struct asking *a, json_t *document)
{
        const json_t *incident = json_array_get(json_object_get(document, "incidents"), 0);
        const json_t *ids = json_object_get(incident, "certificates");
        json_t *details = json_array(), *id;
        size_t n = json_array_size(ids), i;
        json_array_foreach (ids, i, id) {
                json_t *answer = NULL;
                if ((i > 0 && i + TOLD_DEATHS <= n) || !json_is_string(id))
                        continue;
                ask(a, "certificate", ask_args_id(json_string_value(id)), &answer);
                json_array_extend(details, json_object_get(answer, "certificates"));
                json_decref(answer);
        }
        return json_object_set_new(document, "certificate_details", details) < 0 ? CLI_INTERNAL : CLI_OK;
}

static int show(struct asking *a, const char *id, int (*print)(const struct asking *a, const json_t *document))
{
        json_t *document = NULL;
        int status = ask(a, "incident", ask_args_id(id), &document);
        if (status == ASK_NO_DAEMON)
                return ask_tell_no_daemon(a);
        if (document) {
                int printed = add_certificates(a, document);
                if (printed == CLI_OK)
                        printed = print(a, document);
                status = printed == CLI_OK ? status : printed;
        }
        json_decref(document);
        return status;
}

static int run_show(struct asking *a, const char *id)
{
        return show(a, id, ask_print);
}

static int run_report(struct asking *a, const char *id)
{
        return show(a, id, ask_print_markdown);
}

/* What is over cannot be looked after any more. */
static bool is_over(const json_t *document)
{
        const json_t *incident = json_array_get(json_object_get(document, "incidents"), 0);
        const char *status = json_string_value(json_object_get(incident, "status"));

        return status && strcmp(status, "resolved") == 0;
}

/* @p how: "acknowledged", "resolved" */
static int set_status(struct asking *a, const char *command, const char *id, const char *how)
{
        json_t *document = NULL;
        int status = ask(a, command, ask_args_id(id), &document);
        bool late = is_over(document) && strcmp(how, "resolved") != 0;
        if (status == ASK_NO_DAEMON)
                return ask_tell_no_daemon(a);
        if (document && a->cli->json)
                status = ask_print(a, document) == CLI_OK ? status : CLI_INTERNAL;
        else if (document && !a->cli->quiet && !late)
                printf("%s is %s\n", id, how);
        if (late && status == CLI_OK) {
                log_error("%s is resolved already; vigil incident show %s tells by whom", id, id);
                status = CLI_UNAVAILABLE;
        }
        json_decref(document);
        return status;
}

static int run_ack(struct asking *a, const char *id)
{
        return set_status(a, "incident-ack", id, "acknowledged");
}

static int run_resolve(struct asking *a, const char *id)
{
        return set_status(a, "incident-resolve", id, "resolved");
}

static const struct {
        const char *word;
        int (*run)(struct asking *a, const char *id);
} words[] = {{"show", run_show}, {"ack", run_ack}, {"resolve", run_resolve}, {"report", run_report}};

static int run(const struct cli *cli, int argc, char **argv)
{
        const struct opt opts[] = {{0}};
        int r = opt_parse(&command_incident, opts, &argc, argv, NULL);
        if (r != CLI_OK)
                return r;
        if (argc != 3)
                return cli_usage(&command_incident,
                                 "say what to do with which one: show, ack, resolve or report, and its ID");
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
                if (strcmp(words[i].word, argv[1]) != 0)
                        continue;
                _cleanup_(ask_end) struct asking a;
                r = ask_begin(cli, &a);
                return r == CLI_OK ? words[i].run(&a, argv[2]) : r;
        }
        return cli_usage(&command_incident, "%s is none of show, ack, resolve, report", argv[1]);
}

const struct command command_incident = {
        .name = "incident",
        .summary = "Show, acknowledge, resolve or report one incident",
        .help = help,
        .run = run,
};
