/* backup_create.c - `vigil backup create`. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/act.h"
#include "cli/backup.h"
#include "cli/interrupt.h"
#include "cli/opt.h"
#include "cli/progress.h"
#include "cli/supervise.h"
#include "respond/backup.h"
#include "respond/list.h"

/* One invocation, for the child that works and for the parent that cleans up. */
struct create {
        const struct cli *cli;
        struct backup_options options;
        struct progress progress;
};

static const char *const phases[] = {[BACKUP_COPY] = "copying",
                                     [BACKUP_REREAD] = "reading the copy back",
                                     [BACKUP_CHECK] = "checking the copy",
                                     [BACKUP_EVIDENCE_COPY] = "keeping the evidence"};

static void on_progress(void *userdata, enum backup_phase phase, uint64_t done, uint64_t total)
{
        struct progress *p = userdata;

        p->what = phases[phase];
        progress_update(p, done, total);
}

/* The entry of the new backup as `list` shows it; without one an empty list and the error. */
static int print_json(const struct create *c, const struct backup_result *r)
{
        struct backup_list list = {0};
        const struct backup_item *item = NULL;
        json_t *backups = json_array();

        if (r->id && backup_list_read(c->options.directory, &list) == 0)
                item = backup_list_find(&list, r->id);
        if (item)
                json_array_append_new(backups, backup_item_json(item));
        json_t *doc = json_pack("{s:s, s:o, s:o}", "schema", "vigil.backups/1", "backups", backups, "result",
                                backup_json(r));
        int failed = doc ? json_dumpf(doc, stdout, JSON_INDENT(2)) : -1;
        putchar('\n');
        json_decref(doc);
        backup_list_done(&list);
        return failed ? CLI_INTERNAL : CLI_OK;
}

static void print_done(const struct backup_result *r)
{
        char bytes[TEXT_BYTES_LEN], ms[TEXT_DURATION_LEN], path[4096];

        text_bytes(bytes, r->bytes);
        text_measured(ms, r->ms, 1000000);
        text_printable(path, sizeof(path), r->path);
        printf("%s  %s\n", r->verified ? "verified  " : "unverified", path);
        printf("  %s, ", bytes);
        if (r->snapshot.wal_commits)
                printf("with %" PRIu64 " commit%s that the -wal held, ", r->snapshot.wal_commits,
                       r->snapshot.wal_commits == 1 ? "" : "s");
        printf("%s, %s\n", r->verified ? "read back, opened by itself and checked: ok" : "read back, not checked",
               ms);
        printf("  id      %s\n", r->id);
}

/* One line: what happened, why, what is kept, what to do. */
static void complain(const struct create *c, const struct backup_result *r, int err)
{
        const char *db = c->options.database;
        _cleanup_free_ char *kept = NULL;

        if (!r->last_good || asprintf(&kept, "; the last verified copy is kept: %s", r->last_good) < 0)
                kept = NULL;
        const char *next = err == -ENOSPC ? ": make room, or name another --backup-dir" : "";
        const char *last = kept ? kept : r->searched ? "; no verified copy of it is there" : "";
        if (r->outcome == BACKUP_KEPT_EVIDENCE)
                log_error("backup create: %s is CORRUPT: %s. Its files are kept in %s%s", db, r->reason, r->path,
                          last);
        else
                log_error("backup create: no backup of %s: %s%s%s", db, r->reason, next, last);
}

static int work(void *arg)
{
        struct create *c = arg;
        struct backup_result r;

        progress_start(&c->progress, c->cli);
        c->options.on_progress = on_progress;
        c->options.userdata = &c->progress;
        int err = backup_create(&c->options, &r);
        progress_end(&c->progress);
        int status = backup_exit(err);
        if (c->cli->json && print_json(c, &r) != CLI_OK)
                status = CLI_INTERNAL;
        else if (err == 0 && !c->cli->json)
                print_done(&r);
        if (err < 0)
                complain(c, &r, err);
        backup_result_done(&r);
        return status;
}

static void clean(void *arg)
{
        const struct create *c = arg;

        interrupt_sweep_workdirs(c->options.directory);
        interrupt_sweep_scratch(NULL);
}

/* ---- by the daemon ---- */

/* As far as what is printed goes; the texts are borrowed. */
static struct backup_result result_of(const json_t *document)
{
        const json_t *r = json_object_get(document, "result");

