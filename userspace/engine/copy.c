/* copy.c - reflink, copy in the kernel, or read and write. */
#include "engine/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

/* Long enough to be fast, short enough to notice a deadline or a growing log between two. */
#define CHUNK (4u << 20)

int copy_reflink(int from, int to)
{
        return ioctl(to, FICLONE, from) < 0 ? -errno : 0;
}

/* @return bytes copied, 0 at the end of the file, -EOPNOTSUPP where the kernel cannot copy between these two, or -errno */
static ssize_t copy_in_kernel(int from, int to, uint64_t at, size_t n)
{
        loff_t in = (loff_t)at, out = (loff_t)at;
        ssize_t got;
        do
                got = copy_file_range(from, &in, to, &out, n, 0);
        while (got < 0 && errno == EINTR);
        if (got >= 0)
                return got;
        /* Other file systems or special files, an old kernel, a filter: all mean "not this way". */
        return errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EPERM ? -EOPNOTSUPP : -errno;
}

static ssize_t copy_by_hand(int from, int to, void *buffer, uint64_t at, size_t n)
{
        ssize_t got = io_pread_all(from, buffer, n, at);
        if (got <= 0)
                return got;
        int err = io_pwrite_all(to, buffer, (size_t)got, at);
        return err < 0 ? err : got;
}

/* Where the next byte is that is no hole, at most @p size. A file system that knows no holes has data everywhere. */
static uint64_t next_data(int from, uint64_t at, uint64_t size)
{
        off_t data = lseek(from, (off_t)at, SEEK_DATA);
        if (data < 0)
                return errno == ENXIO ? size : at;
        return (uint64_t)data < size ? (uint64_t)data : size;
}

/* A hole reaches to the end: it is made by the length of the file, and only where the file is still that long. */
static int64_t end_in_hole(int from, int to, uint64_t at, uint64_t size)
{
        struct stat st;
        if (fstat(from, &st) < 0)
                return -errno;
        uint64_t end = (uint64_t)st.st_size < size ? (uint64_t)st.st_size : size;
        if (end <= at)
                return (int64_t)at;
        return ftruncate(to, (off_t)end) < 0 ? -errno : (int64_t)end;
}

int64_t copy_bytes(int from, int to, uint64_t size, bool flush, copy_step step, void *userdata)
{
        _cleanup_free_ void *buffer = NULL;
        uint64_t at = 0;
        while (at < size) {
                uint64_t data = next_data(from, at, size);
                if (data == size)
                        return end_in_hole(from, to, at, size);
                at = data;
                size_t n = size - at < CHUNK ? (size_t)(size - at) : CHUNK;
                ssize_t got = buffer ? 0 : copy_in_kernel(from, to, at, n);
                /* Some kernels answer 0 for files that they cannot splice (procfs, FUSE): only a read proves the end. */
                if (!buffer && (got == -EOPNOTSUPP || got == 0)) {
                        buffer = malloc(CHUNK);
                        if (!buffer)
                                return -ENOMEM;
                }
                if (buffer)
                        got = copy_by_hand(from, to, buffer, at, n);
                if (got < 0)
                        return got;
                if (got == 0)
                        return (int64_t)at;
                if (flush)
                        sync_file_range(to, (off_t)at, got, SYNC_FILE_RANGE_WRITE);
                at += (uint64_t)got;
                int err = step(userdata, (uint64_t)got);
                if (err < 0)
                        return err;
        }
        return (int64_t)at;
}
