#include "respond/workdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define LOCK_NAME "lock"
#define ATTEMPTS  16
#define DEPTH_MAX 4 /* an evidence directory lies one below; deeper than this nothing of ours goes */

/* Ours is ".vigil-" digits "-" 8 hex digits, exactly. */
static bool is_workdir_name(const char *name)
{
        const char *p = name;

        if (strncmp(p, ".vigil-", 7) != 0)
                return false;
        p += 7;
        size_t digits = strspn(p, "0123456789");
        if (digits == 0 || p[digits] != '-')
                return false;
        p += digits + 1;
        return strspn(p, "0123456789abcdef") == 8 && p[8] == '\0';
}

/* The name must still lead to the directory that fd is: a sweeper may have taken it before it was locked. */
static bool still_there(int parent, const char *name, int fd)
{
        struct stat by_name, by_fd;

        return fstatat(parent, name, &by_name, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &by_fd) == 0 &&
               by_name.st_dev == by_fd.st_dev && by_name.st_ino == by_fd.st_ino;
}

static int try_new(int parent, struct workdir *ret)
{
        struct workdir w = {.parent = parent, .fd = -1, .lock = -1};
        unsigned random;

        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                return -EIO;
        snprintf(w.name, sizeof(w.name), ".vigil-%d-%08x", (int)getpid(), random);
        if (mkdirat(parent, w.name, 0700) < 0)
                return errno == EEXIST ? -EAGAIN : -errno;

        _cleanup_close_ int fd = openat(parent, w.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? -EAGAIN : -errno;
        _cleanup_close_ int lock = openat(fd, LOCK_NAME, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (lock < 0) {
                int r = errno == ENOENT || errno == EEXIST ? -EAGAIN : -errno;
                if (r != -EAGAIN)
                        unlinkat(parent, w.name, AT_REMOVEDIR);
                return r;
        }
        if (flock(lock, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EAGAIN : -errno;
        if (!still_there(parent, w.name, fd))
                return -EAGAIN;
        w.fd = TAKE_FD(fd);
        w.lock = TAKE_FD(lock);
        *ret = w;
        return 0;
}

int workdir_new(int parent, struct workdir *ret)
{
        int r = -EAGAIN;

        for (int i = 0; i < ATTEMPTS && r == -EAGAIN; i++)
                r = try_new(parent, ret);
        return r;
}

/* Empties a directory without following anything; keep is left for last by the caller. */
static void remove_content(int dir, const char *keep, int depth)
{
        int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_closedir_ DIR *stream = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *e;

        if (!stream)
                return;
        while ((e = readdir(stream))) {
                if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
                    (keep && strcmp(e->d_name, keep) == 0))
                        continue;
                if (unlinkat(dir, e->d_name, 0) == 0 || (errno != EISDIR && errno != EPERM) || depth == 0)
                        continue;
                _cleanup_close_ int sub = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (sub < 0)
                        continue;
                remove_content(sub, NULL, depth - 1);
                unlinkat(dir, e->d_name, AT_REMOVEDIR);
        }
}

/* The lock goes last: as long as it is there, the next sweep knows what to do with the rest. */
static int remove_workdir(int parent, const char *name, int fd)
{
        remove_content(fd, LOCK_NAME, DEPTH_MAX);
        unlinkat(fd, LOCK_NAME, 0);
        return unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

void workdir_done(struct workdir *w)
{
        if (w->fd >= 0) {
                remove_workdir(w->parent, w->name, w->fd);
                close(w->fd);
        }
        if (w->lock >= 0)
                close(w->lock);
        *w = WORKDIR_NONE;
}

/* True when it was left by a dead run and is gone now. */
static bool sweep_one(int parent, const char *name, void (*finish)(int parent, int workdir))
{
        struct stat st;
        _cleanup_close_ int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid())
                return false;
        /* Made here when it is missing: its owner died before, or a sweeper died after. A living owner notices. */
        _cleanup_close_ int lock = openat(fd, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0)
                return false;
        if (finish)
                finish(parent, fd);
        return remove_workdir(parent, name, fd) == 0;
}

int workdir_sweep(int parent, void (*finish)(int parent, int workdir))
{
        int swept = 0;
        int copy = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (copy < 0)
                return -errno;
        _cleanup_closedir_ DIR *stream = fdopendir(copy);
        if (!stream) {
                int r = -errno;
                close(copy);
                return r;
        }
        struct dirent *e;
        while ((e = readdir(stream)))
                if (is_workdir_name(e->d_name) && sweep_one(parent, e->d_name, finish))
                        swept++;
        return swept;
}