        return (struct backup_result){
                .outcome = json_string_value(json_object_get(r, "class")) &&
                                           strcmp(json_string_value(json_object_get(r, "class")), "evidence") == 0
                                   ? BACKUP_KEPT_EVIDENCE
                           : json_is_string(json_object_get(r, "id")) ? BACKUP_DONE
                                                                      : BACKUP_FAILED,
                .id = (char *)json_string_value(json_object_get(r, "id")),
                .path = (char *)json_string_value(json_object_get(r, "path")),
                .bytes = (uint64_t)json_integer_value(json_object_get(r, "bytes")),
                .verified = json_is_true(json_object_get(r, "verified")),
                .ms = (uint64_t)json_integer_value(json_object_get(r, "ms")),
                .reason = (char *)json_string_value(json_object_get(r, "reason")),
                .last_good = (char *)json_string_value(json_object_get(r, "last_good")),
                .searched = json_object_get(r, "last_good") != NULL,
                .snapshot.wal_commits = (uint64_t)json_integer_value(
                        json_object_get(json_object_get(r, "contains"), "wal_commits")),
        };
}

static int print_answer(const struct cli *cli, const char *name, const json_t *document)
{
        const struct create c = {.cli = cli, .options.database = name};
        struct backup_result r = result_of(document);
        int failed = 0;

        if (cli->json) {
                failed = json_dumpf(document, stdout, JSON_INDENT(2));
                putchar('\n');
        }
        if (r.outcome != BACKUP_DONE) {
                r.reason = r.reason ? r.reason : (char *)"no reason given";
                complain(&c, &r, 0);
        } else if (!cli->json) {
                print_done(&r);
        }
        return failed ? CLI_INTERNAL : CLI_OK;
}

static int by_daemon(const struct cli *cli, const char *name, const char *reason)
{
        _cleanup_(ask_end) struct asking a;
        json_t *document = NULL;
        int r = ask_begin(cli, &a);

        if (r != CLI_OK)
                return r;
        r = act(&a, "backup-create",
                json_pack("{s:o, s:o*}", "database", text_json(name, strlen(name)), "reason",
                          reason ? text_json(reason, strlen(reason)) : NULL),
                &document);
        if (r == ASK_NO_DAEMON && access(name, F_OK) == 0)
                r = log_error_r(CLI_UNAVAILABLE,
                                "backup create: no vigil daemon uses %s; %s is a file here: of it say --db %s "
                                "--backup-dir DIR",
                                a.state_dir, name, name);
        else if (r == ASK_NO_DAEMON)
                r = ask_tell_no_daemon(&a);
        if (document && print_answer(cli, name, document) != CLI_OK)
                r = CLI_INTERNAL;
        json_decref(document);
        return r;
}

int backup_run_create(const struct cli *cli, int argc, char **argv)
{
        struct create c = {.cli = cli, .options = {.others_may_write = true}};
        int check = -1;
        const struct opt opts[] = {
                {.name = "--db", .kind = OPT_TEXT, .ret = &c.options.database},
                {.name = "--backup-dir", .kind = OPT_TEXT, .ret = &c.options.directory},
                {.name = "--reason", .kind = OPT_TEXT, .ret = &c.options.reason},
                {.name = "--check", .kind = OPT_CHOICE, .ret = &check, .choices = backup_check_names},
                {.name = "--byte-budget", .kind = OPT_SIZE, .ret = &c.options.byte_budget},
                {.name = "--time-limit", .kind = OPT_DURATION, .ret = &c.options.deadline_ms},
                {0},
        };

        int r = opt_parse(&command_backup, opts, &argc, argv, NULL);
        if (r != CLI_OK)
                return r;
        if (argc > 2)
                return cli_usage(&command_backup, "create takes one name, or --db FILE");
        if (argc == 2 && (strchr(argv[1], '/') || c.options.database || c.options.directory ||
                          c.options.byte_budget || check >= 0 || c.options.deadline_ms))
                return cli_usage(&command_backup,
                                 "create '%s': of a database that the daemon guards say its name and "
                                 "--reason at most; of a file say --db FILE --backup-dir DIR",
                                 argv[1]);
        if (argc == 2)
                return by_daemon(cli, argv[1], c.options.reason);
        if (!c.options.database || !c.options.directory)
                return cli_usage(&command_backup, "create needs %s",
                                 c.options.database ? "--backup-dir DIR" : "--db FILE");
        c.options.check = backup_check_methods[check < 0 ? 0 : check];
        return supervise(work, clean, &c);
}
