/* backup_list.c - `vigil backup list` and `vigil backup verify`. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/backup.h"
#include "cli/backup_lost.h"
#include "cli/interrupt.h"
#include "cli/opt.h"
#include "cli/progress.h"
#include "cli/supervise.h"
#include "respond/list.h"
#include "respond/verify.h"

/* One word for a row. */
static const char *word_for(const struct backup_item *i)
{
        return i->problem ? "BAD" : i->evidence ? "EVIDENCE" : i->manifest.verified ? "verified" : "unverified";
}

static void print_row(const char *word, const struct backup_item *i)
{
        char bytes[TEXT_BYTES_LEN], source[300], id[PUBLISH_ID_LEN], why[300];

        text_bytes(bytes, i->manifest.bytes);
        text_printable(id, sizeof(id), i->id);
        text_printable(source, sizeof(source), i->manifest.source ? i->manifest.source : "unknown");
        const char *problem = i->problem ? i->problem : i->manifest.problem;
        text_printable(why, sizeof(why), problem ? problem : "");
        printf("%-10s  %-19.19s%s  %9s  %s\n            of %s%s%s%s%s\n", word,
               *i->manifest.created_at ? i->manifest.created_at : "unknown", *i->manifest.created_at ? "Z" : " ",
               bytes, id, source, i->manifest.reason ? ", reason " : "",
               i->manifest.reason ? i->manifest.reason : "", *why ? ": " : "", why);
}

static int read_list(const char *verb, const char *directory, struct backup_list *ret)
{
        int err = backup_list_read(directory, ret);

        if (err < 0) {
                log_error("backup %s: cannot read the backup directory %s: %s", verb, directory, strerror(-err));
                return backup_exit(err);
        }
        if (ret->cut)
                log_warn("backup %s: %s holds more than %d backups: the rest is not shown", verb, directory,
                         LIST_MAX);
        return CLI_OK;
}

static int print_document(json_t *backups, bool cut)
{
        json_t *doc = json_pack("{s:s, s:o, s:b}", "schema", "vigil.backups/1", "backups", backups, "cut", cut);
        int failed = doc ? json_dumpf(doc, stdout, JSON_INDENT(2)) : -1;

        putchar('\n');
        json_decref(doc);
        return failed ? CLI_INTERNAL : CLI_OK;
}

static bool is_of(const struct backup_item *item, const char *source)
{
        return !source || (item->manifest.source && strcmp(item->manifest.source, source) == 0);
}

static int list_json(const struct backup_list *list, const char *source)
{
        json_t *backups = json_array();

        for (size_t i = 0; i < list->n; i++)
                if (is_of(&list->items[i], source))
                        json_array_append_new(backups, backup_item_json(&list->items[i]));
        return print_document(backups, list->cut);
}

static void tell_bare(const struct backup_list *list)
{
        char name[sizeof(list->bare) + 100];

        text_printable(name, sizeof(name), list->bare);
        if (list->n_bare == 1)
                printf("1 file without a manifest, which counts for nothing: %s\n", name);
        else if (list->n_bare)
                printf("%zu files without a manifest, which count for nothing: %s and %zu more\n", list->n_bare,
                       name, list->n_bare - 1);
}

static int list_text(const struct backup_list *list, const char *source)
{
        size_t shown = 0;

        for (size_t i = 0; i < list->n; i++) {
                const struct backup_item *item = &list->items[i];
                if (!is_of(item, source))
                        continue;
                print_row(word_for(item), item);
                shown++;
        }
        if (shown == 0)
                puts("no backup");
        tell_bare(list);
        return CLI_OK;
}

/* Nothing is found most often because it was looked for in the wrong place. */
static int look_elsewhere(const char *directory, const struct backup_list *list, const char *source)
{
        for (size_t i = 0; i < list->n; i++)
                if (is_of(&list->items[i], source))
                        return CLI_OK;
        if (list->n == 0)
                return backup_lost_below(directory);
        return source ? backup_lost_of(directory, list, source) : CLI_OK;
}

int backup_run_list(const struct cli *cli, int argc, char **argv)
{
        const char *directory = NULL, *db = NULL;
        const struct opt opts[] = {{.name = "--backup-dir", .kind = OPT_TEXT, .ret = &directory},
                                   {.name = "--db", .kind = OPT_TEXT, .ret = &db},
                                   {0}};
        struct backup_list list = {0};

        int r = opt_parse(&command_backup, opts, &argc, argv, NULL);
        if (r != CLI_OK)
                return r;
        if (!directory)
                return cli_usage(&command_backup, "list needs --backup-dir DIR");
        if (argc > 1)
                return cli_usage(&command_backup, "list takes --backup-dir DIR and --db FILE, got '%s'", argv[1]);
        /* A database that is gone is asked for by the path it had. */
        _cleanup_free_ char *real = db ? realpath(db, NULL) : NULL;
        db = real ? real : db;
        r = read_list("list", directory, &list);
        if (r == CLI_OK) {
                int lost = look_elsewhere(directory, &list, db);
                if (cli->json)
                        r = list_json(&list, db);
                else if (lost == CLI_OK)
                        r = list_text(&list, db);
                r = r == CLI_OK ? lost : r;
        }
        backup_list_done(&list);
        return r;
}

