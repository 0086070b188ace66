/* atomic.c - files that appear complete and durable, or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/io.h"

/* A name nobody else has: it must fit beside any NAME, so it does not contain it. */
static int temporary(int dirfd, mode_t mode, char *ret_name, size_t size)
{
        for (int attempt = 0; attempt < 16; attempt++) {
                uint64_t random;
                if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                        return -errno;
                snprintf(ret_name, size, ".vigil-%016" PRIx64 ".tmp", random);
                int fd = openat(dirfd, ret_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
                if (fd >= 0 || errno != EEXIST)
                        return fd < 0 ? -errno : fd;
        }
        return -EEXIST;
}

/* Everything up to the rename: after it returns 0, the content is on the disk under the temporary name. */
static int fill(int fd, const void *data, size_t n, mode_t mode)
{
        int r = io_write_all(fd, data, n);
        if (r < 0)
                return r;
        /* The umask of whoever started us has no say: a report may be secret. */
        if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
                return -errno;
        return 0;
}

static int replace_at(int dirfd, const char *name, const void *data, size_t n, mode_t mode)
{
        char tmp[64];
        _cleanup_close_ int fd = temporary(dirfd, mode & 0700, tmp, sizeof(tmp));
        if (fd < 0)
                return fd;
        int r = fill(fd, data, n, mode);
        if (r == 0 && renameat(dirfd, tmp, dirfd, name) < 0)
                r = -errno;
        if (r < 0) {
                unlinkat(dirfd, tmp, 0);
                return r;
        }
        /* The name is durable only with its directory; a file system that cannot sync one has no stronger promise. */
        if (fsync(dirfd) < 0 && errno != EINVAL && errno != EOPNOTSUPP)
                return -errno;
        return 0;
}

/* Terminals, pipes and /dev/null are written to: a rename would put a regular file in their place. */
static int write_special(const char *path, const void *data, size_t n)
{
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;
        return io_write_all(fd, data, n);
}

int io_write_file_atomic(const char *path, const void *data, size_t n, mode_t mode)
{
        struct stat st;
        _cleanup_free_ char *real = NULL;
        if (stat(path, &st) == 0) {
                if (S_ISDIR(st.st_mode))
                        return -EISDIR;
                if (!S_ISREG(st.st_mode))
                        return write_special(path, data, n);
                /* Replace what a symbolic link stands for, not the link: it may be /dev/stdout. */
                real = realpath(path, NULL);
                if (!real)
                        return -errno;
                path = real;
        }

        const char *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path;
        if (!*name)
                return *path ? -EISDIR : -ENOENT;
        _cleanup_free_ char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
        if (!dir)
                return -ENOMEM;
        _cleanup_close_ int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dirfd < 0)
                return -errno;
        return replace_at(dirfd, name, data, n, mode);
}
