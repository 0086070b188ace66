/* swap.c - one database in the place of another, so that no companion of the old one meets the new one. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "engine/snapshot.h"
#include "respond/publish.h"
#include "respond/restoring.h"

#define MERGED "merged.db"

/* In the order in which they go: the -shm is nothing without the -wal, and is made anew. */
static const char *const suffixes[] = {"-journal", "-wal", "-shm"};
enum { JOURNAL, WAL, SHM, COMPANIONS };

static int companion(const struct restoring *r, int which, char ret[300])
{
        return snprintf(ret, 300, "%s%s", r->name, suffixes[which]) < 300 ? 0 : -ENAMETOOLONG;
}

/* Bytes of a companion, -1: there is none, or -errno in *ret_err. */
static int64_t size_of(struct restoring *r, int which, int *ret_err)
{
        char name[300];
        struct stat st;

        *ret_err = companion(r, which, name);
        if (*ret_err < 0)
                return -1;
        if (fstatat(r->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                *ret_err = errno == ENOENT ? 0 : -errno;
                return -1;
        }
        if (S_ISDIR(st.st_mode))
                *ret_err = -EISDIR;
        return st.st_size;
}

static int sync_directory(struct restoring *r)
{
        return fsync(r->dir) < 0 ? restoring_fail(r, -errno, "cannot sync the directory: %s", strerror(errno)) : 0;
}

static int remove_companions(struct restoring *r)
{
        char name[300];

        for (int i = 0; i < COMPANIONS; i++) {
                int err = companion(r, i, name);
                if (err == 0 && unlinkat(r->dir, name, 0) < 0 && errno != ENOENT)
                        err = -errno;
                if (err < 0)
                        return restoring_fail(r, err, "cannot remove %s%s: %s", r->result->path, suffixes[i],
                                              strerror(-err));
        }
        /* Durable before the new file gets the name: after a power cut they must not meet either. */
        return sync_directory(r);
}

/* Companions without a main file: perhaps all that is left of a database. */
static int move_orphans(struct restoring *r)
{
        time_t now = time(NULL);
        char stamp[32];
        struct tm tm;

        gmtime_r(&now, &tm);
        strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
        for (int i = 0; i < COMPANIONS; i++) {
                char from[300], to[340];
                int err;
                int64_t size = size_of(r, i, &err);
                if (err == 0 && size > 0 && i != SHM) {
                        companion(r, i, from);
                        snprintf(to, sizeof(to), "%s.stale-%s%s", r->name, stamp, suffixes[i]);
                        err = publish_noreplace(r->dir, from, r->dir, to);
                        if (err == 0)
                                restoring_note(r, false, "%s%s was left of another database: moved to %s/%s",
                                               r->result->path, suffixes[i], r->dir_path, to);
                }
                if (err < 0)
                        return restoring_fail(r, err, "cannot move %s%s out of the way: %s", r->result->path,
                                              suffixes[i], strerror(-err));
        }
        return 0;
}

static int open_locked(struct restoring *r, const char *name, int *ret_fd)
{
        int fd = openat(r->work.fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        /* A file system without locks was told when the old file was locked. */
        int err = users_lock_out(fd);
        return err == -EBUSY ? err : 0;
}

/* The old database as one file: with its companions still beside it, it is the same database. */
static int merge(struct restoring *r)
{
        struct snapshot_options how = {.others_may_write = false};
        struct snapshot_result merged;

        int err = snapshot_take(r->result->path, r->work.fd, MERGED, &how, &merged);
        if (err == 0)
                err = open_locked(r, MERGED, &r->merged_fd);
        if (err == 0)
                err = restoring_own(r, r->merged_fd);
        if (err == 0 && renameat(r->work.fd, MERGED, r->dir, r->name) < 0)
                err = -errno;
        if (err < 0) {
                restoring_note(r, false, "the old database could not be made whole before it went: %s",
                               *merged.reason ? merged.reason : strerror(-err));
                return 0;
        }
        return sync_directory(r);
}

static int clear_companions(struct restoring *r)
{
        bool matter = false;

        for (int i = 0; i < COMPANIONS; i++) {
                int err;
                int64_t size = size_of(r, i, &err);
                if (err < 0)
                        return restoring_fail(r, err, "%s%s cannot be removed: %s", r->result->path, suffixes[i],
                                              strerror(-err));
                matter |= size > 0 && i != SHM;
        }
        int err = 0;
        if (matter && r->exists)
                err = merge(r);
        else if (matter && !r->options->force)
                err = move_orphans(r);
        return err == 0 ? remove_companions(r) : err;
}

int restoring_swap(struct restoring *r)
{
        int err = clear_companions(r);

        if (err == 0)
                err = open_locked(r, RESTORING_NEW, &r->new_fd);
        if (err < 0)
                return r->result->reason ? err
                                         : restoring_fail(r, err, "cannot lock the new file: %s", strerror(-err));
        if (!r->exists)
                err = publish_noreplace(r->work.fd, RESTORING_NEW, r->dir, r->name);
        else if (renameat(r->work.fd, RESTORING_NEW, r->dir, r->name) < 0)
                err = -errno;
        if (err == -EEXIST)
                return restoring_fail(r, err, "somebody made %s meanwhile: try again when it is not in use",
                                      r->result->path);
        if (err < 0)
                return restoring_fail(r, err, "cannot give the new file its name: %s", strerror(-err));
        if (fsync(r->dir) < 0)
                return restoring_fail(r, -errno,
                                      "the new file stands at %s, but the directory cannot be synced: %s; a "
                                      "power cut may bring the old one back",
                                      r->result->path, strerror(errno));
        return 0;
}
