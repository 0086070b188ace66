/* backup_restore.c - `vigil backup restore`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/backup.h"
#include "cli/interrupt.h"
#include "cli/opt.h"
#include "cli/progress.h"
#include "cli/supervise.h"
#include "respond/restore.h"

struct restore {
        const struct cli *cli;
        struct restore_options options;
        struct progress progress;
};

static void print_done(const struct restore *c, const struct restore_result *r)
{
        char path[4096], bytes[TEXT_BYTES_LEN], ms[TEXT_DURATION_LEN];

        text_printable(path, sizeof(path), r->path);
        text_bytes(bytes, r->bytes);
        text_measured(ms, r->ms, 1000000);
        printf("restored    %s\n", path);
        printf("  from    %s, %s, %s, %s%s\n", c->options.id, bytes,
               r->verified ? "hash as it was, checked: ok" : "NOT VERIFIED", ms,
               r->replaced ? "; what was there is replaced" : "");
        for (size_t i = 0; i < r->n_notes; i++) {
                char note[1000];
                text_printable(note, sizeof(note), r->notes[i]);
                printf("  note    %s\n", note);
        }
}

static int work(void *arg)
{
        struct restore *c = arg;
        struct restore_result r;

        progress_start(&c->progress, c->cli);
        c->progress.what = "restoring";
        c->options.on_progress = progress_update;
        c->options.userdata = &c->progress;
        int err = backup_restore(&c->options, &r);
        progress_end(&c->progress);
        int status = err == 0 && r.warned ? CLI_FOUND : backup_exit(err);
        if (c->cli->json) {
                json_t *doc = restore_json(&c->options, &r);
                if (!doc || json_dumpf(doc, stdout, JSON_INDENT(2)) != 0)
                        status = CLI_INTERNAL;
                putchar('\n');
                json_decref(doc);
        } else if (err == 0) {
                print_done(c, &r);
        }
        if (err < 0)
                log_error("backup restore: %s", r.reason);
        restore_result_done(&r);
        return status;
}

static void clean(void *arg)
{
        const struct restore *c = arg;
        const char *slash = strrchr(c->options.to, '/');
        _cleanup_free_ char *beside = slash ? strndup(c->options.to, (size_t)(slash - c->options.to) + 1)
                                            : strdup(".");

        if (beside)
                interrupt_sweep_workdirs(beside);
        interrupt_sweep_scratch(NULL);
}

int backup_run_restore(const struct cli *cli, int argc, char **argv)
{
        struct restore c = {.cli = cli};
        int check = 0;
        const struct opt opts[] = {
                {.name = "--backup-dir", .kind = OPT_TEXT, .ret = &c.options.directory},
                {.name = "--to", .kind = OPT_TEXT, .ret = &c.options.to},
                {.name = "--force", .kind = OPT_FLAG, .ret = &c.options.force},
                {.name = "--check", .kind = OPT_CHOICE, .ret = &check, .choices = backup_check_names},
                {0},
        };

        int r = opt_parse(&command_backup, opts, &argc, argv, NULL);
        if (r != CLI_OK)
                return r;
        if (argc != 2)
                return cli_usage(&command_backup, "restore needs one ID, got %d: see vigil backup list", argc - 1);
        if (!c.options.directory || !c.options.to)
                return cli_usage(&command_backup, "restore needs %s",
                                 c.options.directory ? "--to FILE" : "--backup-dir DIR");
        c.options.id = argv[1];
        c.options.check = backup_check_methods[check];
        return supervise(work, clean, &c);
}
