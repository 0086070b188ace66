/* io.c - whole reads and writes. */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

int io_write_all(int fd, const void *data, size_t n)
{
        const char *p = data;
        while (n > 0) {
                ssize_t written = write(fd, p, n);
                if (written < 0 && errno == EINTR)
                        continue;
                if (written < 0)
                        return -errno;
                p += written;
                n -= (size_t)written;
        }
        return 0;
}

int io_pwrite_all(int fd, const void *data, size_t n, uint64_t offset)
{
        const char *p = data;
        while (n > 0) {
                if (offset > INT64_MAX)
                        return -EFBIG;
                ssize_t written = pwrite(fd, p, n, (off_t)offset);
                if (written < 0 && errno == EINTR)
                        continue;
                if (written < 0)
                        return -errno;
                p += written;
                n -= (size_t)written;
                offset += (size_t)written;
        }
        return 0;
}

ssize_t io_pread_all(int fd, void *data, size_t n, uint64_t offset)
{
        size_t done = 0;
        if (n > SSIZE_MAX || offset > (uint64_t)INT64_MAX - n)
                return -EOVERFLOW;
        while (done < n) {
                ssize_t got = pread(fd, (char *)data + done, n - done, (off_t)(offset + done));
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                if (got == 0)
                        break;
                done += (size_t)got;
        }
        return (ssize_t)done;
}

/* Reads to the end of @p fd into a buffer that doubles: procfs says size 0, and a file may grow while it is read. */
static int read_to_end(int fd, size_t limit, char **ret_data, size_t *ret_size)
{
        _cleanup_free_ char *data = NULL;
        size_t size = 0, room = 0;
        for (;;) {
                if (room - size < 2) {
                        room = room ? room * 2 : 4096;
                        char *grown = realloc(data, room);
                        if (!grown)
                                return -ENOMEM;
                        data = grown;
                }
                ssize_t got = read(fd, data + size, room - size - 1);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                if (got == 0)
                        break;
                size += (size_t)got;
                if (size > limit)
                        return -EFBIG;
        }
        data[size] = '\0';
        *ret_data = TAKE_PTR(data);
        if (ret_size)
                *ret_size = size;
        return 0;
}

int io_read_file(const char *path, size_t limit, char **ret_data, size_t *ret_size)
{
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;
        return read_to_end(fd, limit, ret_data, ret_size);
}

int io_read_regular_file(const char *path, size_t limit, char **ret_data, size_t *ret_size)
{
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        struct stat st;
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        return S_ISREG(st.st_mode) ? read_to_end(fd, limit, ret_data, ret_size) : -EINVAL;
}
