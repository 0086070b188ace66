#include "respond/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

/* A wal-index has 32 KiB per 4096 frames: this is one of 2 million frames. More is not one. */
#define SHM_MAX ((size_t)16 << 20)

int shm_keep(const char *source, int dirfd, const char *name)
{
        _cleanup_free_ char *path = NULL, *bytes = malloc(SHM_MAX);
        struct stat st;

        if (!bytes || asprintf(&path, "%s-shm", source) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        _cleanup_close_ int from = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (from < 0)
                return errno == ENOENT ? 0 : -errno;
        if (fstat(from, &st) < 0 || !S_ISREG(st.st_mode))
                return -EINVAL;
        ssize_t n = io_pread_all(from, bytes, SHM_MAX, 0);
        if (n < 0)
                return (int)n;
        _cleanup_close_ int to = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (to < 0)
                return -errno;
        return io_write_all(to, bytes, (size_t)n);
}
