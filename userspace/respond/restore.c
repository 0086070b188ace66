/* restore.c - the steps of a restore, in their order. */
#include "respond/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "respond/restoring.h"
#include "respond/space.h"
#include "respond/xattrs.h"

int restoring_fail(struct restoring *r, int err, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        free(r->result->reason);
        if (vasprintf(&r->result->reason, fmt, ap) < 0)
                r->result->reason = NULL;
        va_end(ap);
        return err;
}

void restoring_note(struct restoring *r, bool warn, const char *fmt, ...)
{
        va_list ap;

        r->result->warned |= warn;
        if (r->result->n_notes == RESTORE_NOTES)
                return;
        va_start(ap, fmt);
        if (vasprintf(&r->result->notes[r->result->n_notes], fmt, ap) >= 0)
                r->result->n_notes++;
        va_end(ap);
}

int restoring_own(struct restoring *r, int fd)
{
        const struct manifest *m = &r->item->manifest;
        bool known = r->exists || m->source;
        uid_t uid = r->exists ? r->old.st_uid : (uid_t)m->uid;
        gid_t gid = r->exists ? r->old.st_gid : (gid_t)m->gid;
        mode_t mode = r->exists ? r->old.st_mode & 07777 : (mode_t)m->mode & 0777;

        if (known && geteuid() == 0 && fchown(fd, uid, gid) < 0 && errno != EPERM)
                return -errno;
        if (fchmod(fd, known && mode ? mode : 0600) < 0 && errno != EPERM)
                return -errno;
        /* After the mode, which an access list refines. */
        int err = r->old_fd >= 0 ? xattrs_copy(r->old_fd, fd) : 0;
        if (err < 0)
                restoring_note(r, true,
                               "an extended attribute of the old file (access list, label) could not be kept: %s",
                               strerror(-err));
        return fsync(fd) < 0 ? -errno : 0;
}

static int find_item(struct restoring *r)
{
        const struct restore_options *o = r->options;
        int err = backup_list_read(o->directory, &r->list);

        if (err < 0)
                return restoring_fail(r, err, "cannot read the backup directory %s: %s", o->directory,
                                      strerror(-err));
        r->item = backup_list_find(&r->list, o->id);
        if (!r->item)
                return restoring_fail(r, -ENOENT,
                                      "no backup %s in %s: `vigil backup list` shows those that are there", o->id,
                                      o->directory);
        if (r->item->problem)
                return restoring_fail(r, -EUCLEAN, "%s cannot be restored: %s", o->id, r->item->problem);
        if (r->item->evidence && !o->force)
                return restoring_fail(
                        r, -EPERM, "%s is evidence, no backup (%s): --force takes it all the same", o->id,
                        r->item->manifest.problem ? r->item->manifest.problem : "of a corrupt database");
        if (!r->item->evidence && !r->item->manifest.verified && !o->force)
                return restoring_fail(r, -EPERM, "%s was never verified: --force takes it all the same", o->id);
        return 0;
}

