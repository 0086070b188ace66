/* backup.c - the steps of a proven copy, in their order. */
#include "respond/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "engine/files.h"
#include "respond/list.h"
#include "respond/manifest.h"
#include "respond/run.h"
#include "respond/space.h"
#include "respond/verify.h"

/* The source is found and is a file that can hold a database. */
static int find_source(struct backup_run *r)
{
        _cleanup_free_ char *wal = NULL;
        struct stat st;

        int err = engine_resolve(r->options->database, &r->source);
        if (err == 0 && stat(r->source, &r->source_stat) < 0)
                err = -errno;
        if (err < 0)
                return backup_fail(r, err, "cannot find the database: %s", strerror(-err));
        if (!S_ISREG(r->source_stat.st_mode))
                return backup_fail(r, S_ISDIR(r->source_stat.st_mode) ? -EISDIR : -EINVAL,
                                   "it is no regular file, so it is no database");
        if (asprintf(&wal, "%s-wal", r->source) < 0) {
                wal = NULL;
                return -ENOMEM;
        }
        if (stat(wal, &st) == 0 && S_ISREG(st.st_mode))
                r->source_wal = (uint64_t)st.st_size;
        publish_base(r->source, r->base);
        return 0;
}

static int open_directory(struct backup_run *r)
{
        const char *path = r->options->directory;

        if (mkdir(path, 0700) < 0 && errno != EEXIST)
                return backup_fail(r, -errno, "cannot make the backup directory %s: %s", path, strerror(errno));
        r->directory = realpath(path, NULL);
        r->dir = r->directory ? open(r->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
        if (r->dir < 0)
                return backup_fail(r, -errno, "cannot open the backup directory %s: %s", path, strerror(errno));
        return 0;
}

static int check_space(struct backup_run *r)
{
        char need[TEXT_BYTES_LEN], available[TEXT_BYTES_LEN], reserve[TEXT_BYTES_LEN];
        struct space space;
        uint64_t bytes = (uint64_t)r->source_stat.st_size + r->source_wal;

        if (r->options->byte_budget && bytes > r->options->byte_budget) {
                text_bytes(need, bytes);
                text_bytes(available, r->options->byte_budget);
                return backup_fail(r, -EFBIG, "the copy may take %s, the budget is %s", need, available);
        }
        int err = space_check(r->dir, space_for_copy(bytes), &space);
        if (err == -ENOSPC) {
                text_bytes(need, space.need);
                text_bytes(available, space.free);
                text_bytes(reserve, space.reserve);
                return backup_fail(r, err,
                                   "no space: a copy needs %s, and %s (10 %% of the file system) must stay free; "
                                   "%s are free",
                                   need, reserve, available);
        }
        return err < 0 ? backup_fail(r, err, "cannot ask for free space: %s", strerror(-err)) : 0;
}

/* What dead runs left is finished or removed before room is asked for. */
static int sweep(struct backup_run *r)
{
        workdir_sweep(r->dir, publish_finish);
        return 0;
}

static int make_workdir(struct backup_run *r)
{
        int err = workdir_new(r->dir, &r->work);

        return err < 0 ? backup_fail(r, err, "cannot write to the backup directory: %s", strerror(-err)) : 0;
}

static bool was_sqlite_before(const struct backup_run *r)
{
        struct backup_list list = {0};

        if (r->options->known_sqlite)
                return true;
        if (backup_list_read(r->directory, &list) < 0)
                return false;
        bool found = backup_list_last_good(&list, r->source) != NULL;
        backup_list_done(&list);
        return found;
}

static int copy(struct backup_run *r)
{
        struct snapshot_result *s = &r->result->snapshot;
        struct snapshot_options how = {
                .others_may_write = r->options->others_may_write,
                .byte_budget = r->options->byte_budget,
                .wal_cap = r->options->wal_cap,
                .deadline_ms = backup_left_ms(r),
                .no_sha256 = r->options->check != CHECK_NONE,
                .on_progress = backup_progress,
                .userdata = r,
        };

        r->phase = BACKUP_COPY;
        r->copy_from = backup_now();
        uint64_t before_ms = (clock_boottime_ns() - r->started_ns) / 1000000;
        int err = snapshot_take(r->source, r->work.fd, PUBLISH_COPY, &how, s);
        r->copy_until = backup_now();
        r->result->durable_ms = before_ms + s->durable_ms;
        if (err == -EBADMSG && was_sqlite_before(r))
                return backup_corrupt(r, "its header is no longer that of an SQLite database");
        if (err == -EUCLEAN)
                return backup_corrupt(r, s->reason);
        if (err < 0)
                return backup_fail(r, err, "%s", s->reason);
        if (s->source_main_bytes > 0)
                return 0;
        if (s->source_wal_bytes > 0)
                return backup_corrupt(r, "it is empty, but its -wal is not: the next opener deletes that");
        return backup_fail(r, -ENODATA, "it is empty (0 bytes): there is nothing to back up");
}

static int other_bytes(struct backup_run *r, const char *kind, const char *read, const char *written)
{
        if (strcmp(read, written) == 0)
                return 0;
        return backup_fail(r, -EIO, "the disk gives back other bytes than were written: %s %s, written %s", kind,
                           read, written);
}

/* The disk must give back, to a fresh descriptor, what was written. Where the copy is also checked, the check reads it, and
 * hashes what it reads. */
static int reread(struct backup_run *r)
{
        struct stat st = {0};

        r->phase = BACKUP_REREAD;
        _cleanup_close_ int fd = openat(r->work.fd, PUBLISH_COPY, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        int err = fd < 0 || fstat(fd, &st) < 0 ? -errno : backup_own(r, fd);
        if (err == 0 && r->options->check != CHECK_NONE) {
                r->result->bytes = (uint64_t)st.st_size;
                return 0;
        }
        if (err == 0)
                err = verify_hash(r->work.fd, PUBLISH_COPY, r->deadline_ns, backup_progress, r, r->result->sha256,
                                  &r->result->bytes);
        if (err < 0)
                return backup_fail(r, err, "cannot read the copy back: %s", strerror(-err));
        return other_bytes(r, "SHA-256", r->result->sha256, r->result->snapshot.sha256);
}

/* The copy must stand alone: what a restore would put in place, in a private directory, without companions, opened and
 * checked as the disk gives it back. */
static int check(struct backup_run *r)
{
        static const char *const companions[] = {"-wal", "-journal", "-shm"};
        struct check_result *c = &r->result->check;
        struct check_options how = {
                .method = r->options->check,
                .deadline_ms = backup_left_ms(r),
                .finished = true,
                .on_progress = backup_progress,
                .userdata = r,
        };
        _cleanup_free_ char *path = NULL;

        for (size_t i = 0; i < sizeof(companions) / sizeof(*companions); i++) {
                char name[32];
                snprintf(name, sizeof(name), "%s%s", PUBLISH_COPY, companions[i]);
                if (faccessat(r->work.fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                        return backup_fail(r, -EIO, "the copy has a companion, %s: it does not stand alone", name);
        }
        if (how.method == CHECK_NONE)
                return 0;
        if (asprintf(&path, "%s/%s/%s", r->directory, r->work.name, PUBLISH_COPY) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        r->phase = BACKUP_CHECK;
        check_result_done(c);
        int err = check_database(path, &how, c);
        if (err < 0)
                return err;
        memcpy(r->result->sha256, c->sha256, sizeof(r->result->sha256));
        err = c->fingerprint[0] ? other_bytes(r, "fingerprint", c->fingerprint, r->result->snapshot.fingerprint)
                                : 0;
        if (err != 0)
                return err;
        r->result->verified = c->outcome == CHECK_OK;
        if (c->outcome == CHECK_CORRUPT)
                return backup_corrupt(r, how.method == CHECK_FULL ? "integrity_check finds it corrupt"
                                                                  : "quick_check finds it corrupt");
        if (c->outcome != CHECK_OK)
                return backup_fail(r, c->outcome == CHECK_TIMEOUT ? -ETIME : -ENOTRECOVERABLE,
                                   "the copy could not be checked (%s): %s", check_outcome_name(c->outcome),
                                   c->reason ? c->reason : "no reason given");
        return 0;
}

/* What was seen to happen, or while it was copied, outranks the check. */
static int weigh(struct backup_run *r)
{
        if (r->result->snapshot.wal_unreadable > 0)
                return backup_corrupt(r, "it lacks committed transactions that no recovery can read from the -wal");
        return r->options->damage ? backup_corrupt(r, r->options->damage) : 0;
}

static int publish(struct backup_run *r)
{
        struct backup_result *result = r->result;
        char id[PUBLISH_ID_LEN];
        struct manifest m;
        json_t *check = result->check.outcome == CHECK_SKIPPED ? NULL : check_json(&result->check);

        backup_describe(r, &m);
        m.verified = result->verified;
        m.bytes = result->bytes;
        m.check = check;
        memcpy(m.sha256, result->sha256, sizeof(m.sha256));
        json_t *document = manifest_to_json(&m);
        int err = document ? publish_backup(&r->work, r->dir, r->base, r->copy_from, document, id) : -ENOMEM;
        json_decref(document);
        json_decref(check);
        if (err < 0)
                return backup_fail(r, err, "cannot publish the copy: %s", strerror(-err));
        if (!(result->id = strdup(id)) || asprintf(&result->path, "%s/%s.db", r->directory, id) < 0) {
                result->path = NULL;
                return -ENOMEM;
        }
        result->outcome = BACKUP_DONE;
        return 0;
}

static int (*const steps[])(struct backup_run *r) = {
        find_source, open_directory, sweep, check_space, make_workdir, copy, reread, check, weigh, publish,
};

/* The newest proven copy, whatever became of this run: that is what the reader of a bad message asks next. */
static void name_last_good(struct backup_run *r)
{
        struct backup_list list = {0};

        int err = r->source ? backup_list_read(r->options->directory, &list) : -EINVAL;
        r->result->searched = err == 0 || err == -ENOENT;
        if (err < 0)
                return;
        const struct backup_item *item = backup_list_last_good(&list, r->source);
        if (item)
                r->result->last_good = strdup(item->path);
        backup_list_done(&list);
}

int backup_create(const struct backup_options *options, struct backup_result *ret)
{
        struct backup_run r = {.options = options,
                               .result = ret,
                               .dir = -1,
                               .work = WORKDIR_NONE,
                               .started_ns = clock_boottime_ns()};
        int err = 0;

        *ret = (struct backup_result){.check = {.outcome = CHECK_SKIPPED, .method = "none", .on = "none"},
                                      .snapshot = {.method = "none"}};
        if (options->deadline_ms)
                r.deadline_ns = r.started_ns + options->deadline_ms * 1000000;
        for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) && err == 0; i++)
                err = steps[i](&r);
        if (r.corrupt)
                evidence_keep(&r);
        else if (err == -EUCLEAN) /* a damaged file system says so too, with the same number */
                err = -EIO;
        if (err < 0 && !ret->reason)
                backup_fail(&r, err, "%s", strerror(-err));
        if (ret->outcome != BACKUP_DONE) {
                ret->verified = false;
                ret->sha256[0] = '\0';
        }
        workdir_done(&r.work);
        name_last_good(&r);
        cleanup_close_(&r.dir);
        free(r.source);
        free(r.directory);
        ret->ms = (clock_boottime_ns() - r.started_ns) / 1000000;
        return err;
}

void backup_result_done(struct backup_result *r)
{
        free(r->id);
        free(r->path);
        free(r->reason);
        free(r->last_good);
        check_result_done(&r->check);
        *r = (struct backup_result){0};
}
