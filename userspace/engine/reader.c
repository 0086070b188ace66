/* reader.c - bytes from a descriptor or from memory. */
#include "engine/reader.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"

static ssize_t fd_pread(const struct reader *r, void *data, size_t n, uint64_t offset)
{
        return io_pread_all(r->fd, data, n, offset);
}

static ssize_t memory_pread(const struct reader *r, void *data, size_t n, uint64_t offset)
{
        if (offset >= r->size)
                return 0;
        if (n > r->size - offset)
                n = (size_t)(r->size - offset);
        memcpy(data, (const uint8_t *)r->bytes + offset, n);
        return (ssize_t)n;
}

int reader_of_fd(int fd, struct reader *ret)
{
        struct stat st;
        if (fstat(fd, &st) < 0)
                return -errno;
        *ret = (struct reader){.pread = fd_pread, .size = (uint64_t)st.st_size, .fd = fd};
        return 0;
}

struct reader reader_of_memory(const void *bytes, size_t n)
{
        return (struct reader){.pread = memory_pread, .size = n, .bytes = bytes, .fd = -1};
}

int reader_get(const struct reader *r, void *data, size_t n, uint64_t offset)
{
        ssize_t got = r->pread(r, data, n, offset);
        if (got < 0)
                return (int)got;
        return (size_t)got == n ? 0 : -ENODATA;
}
