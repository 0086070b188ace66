/* evidence.c - a corrupt database is kept as it is, apart from everything that counts as good. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "respond/manifest.h"
#include "respond/run.h"
#include "respond/shm.h"
#include "respond/verify.h"

/* The names below evidence/ID/. The -shm gets one that no SQLite pairs with the database: beside a copied -wal a stale
 * index would be believed. */
enum { EV_MAIN, EV_WAL, EV_JOURNAL, EV_SHM, EV_FILES };
static const char *const endings[EV_FILES] = {".db", ".db-wal", ".db-journal", ".shm"};

static void name_of(const struct backup_run *r, int which, char ret[MANIFEST_NAME_LEN])
{
        snprintf(ret, MANIFEST_NAME_LEN, "%s%s", r->base, endings[which]);
}

/* Owner, sync, hash of each file that is there. */
static int seal_files(struct backup_run *r, int dir, struct manifest *m)
{
        for (int i = 0; i < EV_FILES; i++) {
                struct manifest_file *f = &m->files[m->n_files];
                name_of(r, i, f->name);
                _cleanup_close_ int fd = openat(dir, f->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
                if (fd < 0 && errno == ENOENT)
                        continue;
                int err = fd < 0 ? -errno : backup_own(r, fd);
                if (err == 0)
                        err = verify_hash(dir, f->name, r->deadline_ns, backup_progress, r, f->sha256, &f->bytes);
                if (err < 0)
                        return backup_fail(r, err, "cannot seal %s: %s", f->name, strerror(-err));
                m->bytes += f->bytes;
                m->n_files++;
        }
        return 0;
}

static int copy_files(struct backup_run *r, int dir)
{
        char name[MANIFEST_NAME_LEN];
        struct snapshot_options how = {
                .others_may_write = r->options->others_may_write,
                .byte_budget = r->options->byte_budget,
                .wal_cap = r->options->wal_cap,
                .deadline_ms = backup_left_ms(r),
                .raw = true,
                .on_progress = backup_progress,
                .userdata = r,
        };

        name_of(r, EV_MAIN, name);
        r->copy_from = backup_now();
        int err = snapshot_take(r->source, dir, name, &how, &r->result->snapshot);
        r->copy_until = backup_now();
        if (err < 0)
                return backup_fail(r, err, "%s", r->result->snapshot.reason);
        name_of(r, EV_SHM, name);
        err = shm_keep(r->source, dir, name);
        return err < 0 ? backup_fail(r, err, "cannot copy its -shm: %s", strerror(-err)) : 0;
}

/* The check was of a copy in a directory that is gone when somebody reads why it failed. */
static int name_source(struct check_result *check, const char *path, const char *source)
{
        const char *at = check->reason ? strstr(check->reason, path) : NULL;
        char *named;

        if (!at)
                return 0;
        if (asprintf(&named, "%.*s%s%s", (int)(at - check->reason), check->reason, source, at + strlen(path)) < 0)
                return -ENOMEM;
        free(check->reason);
        check->reason = named;
        return 0;
}

/* What is wrong with it, page by page, where the first copy did not get as far as a check. */
static int list_errors(struct backup_run *r)
{
        struct check_options how = {
                .method = r->options->check, .deadline_ms = backup_left_ms(r), .scratch = r->options->scratch};
        struct check_result check;
        _cleanup_free_ char *path = NULL;

        if (r->result->check.outcome != CHECK_SKIPPED || how.method == CHECK_NONE)
                return 0;
        if (asprintf(&path, "%s/%s/%s/%s.db", r->directory, r->work.name, PUBLISH_EVIDENCE, r->base) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        int err = check_database(path, &how, &check);
        if (err < 0)
                return err;
        check_result_done(&r->result->check);
        r->result->check = check;
        return name_source(&r->result->check, path, r->source);
}

static int publish(struct backup_run *r, struct manifest *m)
{
        char id[PUBLISH_ID_LEN];
        json_t *check = r->result->check.outcome == CHECK_SKIPPED ? NULL : check_json(&r->result->check);

        m->check = check;
        json_t *document = manifest_to_json(m);
        int err = document ? publish_evidence(&r->work, r->dir, r->base, r->copy_from, document, id) : -ENOMEM;
        json_decref(document);
        json_decref(check);
        if (err < 0)
                return backup_fail(r, err, "cannot publish it: %s", strerror(-err));
        if (!(r->result->id = strdup(id)) || asprintf(&r->result->path, "%s/%s", r->directory, id) < 0) {
                r->result->path = NULL;
                return -ENOMEM;
        }
        r->result->bytes = m->bytes;
        r->result->outcome = BACKUP_KEPT_EVIDENCE;
        return 0;
}

int evidence_keep(struct backup_run *r)
{
        struct manifest m;

        r->phase = BACKUP_EVIDENCE_COPY;
        /* The copy that failed its check makes room first. */
        unlinkat(r->work.fd, PUBLISH_COPY, 0);
        if (mkdirat(r->work.fd, PUBLISH_EVIDENCE, 0700) < 0)
                return backup_fail(r, -errno, "cannot make a directory: %s", strerror(errno));
        _cleanup_close_ int dir = openat(r->work.fd, PUBLISH_EVIDENCE,
                                         O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir < 0)
                return backup_fail(r, -errno, "cannot open a directory: %s", strerror(errno));
        int err = copy_files(r, dir);
        if (err == 0)
                err = list_errors(r);
        if (err < 0)
                return err;
        backup_describe(r, &m);
        m.evidence = true;
        m.problem = r->result->reason;
        err = seal_files(r, dir, &m);
        return err == 0 ? publish(r, &m) : err;
}
