/* lockdir.c - see lockdir.h. */
#include "base/lockdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define DIGITS 16

/* A directory with more entries than this is not searched to its end: sweeping is a courtesy. */
#define SWEEP_MAX 100000

static void empty_and_remove(int parent, const char *name, int dir, const struct lockdir_kind *kind)
{
        for (const char *const *file = kind->inside; *file; file++)
                if (unlinkat(dir, *file, 0) < 0 && errno == EISDIR)
                        unlinkat(dir, *file, AT_REMOVEDIR);
        unlinkat(parent, name, AT_REMOVEDIR);
}

static bool is_one(const char *name, const struct lockdir_kind *kind)
{
        size_t n = strlen(kind->prefix);

        return strncmp(name, kind->prefix, n) == 0 && strlen(name) == n + DIGITS &&
               strspn(name + n, "0123456789abcdef") == DIGITS;
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

static void sweep(int parent, const struct lockdir_kind *kind)
{
        int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_closedir_ DIR *entries = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *e;

        if (!entries) {
                cleanup_close_(&fd);
                return;
        }
        for (int i = 0; i < SWEEP_MAX && (e = readdir(entries)); i++) {
                struct stat st;
                if (!is_one(e->d_name, kind) || fstatat(parent, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                /* Root may have given it to the owner of a database. */
                if (st.st_uid != geteuid() && geteuid() != 0)
                        continue;
                _cleanup_close_ int dir = lock_directory(parent, e->d_name);
                if (dir >= 0)
                        empty_and_remove(parent, e->d_name, dir, kind);
        }
}

/* One attempt. @return 0; -EEXIST: the name is taken, or somebody sweeps it away; or -errno */
static int make_one(struct lockdir *l, const struct lockdir_kind *kind)
{
        uint64_t random;

        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                return -errno;
        snprintf(l->name, sizeof(l->name), "%s%016" PRIx64, kind->prefix, random);
        if (mkdirat(l->parent, l->name, 0700) < 0)
                return -errno;
        int dir = lock_directory(l->parent, l->name);
        if (dir == -ENOENT || dir == -EWOULDBLOCK)
                return -EEXIST;
        if (dir < 0) {
                unlinkat(l->parent, l->name, AT_REMOVEDIR);
                return dir;
        }
        l->dir = dir;
        return 0;
}

int lockdir_make(int parent, const struct lockdir_kind *kind, struct lockdir *ret)
{
        struct lockdir l = LOCKDIR_NONE;
        int r = -EEXIST;

        l.parent = openat(parent, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (l.parent < 0)
                return -errno;
        sweep(parent, kind);
        for (int attempt = 0; attempt < 16 && r == -EEXIST; attempt++)
                r = make_one(&l, kind);
        if (r < 0) {
                cleanup_close_(&l.parent);
                return r;
        }
        *ret = l;
        return 0;
}

void lockdir_remove(struct lockdir *l, const struct lockdir_kind *kind)
{
        if (l->dir >= 0)
                empty_and_remove(l->parent, l->name, l->dir, kind);
        cleanup_close_(&l->dir);
        cleanup_close_(&l->parent);
        *l = (struct lockdir)LOCKDIR_NONE;
}
