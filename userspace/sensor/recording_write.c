/* recording_write.c - appends records to a file within a size limit. */
#include "sensor/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/io.h"

#define BUFFER      (128u * 1024)
#define RESERVE_MAX (1024u * 1024)
#define SIZE_MIN    (64u * 1024)

struct recording_writer {
        int fd;
        int dirfd;
        int failed;
        uint64_t max_size; /* 0: none */
        uint64_t size;
        uint64_t cut;
        size_t used;
        unsigned char buffer[BUFFER];
};

/* The directory is kept open: its sync makes the name durable. */
static int open_parent(const char *path)
{
        _cleanup_free_ char *dir = strdup(path);
        if (!dir)
                return -ENOMEM;
        char *slash = strrchr(dir, '/');
        if (slash)
                slash[slash == dir ? 1 : 0] = '\0';
        int fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* An existing file may only be replaced when nothing but a recording is lost with it. */
static int reuse(const char *path)
{
        _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return errno == ELOOP ? -EEXIST : -errno;
        struct stat st;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EEXIST;
        uint32_t magic = 0;
        ssize_t n = io_pread_all(fd, &magic, sizeof(magic), 0);
        if (n < 0)
                return (int)n;
        if (n > 0 && (n < (ssize_t)sizeof(magic) || magic != VIGIL_MAGIC))
                return -EEXIST;
        if (fchmod(fd, 0600) < 0 || ftruncate(fd, 0) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int recording_create(const char *path, uint64_t max_size, struct recording_writer **ret)
{
        if (max_size && max_size < SIZE_MIN)
                return -EINVAL;
        _cleanup_close_ int dirfd = open_parent(path);
        if (dirfd < 0)
                return dirfd;
        _cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 && errno != EEXIST)
                return -errno;
        if (fd < 0)
                fd = reuse(path);
        if (fd < 0)
                return fd;
        struct recording_writer *w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->fd = TAKE_FD(fd);
        w->dirfd = TAKE_FD(dirfd);
        w->max_size = max_size;
        *ret = w;
        return 0;
}

int recording_flush(struct recording_writer *w)
{
        if (w->failed || w->used == 0)
                return w->failed;
        w->failed = io_write_all(w->fd, w->buffer, w->used);
        w->used = 0;
        return w->failed;
}

static bool fits(const struct recording_writer *w, const struct vigil_hdr *h)
{
        if (!w->max_size)
                return true;
        uint64_t reserve = w->max_size / 8 < RESERVE_MAX ? w->max_size / 8 : RESERVE_MAX;
        uint64_t limit = h->cpu == VIGIL_CPU_USER ? w->max_size : w->max_size - reserve;
        /* Without its statistics and its end a recording could not say that it is incomplete: room for them is sacred. */
        if (h->type != VIGIL_STATS && h->type != VIGIL_END)
                limit -= sizeof(struct vigil_stats) + sizeof(struct vigil_end);
        return w->size + h->size <= limit;
}

static int put(struct recording_writer *w, const void *bytes, size_t n)
{
        if (w->used + n > sizeof(w->buffer)) {
                int r = recording_flush(w);
                if (r < 0)
                        return r;
        }
        memcpy(w->buffer + w->used, bytes, n);
        w->used += n;
        w->size += n;
        return 0;
}

int recording_append(struct recording_writer *w, const struct vigil_hdr *record)
{
        if (w->failed)
                return w->failed;
        if (record->magic != VIGIL_MAGIC || record->size < sizeof(*record) || record->size > RECORDING_RECORD_MAX)
                return -EBADMSG;
        if (!fits(w, record)) {
                w->cut++;
                return 0;
        }
        if (record->type != VIGIL_STATS || record->size != sizeof(struct vigil_stats))
                return put(w, record, record->size);
        struct vigil_stats s = *(const struct vigil_stats *)(const void *)record;
        s.cut += w->cut;
        return put(w, &s, sizeof(s));
}

uint64_t recording_cut(const struct recording_writer *w)
{
        return w->cut;
}

uint64_t recording_size(const struct recording_writer *w)
{
        return w->size;
}

uint64_t recording_stored(const struct recording_writer *w)
{
        struct stat st;

        return fstat(w->fd, &st) < 0 ? 0 : (uint64_t)st.st_size;
}

int recording_finish(struct recording_writer *w)
{
        int r = recording_flush(w);
        if (r < 0)
                return r;
        if (fsync(w->fd) < 0)
                return w->failed = -errno;
        /* Some file systems cannot sync a directory; the content is safe all the same. */
        if (fsync(w->dirfd) < 0 && errno != EINVAL && errno != ENOTSUP)
                return w->failed = -errno;
        return 0;
}

void recording_writer_free(struct recording_writer *w)
{
        if (!w)
                return;
        (void)recording_flush(w);
        close(w->fd);
        close(w->dirfd);
        free(w);
}