/* One invocation of verify. */
struct verify {
        const struct cli *cli;
        const char *directory;
        char **ids; /* n of them; none: all */
        int n;
        struct verify_options options;
        struct progress progress;
        size_t seen, failed, proven;
};

static void print_verified(const struct backup_item *i, const struct verify_result *r)
{
        char ms[TEXT_DURATION_LEN], problem[600];

        text_measured(ms, r->ms, 1000000);
        print_row(r->problem ? "BAD" : r->proven ? "proven" : "unchanged", i);
        if (r->problem) {
                text_printable(problem, sizeof(problem), r->problem);
                printf("            %s\n", problem);
        } else {
                printf("            %s, %s\n",
                       i->evidence ? "evidence: hashes as they were"
                       : r->proven ? "hash as it was, restored and checked: ok"
                                   : "hash as it was, not checked",
                       ms);
        }
}

static int verify_one(struct verify *v, const struct backup_item *item, json_t *backups)
{
        struct verify_result r;

        int err = backup_verify(item, &v->options, &r);
        progress_end(&v->progress);
        if (err < 0)
                return log_error_r(CLI_INTERNAL, "backup verify: cannot verify %s: %s", item->id, strerror(-err));
        v->seen++;
        v->failed += r.problem != NULL;
        v->proven += r.proven;
        if (v->cli->json) {
                json_t *o = backup_item_json(item);
                json_object_set_new(o, "verified", json_boolean(r.proven));
                json_object_set_new(o, "verify", verify_json(&r));
                json_array_append_new(backups, o);
        } else {
                print_verified(item, &r);
        }
        verify_result_done(&r);
        return CLI_OK;
}

static int verify_items(struct verify *v, const struct backup_list *list, json_t *backups)
{
        int status = CLI_OK;

        for (size_t i = 0; v->n == 0 && i < list->n && status == CLI_OK; i++)
                status = verify_one(v, &list->items[i], backups);
        for (int i = 0; i < v->n && status == CLI_OK; i++) {
                const struct backup_item *item = backup_list_find(list, v->ids[i]);
                status = item ? verify_one(v, item, backups)
                              : log_error_r(CLI_UNAVAILABLE,
                                            "backup verify: no backup %s in %s: see vigil backup list", v->ids[i],
                                            v->directory);
        }
        return status;
}

static int verify_status(const struct verify *v)
{
        if (v->seen == 0)
                return log_error_r(CLI_FOUND, "backup verify: %s holds no backup", v->directory);
        if (v->failed == 0)
                return CLI_OK;
        log_error("backup verify: %zu of %zu in %s are not what they were", v->failed, v->seen, v->directory);
        return v->proven ? CLI_FOUND : CLI_CRITICAL;
}

static int verify_work(void *arg)
{
        struct verify *v = arg;
        struct backup_list list = {0};
        json_t *backups = v->cli->json ? json_array() : NULL;

        int status = read_list("verify", v->directory, &list);
        if (status == CLI_OK) {
                progress_start(&v->progress, v->cli);
                v->progress.what = "reading";
                v->options.on_progress = progress_update;
                v->options.userdata = &v->progress;
                status = verify_items(v, &list, backups);
        }
        if (v->cli->json && print_document(backups, list.cut) != CLI_OK)
                status = CLI_INTERNAL;
        if (status == CLI_OK)
                status = verify_status(v);
        backup_list_done(&list);
        return status;
}

static void verify_clean(void *arg)
{
        const struct verify *v = arg;

        interrupt_sweep_workdirs(v->directory);
        interrupt_sweep_scratch(NULL);
}

int backup_run_verify(const struct cli *cli, int argc, char **argv)
{
        struct verify v = {.cli = cli};
        bool all = false;
        int check = 0;
        const struct opt opts[] = {
                {.name = "--backup-dir", .kind = OPT_TEXT, .ret = &v.directory},
                {.name = "--all", .kind = OPT_FLAG, .ret = &all},
                {.name = "--check", .kind = OPT_CHOICE, .ret = &check, .choices = backup_check_names},
                {.name = "--time-limit", .kind = OPT_DURATION, .ret = &v.options.deadline_ms},
                {0},
        };

        int r = opt_parse(&command_backup, opts, &argc, argv, NULL);
        if (r != CLI_OK)
                return r;
        if (!v.directory)
                return cli_usage(&command_backup, "verify needs --backup-dir DIR");
        if (all && argc > 1)
                return cli_usage(&command_backup, "verify takes --all or IDs, not both");
        v.ids = argv + 1;
        v.n = argc - 1;
        v.options.check = backup_check_methods[check];
        return supervise(verify_work, verify_clean, &v);
}
