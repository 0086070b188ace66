/* statedir.c - see statedir.h. */
#include "daemon/statedir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

#define LOCK_NAME  "lock"
#define PROBE_NAME ".vigil-try"

/* ---- what is wrong, in words ---- */

static int explain(int r, const char *path, const char *what, char *why)
{
        const char *help = r == -EROFS    ? "; mount it writable, or name another with --state-dir"
                           : r == -ENOSPC ? "; make room there, or name another with --state-dir"
                           : r == -ENOENT ? "; make the directory above it first"
                           : r == -EACCES ? "; run as root, or name another with --state-dir"
                                          : "";
        snprintf(why, STATEDIR_WHY_LEN, "state directory %.150s: %s: %s%s", path, what, strerror(-r), help);
        return r;
}

/* ---- steps ---- */

/* Whoever may write there could put a database of his own in the place of ours. */
static int check_owner(int fd, const char *path, char *why)
{
        struct stat st;

        if (fstat(fd, &st) < 0)
                return explain(-errno, path, "cannot look at it", why);
        if (st.st_uid != geteuid()) {
                snprintf(why, STATEDIR_WHY_LEN,
                         "state directory %.150s: it belongs to uid %u and not to us (uid %u); give it over "
                         "(chown), "
                         "or name another with --state-dir",
                         path, st.st_uid, geteuid());
                return -EPERM;
        }
        if (st.st_mode & (S_IWGRP | S_IWOTH)) {
                snprintf(why, STATEDIR_WHY_LEN,
                         "state directory %.150s: others may write in it (mode %04o); chmod go-w it, or name "
                         "another "
                         "with --state-dir",
                         path, st.st_mode & 07777);
                return -EPERM;
        }
        return 0;
}

static int take_lock(struct statedir *s, char *why)
{
        s->lock = openat(s->dirfd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (s->lock < 0)
                return explain(-errno, s->path, "cannot open its lock", why);
        if (flock(s->lock, LOCK_EX | LOCK_NB) < 0) {
                int r = -errno;
                if (r != -EWOULDBLOCK)
                        return explain(r, s->path, "cannot lock it", why);
                char pid[24] = "";
                if (io_pread_all(s->lock, pid, sizeof(pid) - 1, 0) > 0)
                        pid[strcspn(pid, "\n")] = 0;
                snprintf(why, STATEDIR_WHY_LEN,
                         "state directory %.150s: another vigil run%s%s%s uses it; stop that one, or name another "
                         "with "
                         "--state-dir",
                         s->path, *pid ? " (pid " : "", pid, *pid ? ")" : "");
                return r;
        }
        /* For people and for the message above; nothing depends on it. */
        char text[24];
        int n = snprintf(text, sizeof(text), "%d\n", getpid());
        if (ftruncate(s->lock, 0) < 0)
                return explain(-errno, s->path, "cannot write its lock", why);
        int r = io_pwrite_all(s->lock, text, (size_t)n, 0);
        return r < 0 ? explain(r, s->path, "cannot write its lock", why) : 0;
}

/* A file system that is full or read-only is better told of now than at the first incident. */
static int try_writing(const struct statedir *s, char *why)
{
        static const char page[4096];
        _cleanup_close_ int fd = openat(s->dirfd, PROBE_NAME, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                                        0600);
        int r = fd < 0 ? -errno : io_write_all(fd, page, sizeof(page));

        if (r == 0 && fsync(fd) < 0)
                r = -errno;
        if (fd >= 0)
                unlinkat(s->dirfd, PROBE_NAME, 0);
        return r < 0 ? explain(r, s->path, "cannot write in it", why) : 0;
}

int statedir_open(const char *path, struct statedir *ret, char why[STATEDIR_WHY_LEN])
{
        struct statedir s = STATEDIR_NONE;

        why[0] = 0;
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
                return explain(-errno, path, "cannot make it", why);
        if (!realpath(path, s.path))
                return explain(-errno, path, "cannot reach it", why);
        s.dirfd = open(s.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (s.dirfd < 0)
                return explain(-errno, path, "cannot open it", why);
        int r = check_owner(s.dirfd, s.path, why);
        if (r == 0)
                r = take_lock(&s, why);
        if (r == 0)
                r = try_writing(&s, why);
        if (r == 0 && ((r = statedir_make(&s, "backups")) < 0 || (r = statedir_make(&s, "evidence")) < 0))
                explain(r, s.path, "cannot make a directory in it", why);
        if (r < 0)
                statedir_close(&s);
        else
                *ret = s;
        return r;
}

void statedir_close(struct statedir *s)
{
        if (s->lock >= 0)
                close(TAKE_FD(s->lock));
        if (s->dirfd >= 0)
                close(TAKE_FD(s->dirfd));
}

int statedir_make(const struct statedir *s, const char *name)
{
        return mkdirat(s->dirfd, name, 0700) < 0 && errno != EEXIST ? -errno : 0;
}
