/* backup_prune.c - `vigil backup prune`. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/backup.h"
#include "cli/interrupt.h"
#include "cli/opt.h"
#include "cli/supervise.h"
#include "respond/prune.h"

#define KEEP_MAX 1000000

/* One invocation. */
struct prune {
        const struct cli *cli;
        const char *directory;
        struct prune_options options;
};

static int parse_keep(const char *text, unsigned *ret)
{
        char *end;

        errno = 0;
        unsigned long n = strtoul(text, &end, 10);
        if (*text < '0' || *text > '9' || *end || errno || n == 0 || n > KEEP_MAX)
                return -EINVAL;
        *ret = (unsigned)n;
        return 0;
}

static int print_json(const struct prune *p, const struct prune_result *r)
{
        json_t *doc = prune_json(r, &p->options);
        int failed = doc && json_object_set_new(doc, "schema", json_string("vigil.backups/1")) == 0
                             ? json_dumpf(doc, stdout, JSON_INDENT(2))
                             : -1;

        putchar('\n');
        json_decref(doc);
        return failed ? CLI_INTERNAL : CLI_OK;
}

static void print_text(const struct prune *p, const struct prune_result *r)
{
        char gone[TEXT_BYTES_LEN], left[TEXT_BYTES_LEN];
        json_t *o;
        size_t i;

        json_array_foreach (r->removed, i, o)
                printf("%-12s  %s: %s\n", p->options.dry_run ? "would remove" : "removed",
                       json_string_value(json_object_get(o, "id")), json_string_value(json_object_get(o, "why")));
        text_bytes(gone, r->removed_bytes);
        text_bytes(left, r->kept_bytes);
        printf("%zu %s, %s; %zu stay, %s\n", json_array_size(r->removed),
               p->options.dry_run ? "would go" : "removed", gone, json_array_size(r->kept), left);
}

static int work(void *arg)
{
        const struct prune *p = arg;
        struct prune_result r;
        int err = backup_prune(p->directory, &p->options, &r), status = backup_exit(err);

        if (err < 0)
                log_error("backup prune: cannot prune %s: %s; nothing that counts was lost", p->directory,
                          r.reason);
        else if (!p->cli->json)
                print_text(p, &r);
        else
                status = print_json(p, &r);
        if (err == 0 && r.over) {
                log_warn("backup prune: %s: the copies of %zu database%s take more than --max-bytes, and none of "
                         "them "
                         "may go",
                         p->directory, r.over, r.over == 1 ? "" : "s");
                status = status == CLI_OK ? CLI_FOUND : status;
        }
        prune_result_done(&r);
        return status;
}

static void clean(void *arg)
{
        interrupt_sweep_workdirs(((const struct prune *)arg)->directory);
}

int backup_run_prune(const struct cli *cli, int argc, char **argv)
{
        struct prune p = {.cli = cli};
        const char *keep = NULL;
        const struct opt opts[] = {
                {.name = "--backup-dir", .kind = OPT_TEXT, .ret = &p.directory},
                {.name = "--keep", .kind = OPT_TEXT, .ret = &keep},
                {.name = "--max-bytes", .kind = OPT_SIZE, .ret = &p.options.max_bytes},
                {.name = "--dry-run", .kind = OPT_FLAG, .ret = &p.options.dry_run},
                {0},
        };

        int r = opt_parse(&command_backup, opts, &argc, argv, NULL);
        if (r != CLI_OK)
                return r;
        if (argc > 1)
                return cli_usage(&command_backup, "prune takes no '%s'", argv[1]);
        if (!p.directory)
                return cli_usage(&command_backup, "prune needs --backup-dir DIR");
        if (!keep && !p.options.max_bytes)
                return cli_usage(&command_backup, "prune needs --keep N, --max-bytes SIZE or both");
        if (keep && parse_keep(keep, &p.options.keep) < 0)
                return cli_usage(&command_backup, "--keep: '%s' is no number from 1 to %d", keep, KEEP_MAX);
        return supervise(work, clean, &p);
}
