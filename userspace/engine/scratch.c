/* scratch.c - see scratch.h. */
#include "engine/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

static const char *const inside[] = {SCRATCH_DB, SCRATCH_WAL, SCRATCH_JOURNAL, SCRATCH_SHM, NULL};
static const struct lockdir_kind copies = {.prefix = ".vigil-copy-", .inside = inside};

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
        struct lockdir l = LOCKDIR_NONE;
        char *path = NULL;
        int err = lockdir_make(parent, &copies, &l);

        if (err == 0)
                err = path_of(l.dir, &path);
        if (err < 0) {
                lockdir_remove(&l, &copies);
                return err;
        }
        *ret = (struct scratch){.parent = l.parent, .dir = l.dir, .path = path};
        memcpy(ret->name, l.name, sizeof(ret->name));
        return 0;
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
        struct lockdir l = {.parent = s->parent, .dir = s->dir};

        memcpy(l.name, s->name, sizeof(l.name));
        lockdir_remove(&l, &copies);
        free(s->path);
        *s = (struct scratch)SCRATCH_NONE;
}
