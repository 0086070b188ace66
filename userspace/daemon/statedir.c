/* statedir.c - see statedir.h. */
#include "daemon/statedir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "sensor/procinfo.h"

#define LOCK_NAME  "lock"
#define PROBE_NAME ".vigil-try"
#define HOLDER_LEN 64

/* Less than the unit has for a start. */
#define LOCK_WAIT_NS 60000000000ull
/* After so long it is said. */
#define LOCK_TELL_NS 2000000000ull

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

/* Who has taken the lock: pid and start, since a number alone may be another process's by now. */
struct holder {
        uint32_t pid;   /* 0: nobody can be named */
        uint64_t ticks; /* as procinfo_stat has it; 0: not known */
};

static struct holder read_holder(const struct statedir *s)
{
        char text[HOLDER_LEN] = "";
        struct holder h = {0};

        if (io_pread_all(s->lock, text, sizeof(text) - 1, 0) > 0)
                (void)sscanf(text, "%" SCNu32 " %" SCNu64, &h.pid, &h.ticks); /* what is no number stays 0 */
        return h;
}

static int write_holder(const struct statedir *s)
{
        struct procinfo_stat self = {0};
        char text[HOLDER_LEN];

        (void)procinfo_stat((uint32_t)getpid(), &self); /* where /proc does not tell, the pid stands alone */
        int n = snprintf(text, sizeof(text), "%d %" PRIu64 "\n", getpid(), self.ticks);
        return ftruncate(s->lock, 0) < 0 ? -errno : io_pwrite_all(s->lock, text, (size_t)n, 0);
}

/* Where that cannot be told, it is: a second daemon would be worse than none. */
static bool is_alive(const struct holder *h)
{
        struct procinfo_stat now;
        int r = h->pid ? procinfo_stat(h->pid, &now) : -ENODATA;

        if (r < 0)
                return r != -ESRCH;
        return !procinfo_is_over(&now) && (!h->ticks || now.ticks == h->ticks);
}

/* A daemon that was killed leaves children that hold its lock until they have noticed, or written what they were about to write: a
 * moment, unless the disk hangs. */
static int wait_for_lock(const struct statedir *s, struct holder *ret)
{
        uint64_t began = clock_boottime_ns(), waited = 0;
        bool told = false;

        for (;;) {
                if (flock(s->lock, LOCK_EX | LOCK_NB) == 0)
                        return 0;
                if (errno != EWOULDBLOCK)
                        return -errno;
                *ret = read_holder(s);
                bool alive = is_alive(ret);
                waited = clock_boottime_ns() - began;
                if (alive || waited > LOCK_WAIT_NS)
                        return alive ? -EWOULDBLOCK : -ETIME;
                if (waited > LOCK_TELL_NS && !told)
                        log_warn("state directory %s: a child of the last run (pid %" PRIu32
                                 ") still writes there, and its disk may hang: waiting for it",
                                 s->path, ret->pid);
                told = waited > LOCK_TELL_NS;
                usleep(20000);
        }
}

static int take_lock(struct statedir *s, char *why)
{
        struct holder h = {0};
        char who[24] = "";

        s->lock = openat(s->dirfd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (s->lock < 0)
                return explain(-errno, s->path, "cannot open its lock", why);
        int r = wait_for_lock(s, &h);
        if (r < 0 && r != -EWOULDBLOCK && r != -ETIME)
                return explain(r, s->path, "cannot lock it", why);
        if (h.pid)
                snprintf(who, sizeof(who), " (pid %" PRIu32 ")", h.pid);
        if (r == -ETIME)
                snprintf(why, STATEDIR_WHY_LEN,
                         "state directory %.150s: a child of the last run%s still writes there: its disk hangs; "
                         "start again when it answers",
                         s->path, who);
        if (r == -EWOULDBLOCK)
                snprintf(why, STATEDIR_WHY_LEN,
                         "state directory %.150s: another vigil run%s uses it; stop that one, or name another with "
                         "--state-dir",
                         s->path, who);
        if (r < 0)
                return r;
        /* For people, for the message above and for who waits; the lock itself is what counts. */
        r = write_holder(s);
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