/* The absolute path of the file, with the links on the way resolved; it need not exist. */
static int find_place(struct restoring *r)
{
        const char *to = r->options->to;
        char real[PATH_MAX];

        if (!realpath(to, real)) {
                const char *slash = strrchr(to, '/');
                _cleanup_free_ char *above = slash ? strndup(to, (size_t)(slash - to) + 1) : strdup(".");
                struct stat st;
                if (errno != ENOENT || lstat(to, &st) == 0 || !above || !realpath(above, real))
                        return restoring_fail(r, -errno, "cannot find the place for %s: %s", to, strerror(errno));
                if (slash && !slash[1])
                        return restoring_fail(r, -EISDIR, "%s is no name of a file", to);
                size_t n = strlen(real);
                if (snprintf(real + n, sizeof(real) - n, "%s%s", n > 1 ? "/" : "", slash ? slash + 1 : to) >=
                    (int)(sizeof(real) - n))
                        return restoring_fail(r, -ENAMETOOLONG, "%s is too long a path", to);
        }
        char *slash = strrchr(real, '/');
        r->result->path = strdup(real);
        r->name = strdup(slash + 1);
        r->dir_path = slash == real ? strdup("/") : strndup(real, (size_t)(slash - real));
        if (!r->result->path || !r->name || !r->dir_path)
                return -ENOMEM;
        r->dir = open(r->dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return r->dir < 0 ? restoring_fail(r, -errno, "cannot open %s: %s", r->dir_path, strerror(errno)) : 0;
}

static int look_at_place(struct restoring *r)
{
        const char *path = r->result->path;
        struct stat copy;

        if (fstatat(r->dir, r->name, &r->old, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0
                                       : restoring_fail(r, -errno, "cannot look at %s: %s", path, strerror(errno));
        r->exists = true;
        if (!S_ISREG(r->old.st_mode))
                return restoring_fail(r, S_ISDIR(r->old.st_mode) ? -EISDIR : -EINVAL, "%s is no regular file",
                                      path);
        if (stat(r->item->path, &copy) == 0 && copy.st_dev == r->old.st_dev && copy.st_ino == r->old.st_ino)
                return restoring_fail(r, -EINVAL, "%s is the backup itself", path);
        if (!r->options->force)
                return restoring_fail(r, -EEXIST, "%s exists: --force replaces it", path);
        const char *source = r->item->manifest.source;
        if (source && strcmp(source, path) != 0)
                restoring_note(r, false, "this is a backup of %s", source);
        if (r->old.st_nlink > 1)
                restoring_note(r, true,
                               "the old file has another name (a hard link): who opens that gets the old database");
        return 0;
}

/* Idle connections hold no lock in rollback mode, but a descriptor; users elsewhere show no descriptor, but locks. */
static int refuse_open(struct restoring *r)
{
        const char *path = r->result->path;
        struct users_files files;
        struct users users = {0};
        char who[200];

        int err = users_files_of(path, &files);
        if (err == 0)
                err = users_look(&files, &users);
        if (err < 0)
                return restoring_fail(r, err, "cannot see who has %s open: %s", path, strerror(-err));
        if (users.n) {
                users_describe(&users, who, sizeof(who));
                return restoring_fail(r, -EBUSY, "%s is open: stop %s first", path, who);
        }
        if (!r->exists)
                return 0;
        if (r->old_fd < 0) {
                r->old_fd = openat(r->dir, r->name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
                if (r->old_fd < 0)
                        return restoring_fail(r, -errno, "cannot open %s: %s", path, strerror(errno));
                err = users_lock_out(r->old_fd);
                if (err == -EBUSY)
                        return restoring_fail(r, err,
                                              "%s is in use: a process that is not visible here holds SQLite's "
                                              "locks on it",
                                              path);
                if (err < 0)
                        restoring_note(r, false,
                                       "this file system has no locks (%s): who opens the file during the "
                                       "restore is not kept out",
                                       strerror(-err));
                if (users_blind(&users))
                        restoring_note(r, false, "nobody was seen to have it open, but %s", users_blind(&users));
        }
        return 0;
}

/* What is replaced gives its space back afterwards: the reserve is not for those who repair. */
static int make_workdir(struct restoring *r)
{
        char need[TEXT_BYTES_LEN], available[TEXT_BYTES_LEN];
        struct space space;

        workdir_sweep(r->dir, NULL);
        int err = space_check(r->dir, r->item->manifest.bytes, &space);
        if ((err == 0 || err == -ENOSPC) && space.free < space.need) {
                text_bytes(need, space.need);
                text_bytes(available, space.free);
                return restoring_fail(r, -ENOSPC, "no space in %s: %s are needed, %s are free", r->dir_path, need,
                                      available);
        }
        err = workdir_new(r->dir, &r->work);
        return err < 0 ? restoring_fail(r, err, "cannot write to %s: %s", r->dir_path, strerror(-err)) : 0;
}

/* Whoever has opened the old main file since then works on a file without a name. Looked for are the inodes that we hold
 * ourselves: the number of one that is gone may already belong to a file of somebody else. */
static int look_for_late_openers(struct restoring *r)
{
        const int held[] = {r->old_fd, r->merged_fd};
        struct users_files files = {0};
        struct users users = {0};
        char who[200];

        for (size_t i = 0; i < sizeof(held) / sizeof(*held); i++)
                if (held[i] >= 0 && fstat(held[i], &files.st[files.n]) == 0)
                        files.n++;
        if (files.n == 0 || users_look(&files, &users) < 0 || users.n == 0)
                return 0;
        users_describe(&users, who, sizeof(who));
        restoring_note(r, true,
                       "opened the old file during the restore: %s. Restart it now: what it writes is lost", who);
        return 0;
}

static int (*const steps[])(struct restoring *r) = {
        find_item,        find_place,      look_at_place, refuse_open,    make_workdir,          restoring_copy,
        restoring_reread, restoring_check, refuse_open,   restoring_swap, look_for_late_openers,
};

int backup_restore(const struct restore_options *options, struct restore_result *ret)
{
        struct restoring r = {.options = options,
                              .result = ret,
                              .dir = -1,
                              .old_fd = -1,
                              .merged_fd = -1,
                              .new_fd = -1,
                              .work = WORKDIR_NONE};
        uint64_t start = clock_boottime_ns();
        int err = 0;

        *ret = (struct restore_result){.check = {.outcome = CHECK_SKIPPED, .method = "none", .on = "none"}};
        for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) && err == 0; i++)
                err = steps[i](&r);
        if (err < 0 && !ret->reason)
                restoring_fail(&r, err, "%s", strerror(-err));
        ret->done = err == 0;
        ret->replaced = ret->done && r.exists;
        ret->verified = ret->verified && ret->done;
        workdir_done(&r.work);
        cleanup_close_(&r.old_fd);
        cleanup_close_(&r.merged_fd);
        cleanup_close_(&r.new_fd);
        cleanup_close_(&r.dir);
        free(r.dir_path);
        free(r.name);
        backup_list_done(&r.list);
        ret->ms = (clock_boottime_ns() - start) / 1000000;
        return err;
}

void restore_result_done(struct restore_result *r)
{
        free(r->path);
        free(r->reason);
        for (size_t i = 0; i < r->n_notes; i++)
                free(r->notes[i]);
        check_result_done(&r->check);
        *r = (struct restore_result){0};
}

json_t *restore_json(const struct restore_options *options, const struct restore_result *r)
{
        json_t *notes = json_array();

        for (size_t i = 0; notes && i < r->n_notes; i++)
                json_array_append_new(notes, text_json(r->notes[i], strlen(r->notes[i])));
        json_t *o = json_pack(
                "{s:s, s:o, s:b, s:b, s:b, s:I, s:o, s:o, s:o, s:o, s:I}", "schema", "vigil.restore/1", "id",
                text_json(options->id, strlen(options->id)), "restored", r->done, "replaced", r->replaced,
                "verified", r->verified, "bytes", (json_int_t)r->bytes, "sha256",
                *r->sha256 ? json_string(r->sha256) : json_null(), "reason",
                r->reason ? text_json(r->reason, strlen(r->reason)) : json_null(), "notes", notes, "check",
                r->check.outcome == CHECK_SKIPPED ? json_null() : check_json(&r->check), "ms", (json_int_t)r->ms);
        if (o && (r->path ? text_json_set(o, "path", r->path, strlen(r->path))
                          : json_object_set_new(o, "path", json_null())) < 0) {
                json_decref(o);
                return NULL;
        }
        return o;
}
