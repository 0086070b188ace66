/* moment.c - see moment.h. */
#include "engine/moment.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "engine/engine.h"
#include "engine/files.h"
#include "engine/shm.h"

struct file_moment file_moment_of(const struct stat *st)
{
        return (struct file_moment){.dev = st->st_dev,
                                    .ino = st->st_ino,
                                    .size = st->st_size,
                                    .mtime = st->st_mtim,
                                    .ctime = st->st_ctim};
}

static bool same_time(struct timespec a, struct timespec b)
{
        return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool file_moment_same(const struct file_moment *a, const struct file_moment *b)
{
        return a->dev == b->dev && a->ino == b->ino && a->size == b->size && same_time(a->mtime, b->mtime) &&
               same_time(a->ctime, b->ctime);
}

bool moment_same(const struct moment *a, const struct moment *b)
{
        return file_moment_same(&a->main, &b->main) && file_moment_same(&a->wal, &b->wal) &&
               memcmp(a->header, b->header, sizeof(a->header)) == 0 &&
               memcmp(a->index, b->index, sizeof(a->index)) == 0;
}

/* The first @n bytes, if they need not be waited for. A file in memory has no other bytes than those; there the kernel refuses to be
 * asked so. @return 0, or -errno */
static int read_at_once(int fd, void *ret, size_t n)
{
        const struct iovec to = {.iov_base = ret, .iov_len = n};
        struct statfs fs;
        ssize_t got = preadv2(fd, &to, 1, 0, RWF_NOWAIT);

        if (got < 0 && errno == EOPNOTSUPP && fstatfs(fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC)
                got = pread(fd, ret, n, 0);
        if (got < 0)
                return -errno;
        return (size_t)got == n ? 0 : -EAGAIN;
}

/* The log counts: what a reader sees of it says its index. */
static int take_log(const struct engine_files *f, struct moment *m)
{
        unsigned char header[SHM_HEADER_LEN];
        struct shm_info shm;

        if (f->fd[VIGIL_ROLE_SHM] < 0) /* somebody keeps it to himself, or died: it is copied to be read */
                return -EOPNOTSUPP;
        int r = read_at_once(f->fd[VIGIL_ROLE_SHM], header, sizeof(header));
        if (r < 0)
                return r;
        r = shm_parse(header, sizeof(header), &shm);
        if (r < 0 || !shm.initialized || !shm.consistent)
                return -EAGAIN;
        memcpy(m->index, header, sizeof(m->index));
        return 0;
}

int moment_take(const char *path, struct moment *ret)
{
        _cleanup_files_ struct engine_files f = ENGINE_NO_FILES;
        struct sqlite_header header = {0};
        struct stat wal = {0};
        struct moment m = {0};
        int r = engine_files_open(path, engine_sqlite.companions, &f);

        if (r == 0 && f.fd[VIGIL_ROLE_MAIN] < 0)
                r = -ENOENT;
        if (r == 0)
                r = read_at_once(f.fd[VIGIL_ROLE_MAIN], m.header, sizeof(m.header));
        if (r == 0 && sqlite_header_parse(m.header, sizeof(m.header), &header) < 0)
                r = -EOPNOTSUPP;
        if (r < 0)
                return r;
        if (f.fd[VIGIL_ROLE_WAL] >= 0 && fstat(f.fd[VIGIL_ROLE_WAL], &wal) < 0)
                return -errno;
        if (engine_may_hide_a_write(&f.main_stat, f.main_now) ||
            (wal.st_ino && engine_may_hide_a_write(&wal, f.main_now)))
                return -EAGAIN;
        m.main = file_moment_of(&f.main_stat);
        m.wal = file_moment_of(&wal);
        m.wal.ctime =
                m.wal.mtime; /* SQLite as root gives each log that it opens its owner anew, a reader of ours, too */
        if (header.wal && wal.st_size > 0)
                r = take_log(&f, &m);
        if (r == 0)
                *ret = m;
        return r;
}
