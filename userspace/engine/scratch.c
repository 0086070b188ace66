/* scratch.c - private directories, and the sweeping of those whose maker died. */
#include "engine/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/cleanup.h"

#define PREFIX ".vigil-copy-"

/* A directory with more entries than this is not searched to its end: sweeping is a courtesy. */
#define SWEEP_MAX 100000

static const char *const inside[] = {SCRATCH_DB, SCRATCH_WAL, SCRATCH_JOURNAL, SCRATCH_SHM, NULL};

static void empty_and_remove(int parent, const char *name, int dir)
{
        for (const char *const *file = inside; *file; file++)
                unlinkat(dir, *file, 0);
        unlinkat(parent, name, AT_REMOVEDIR);
}

static bool is_ours(const char *name)
{
        return strncmp(name, PREFIX, strlen(PREFIX)) == 0 && strlen(name) == strlen(PREFIX) + 16 &&
               strspn(name + strlen(PREFIX), "0123456789abcdef") == 16;
}

/* @return descriptor of the directory with its lock taken, or -errno: -EWOULDBLOCK its maker lives */
static int lock_directory(int parent, const char *name)
{
        _cleanup_close_ int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;
        if (dir < 0 || flock(dir, LOCK_EX | LOCK_NB) < 0 || fstat(dir, &st) < 0)
                return -errno;
        /* Swept by somebody between its making and its locking. */
        return st.st_nlink == 0 ? -ENOENT : TAKE_FD(dir);
}

static void sweep(int parent)
{
        int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_closedir_ DIR *entries = fd < 0 ? NULL : fdopendir(fd);
        if (!entries) {
                cleanup_close_(&fd);
                return;
        }
        struct dirent *e;
        for (int i = 0; i < SWEEP_MAX && (e = readdir(entries)); i++) {
                struct stat st;
                if (!is_ours(e->d_name) || fstatat(parent, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                /* Root sweeps everybody's: it had given the directory to the owner of a database. */
                if (st.st_uid != geteuid() && geteuid() != 0)
                        continue;
                _cleanup_close_ int dir = lock_directory(parent, e->d_name);
                if (dir >= 0)
                        empty_and_remove(parent, e->d_name, dir);
        }
}

static int path_of(int dir, char **ret)
{
        char link[32], path[PATH_MAX];
        snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
        ssize_t n = readlink(link, path, sizeof(path));
        if (n < 0)
                return -errno;
        *ret = strndup(path, (size_t)n);
        return *ret ? 0 : -ENOMEM;
}

int scratch_make(int parent, struct scratch *ret)
{
        _cleanup_scratch_ struct scratch s = SCRATCH_NONE;
        s.parent = openat(parent, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (s.parent < 0)
                return -errno;
        sweep(parent);
        for (int attempt = 0; attempt < 16; attempt++) {
                uint64_t random;
                if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                        return -errno;
                snprintf(s.name, sizeof(s.name), PREFIX "%016" PRIx64, random);
                if (mkdirat(s.parent, s.name, 0700) < 0) {
                        if (errno == EEXIST)
                                continue;
                        return -errno;
                }
                s.dir = lock_directory(s.parent, s.name);
                if (s.dir >= 0) {
                        int err = path_of(s.dir, &s.path);
                        if (err < 0)
                                return err;
                        *ret = s;
                        s = (struct scratch)SCRATCH_NONE;
                        return 0;
                }
        }
        return -EEXIST;
}

int scratch_give(const struct scratch *s, uid_t uid, gid_t gid)
{
        if (geteuid() != 0)
                return 0;
        if (fchown(s->dir, uid, gid) < 0)
                return -errno;
        for (const char *const *file = inside; *file; file++)
                if (fchownat(s->dir, *file, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
                        return -errno;
        return 0;
}

int scratch_take_back(const struct scratch *s)
{
        return geteuid() == 0 && fchown(s->dir, 0, 0) < 0 ? -errno : 0;
}

int scratch_create(const struct scratch *s, const char *name)
{
        int fd = openat(s->dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        return fd < 0 ? -errno : fd;
}

void scratch_remove(struct scratch *s)
{
        if (s->dir >= 0)
                empty_and_remove(s->parent, s->name, s->dir);
        free(s->path);
        s->path = NULL;
        cleanup_close_(&s->dir);
        cleanup_close_(&s->parent);
}
