/* snapshot.c - capture, recover, hash, sync, publish. */
#include "engine/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "engine/capture.h"
#include "engine/deadline.h"
#include "engine/hashing.h"
#include "engine/settle.h"

static int explain(struct snapshot_result *r, int err, const char *what)
{
        snprintf(r->reason, sizeof(r->reason), "%s: %s", what, strerror(-err));
        return err;
}

/* What stands in the private directory under @p name, as the one file that was created there: a worker was at work in it.
 * @return descriptor or -errno */
static int reclaim(const struct scratch *s, const char *name)
{
        _cleanup_close_ int fd = openat(s->dir, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        struct stat st;
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
                return -EUCLEAN;
        if (geteuid() == 0 && fchown(fd, 0, 0) < 0)
                return -errno;
        if (fchmod(fd, 0600) < 0)
                return -errno;
        return TAKE_FD(fd);
}

/* One copy on its way to be durable. */
struct finishing {
        uint64_t start; /* of the whole snapshot */
        bool no_sha256;
        struct snapshot_result *result;
};

/* The main file is hashed while its pages are in memory and the disk is busy with them. */
static int finish_main(struct finishing *f, int fd)
{
        struct snapshot_result *r = f->result;
        struct hashing hashing = {.fd = fd, .no_sha256 = f->no_sha256};
        struct stat st = {0};
        hashing_start(&hashing);
        int failed = fsync(fd) < 0 ? -errno : 0;
        r->durable_ms = (clock_boottime_ns() - f->start) / NS_PER_MS;
        int err = hashing_end(&hashing, r->sha256, r->fingerprint);
        if (failed < 0)
                return explain(r, failed, "cannot sync the copy");
        if (err == 0 && fstat(fd, &st) < 0)
                err = -errno;
        if (err < 0)
                return explain(r, err, "cannot read the copy back");
        r->bytes = (uint64_t)st.st_size;
        return 0;
}

static int make_durable(struct finishing *f, const struct scratch *s, const char *name)
{
        _cleanup_close_ int fd = reclaim(s, name);
        if (fd < 0)
                return explain(f->result, fd, "cannot take the copy back from its worker");
        if (strcmp(name, SCRATCH_DB) == 0)
                return finish_main(f, fd);
        return fsync(fd) < 0 ? explain(f->result, -errno, "cannot sync the copy") : 0;
}

static int move(const struct scratch *s, const char *from, int dirfd, const char *to)
{
        if (renameat2(s->dir, from, dirfd, to, RENAME_NOREPLACE) == 0)
                return 0;
        if (errno != EINVAL)
                return -errno;
        /* Not every file system knows the flag; a link never replaces either, and the directory goes with the old name. */
        return linkat(s->dir, from, dirfd, to, 0) < 0 ? -errno : 0;
}

/* Companions first: a main file without its log would look complete. */
static int publish(struct finishing *f, const struct scratch *s, int dirfd, const char *name)
{
        struct snapshot_result *ret = f->result;
        static const struct {
                const char *from, *suffix;
        } files[] = {{SCRATCH_WAL, "-wal"}, {SCRATCH_JOURNAL, "-journal"}, {SCRATCH_DB, ""}};
        char names[3][NAME_MAX + 1] = {0};
        int err = 0;
        for (size_t i = 0; i < 3 && err == 0; i++) {
                if (faccessat(s->dir, files[i].from, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
                        continue;
                err = make_durable(f, s, files[i].from);
                if (err == 0 && snprintf(names[i], sizeof(names[i]), "%s%s", name, files[i].suffix) >= NAME_MAX + 1)
                        err = explain(ret, -ENAMETOOLONG, name);
                if (err == 0) {
                        err = move(s, files[i].from, dirfd, names[i]);
                        if (err < 0)
                                explain(ret, err, names[i]);
                }
                if (err < 0)
                        names[i][0] = '\0';
        }
        for (size_t i = 0; i < 3 && err < 0; i++)
                if (names[i][0])
                        unlinkat(dirfd, names[i], 0);
        return err;
}

int snapshot_take(const char *path, int dirfd, const char *name, const struct snapshot_options *options,
                  struct snapshot_result *ret)
{
        struct capture capture;
        _cleanup_scratch_ struct scratch scratch = SCRATCH_NONE;
        struct finishing finishing = {.start = clock_boottime_ns(), .no_sha256 = options->no_sha256, .result = ret};
        uint64_t deadline = deadline_in(options->deadline_ms);
        *ret = (struct snapshot_result){.method = "none"};

        /* Asked early, so that nobody copies for minutes in vain; the rename asks again. */
        if (faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return explain(ret, -EEXIST, name);
        int err = scratch_make(dirfd, &scratch);
        if (err < 0)
                return explain(ret, err, "cannot make a private directory for the copy");
        err = capture_database(path, &scratch, options, true, deadline, &capture, ret);
        if (err == 0 && capture.must_recover && !options->raw)
                err = settle_copy(&scratch, &capture, deadline, ret->reason, sizeof(ret->reason));
        /* Taken back from the worker's user, who could put another file in its place otherwise. */
        if (err == 0 && (err = scratch_take_back(&scratch)) < 0)
                explain(ret, err, "cannot take the copy back from its worker");
        if (err == 0)
                err = publish(&finishing, &scratch, dirfd, name);
        if (err < 0) {
                ret->method = "none";
                ret->sha256[0] = '\0';
                ret->fingerprint[0] = '\0';
        }
        return err;
}
