#include "respond/prune.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "respond/list.h"
#include "respond/prune_plan.h"
#include "respond/publish.h"
#include "respond/workdir.h"

/* One call of backup_prune(). */
struct run {
        const struct prune_options *options;
        struct prune_result *result;
        int dir;
        struct backup_list list;
        struct prune_fate *fates;
        struct workdir work;
};

static int fail(struct run *r, int err, const char *what)
{
        const char *why = err == -E2BIG ? "it holds more backups than can be looked at" : strerror(-err);

        if (!r->result->reason && asprintf(&r->result->reason, "%s: %s", what, why) < 0)
                r->result->reason = NULL;
        return err;
}

static void name_of(const struct backup_item *i, const char *ending, char ret[PUBLISH_ID_LEN + 8])
{
        snprintf(ret, PUBLISH_ID_LEN + 8, "%s%s", i->id, ending);
}

/* With its manifest a backup ceases to exist; its copy follows. As long as the copy is there, a sweep puts the manifest back
 * (publish_finish()): so no manifest may be gone for good before the names are on the disk. */
static int take_manifests(struct run *r)
{
        char name[PUBLISH_ID_LEN + 8];

        for (size_t i = 0; i < r->list.n; i++) {
                if (!r->fates[i].remove)
                        continue;
                name_of(&r->list.items[i], ".json", name);
                /* Another run was faster. */
                if (renameat(r->dir, name, r->work.fd, name) < 0 && errno != ENOENT)
                        return fail(r, -errno, name);
        }
        return fsync(r->work.fd) < 0 || fsync(r->dir) < 0 ? fail(r, -errno, "cannot sync the backup directory") : 0;
}

static int remove_copies(struct run *r)
{
        char name[PUBLISH_ID_LEN + 8];

        for (size_t i = 0; i < r->list.n; i++) {
                if (!r->fates[i].remove)
                        continue;
                name_of(&r->list.items[i], ".db", name);
                if (unlinkat(r->dir, name, 0) < 0 && errno != ENOENT)
                        return fail(r, -errno, name);
        }
        return fsync(r->dir) < 0 ? fail(r, -errno, "cannot sync the backup directory") : 0;
}

static bool anything_goes(const struct run *r)
{
        for (size_t i = 0; i < r->list.n; i++)
                if (r->fates[i].remove)
                        return true;
        return false;
}

static int remove_all(struct run *r)
{
        if (r->options->dry_run || !anything_goes(r))
                return 0;
        int err = workdir_new(r->dir, &r->work);
        if (err < 0)
                return fail(r, err, "cannot write to the backup directory");
        err = take_manifests(r);
        if (err == 0)
                err = remove_copies(r);
        /* What was not removed after all gets its manifest back. */
        if (err < 0)
                publish_finish(r->dir, r->work.fd);
        workdir_done(&r->work);
        return err;
}

static int tell(struct run *r)
{
        struct prune_result *result = r->result;

        for (size_t i = 0; i < r->list.n; i++) {
                const struct backup_item *item = &r->list.items[i];
                const struct prune_fate *f = &r->fates[i];
                json_t *o = backup_item_json(item);
                if (!o || json_object_set_new(o, "why", f->why ? json_string(f->why) : json_null()) < 0 ||
                    json_array_append_new(f->remove ? result->removed : result->kept, o) < 0)
                        return fail(r, -ENOMEM, "cannot tell what was removed");
                *(f->remove ? &result->removed_bytes : &result->kept_bytes) += item->manifest.bytes;
                result->pinned_bytes += f->why && !f->remove ? item->manifest.bytes : 0;
        }
        return 0;
}

static int prune(struct run *r)
{
        r->fates = calloc(r->list.n + 1, sizeof(*r->fates));
        if (!r->fates)
                return fail(r, -ENOMEM, "cannot choose");
        int err = prune_plan(&r->list, r->options, r->fates, &r->result->over);
        if (err < 0)
                return fail(r, err, "cannot choose");
        err = remove_all(r);
        return err < 0 ? err : tell(r);
}

int backup_prune(const char *directory, const struct prune_options *options, struct prune_result *ret)
{
        struct run r = {.options = options, .result = ret, .work = WORKDIR_NONE};

        *ret = (struct prune_result){.removed = json_array(), .kept = json_array()};
        _cleanup_close_ int dir = r.dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return fail(&r, -errno, "cannot open the directory");
        /* What a run that died has left is finished first: it counts, or takes no room any more. */
        if (!options->dry_run)
                workdir_sweep(dir, publish_finish);
        int err = backup_list_read(directory, &r.list);
        if (err < 0)
                return fail(&r, err, "cannot read the directory");
        err = r.list.cut ? fail(&r, -E2BIG, "which are the newest cannot be told") : prune(&r);
        free(r.fates);
        backup_list_done(&r.list);
        return err;
}

void prune_result_done(struct prune_result *r)
{
        json_decref(r->removed);
        json_decref(r->kept);
        free(r->reason);
        *r = (struct prune_result){0};
}

json_t *prune_json(const struct prune_result *r, const struct prune_options *options)
{
        return json_pack("{s:O, s:O, s:I, s:I, s:I, s:I, s:b}", "backups", r->kept, "removed", r->removed,
                         "removed_bytes", (json_int_t)r->removed_bytes, "kept_bytes", (json_int_t)r->kept_bytes,
                         "pinned_bytes", (json_int_t)r->pinned_bytes, "over", (json_int_t)r->over, "dry_run",
                         options->dry_run);
}
