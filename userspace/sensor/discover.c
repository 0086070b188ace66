/* discover.c - see discover.h: from processes to files to databases. */
#include "sensor/discover.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "sensor/discover_private.h"

/* ---- what has been looked at ---- */

static struct seen *slot_of(const struct walk *w, dev_t dev, ino_t ino)
{
        size_t i = (size_t)((dev * 0x9e3779b97f4a7c15u) ^ (ino * 0xff51afd7ed558ccdu)) % SEEN_PLACES;

        while (w->seen[i].what != SEEN_NOTHING && (w->seen[i].dev != dev || w->seen[i].ino != ino))
                i = (i + 1) % SEEN_PLACES;
        return &w->seen[i];
}

/* What is known of the file, read once. When there is no more room it is read each time. */
static struct seen look_at(struct walk *w, const struct open_file *f)
{
        struct seen *s = slot_of(w, f->dev, f->ino), fresh = {.dev = f->dev, .ino = f->ino};

        if (s->what != SEEN_NOTHING)
                return *s;
        fresh.what = discover_header(w, f);
        w->out->unread += fresh.what == SEEN_UNREAD;
        if (w->nseen < SEEN_PLACES - SEEN_PLACES / 8) {
                *s = fresh;
                w->nseen++;
        }
        return fresh;
}

/* ---- companions ---- */

static const char *const companions[] = {"-wal", "-shm", "-journal"};

/* Which one it is of; -1: none. */
static int companion_of(const char *text)
{
        size_t n = strlen(text);

        for (int i = 0; i < 3; i++) {
                size_t m = strlen(companions[i]);
                if (n > m && strcmp(text + n - m, companions[i]) == 0)
                        return i;
        }
        return -1;
}

static void remember_companion(struct process *p, const char *text)
{
        if (companion_of(text) >= 0 && p->ncompanions < COMPANIONS_KEPT &&
            (p->companion[p->ncompanions] = strdup(text)))
                p->ncompanions++;
}

/* What the companions say that the same process has open; NULL: it has none. */
static const char *mode_by_companions(const struct process *p, const char *text)
{
        size_t n = strlen(text);
        const char *mode = NULL;

        for (size_t i = 0; i < p->ncompanions; i++) {
                const char *c = p->companion[i];
                if (strncmp(c, text, n) != 0)
                        continue;
                if (!strcmp(c + n, "-wal") || !strcmp(c + n, "-shm"))
                        return "wal";
                if (!strcmp(c + n, "-journal"))
                        mode = "rollback";
        }
        return mode;
}

/* ---- one open file ---- */

/* Where the descriptor leads, "" when that is no path. */
static void read_link(int fds, const char *fd, char ret[PATH_MAX])
{
        ssize_t n = readlinkat(fds, fd, ret, PATH_MAX - 1);

        ret[n > 0 ? n : 0] = '\0';
        if (*ret != '/')
                *ret = '\0';
}

/* Without asking a server: a dead network file system must not hold us. */
static bool is_regular(int fds, const char *fd, struct open_file *ret)
{
        struct statx x;

        if (statx(fds, fd, AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &x) < 0 || !S_ISREG(x.stx_mode))
                return false;
        ret->dev = makedev(x.stx_dev_major, x.stx_dev_minor);
        ret->ino = x.stx_ino;
        ret->bytes = x.stx_size;
        ret->deleted = x.stx_nlink == 0;
        return true;
}

/* How it was opened, and on which mount. */
static bool read_info(const struct process *p, struct open_file *f)
{
        _cleanup_free_ char *info = NULL;
        char path[64];

        snprintf(path, sizeof(path), "/proc/self/fd/%d/fdinfo/%.16s", p->dir, f->fd);
        if (io_read_file(path, 1 << 16, &info, NULL) < 0)
                return false;
        const char *flags = strstr(info, "flags:"), *mount = strstr(info, "mnt_id:");
        unsigned long how = flags ? strtoul(flags + 6, NULL, 8) : O_PATH;
        f->writable = (how & O_ACCMODE) != O_RDONLY;
        f->mount = mount ? (int)strtol(mount + 7, NULL, 10) : -1;
        return !(how & O_PATH);
}

static int take_file(struct walk *w, struct process *p, struct open_file *f)
{
        struct seen known = look_at(w, f);
        const char *mode = known.what == SEEN_WAL        ? "wal"
                           : known.what == SEEN_ROLLBACK ? "rollback"
                           : known.what == SEEN_OWN      ? NULL
                                                         : mode_by_companions(p, f->text);

        if (!mode || !read_info(p, f))
                return 0;
        return discover_add(w, p, f, mode);
}

/* ---- one process ---- */

/* Files of the process, twice: companions must be known before the files that they belong to. */
static int look_through(struct walk *w, struct process *p, DIR *fds)
{
        int r = 0;

        for (int pass = 0; pass < 2; pass++) {
                rewinddir(fds);
                for (struct dirent *e; r == 0 && (e = readdir(fds));) {
                        char text[PATH_MAX];
                        struct open_file f = {.fds = dirfd(fds), .fd = e->d_name, .text = text};
                        if (!isdigit((unsigned char)*e->d_name))
                                continue;
                        read_link(f.fds, f.fd, text);
                        if (*text && pass == 0)
                                remember_companion(p, text);
                        else if (*text && companion_of(text) < 0 && is_regular(f.fds, f.fd, &f))
                                r = take_file(w, p, &f);
                }
        }
        return r;
}

static bool is_ours(const struct walk *w, const struct process *p)
{
        struct stat st;

        return fstatat(p->dir, "exe", &st, 0) == 0 && st.st_dev == w->own_dev && st.st_ino == w->own_ino;
}

/* A process whose first thread has ended shows no files there, though its other threads have them. */
static DIR *open_files(const struct process *p, const char *pid)
{
        char path[64];
        DIR *fds = NULL;
        int fd = openat(p->dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd >= 0 && !(fds = fdopendir(fd)))
                close(fd);
        for (struct dirent *e; fds && (e = readdir(fds));)
                if (isdigit((unsigned char)*e->d_name))
                        return fds;
        if (!fds)
                return NULL;
        int tasks = openat(p->dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_closedir_ DIR *list = tasks >= 0 ? fdopendir(tasks) : NULL;
        for (struct dirent *e; list && (e = readdir(list));) {
                if (!isdigit((unsigned char)*e->d_name) || strcmp(e->d_name, pid) == 0)
                        continue;
                snprintf(path, sizeof(path), "/proc/self/fd/%d/task/%.16s/fd", p->dir, e->d_name);
                closedir(fds);
                return opendir(path);
        }
        return fds;
}

static int look_at_process(struct walk *w, DIR *proc, const char *pid)
{
        struct process p = {.pid = (pid_t)strtol(pid, NULL, 10)};
        int r = 0;

        p.dir = openat(dirfd(proc), pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (p.dir < 0)
                return 0; /* it has ended */
        if (!is_ours(w, &p)) {
                errno = 0;
                _cleanup_closedir_ DIR *fds = open_files(&p, pid);
                if (fds)
                        r = look_through(w, &p, fds);
                else if (errno != ENOENT && errno != ESRCH)
                        w->out->hidden++;
        }
        for (size_t i = 0; i < p.ncompanions; i++)
                free(p.companion[i]);
        mounts_done(&p.mounts);
        close(p.dir);
        return r;
}

/* ---- all ---- */

static int by_path(const void *a, const void *b)
{
        const struct discovered *x = a, *y = b;

        if (!x->path != !y->path)
                return x->path ? -1 : 1;
        const char *p = x->path ? x->path : x->inside, *q = y->path ? y->path : y->inside;

        return p && q ? strcmp(p, q) : !p - !q;
}

static int look_everywhere(struct walk *w)
{
        _cleanup_closedir_ DIR *proc = opendir("/proc");
        struct stat st;
        int r = proc ? mounts_read(-1, &w->ours) : -errno;

        if (r == 0 && stat("/proc/self/exe", &st) == 0) {
                w->own_dev = st.st_dev;
                w->own_ino = st.st_ino;
        }
        for (struct dirent *e; proc && r == 0 && (e = readdir(proc));)
                if (isdigit((unsigned char)*e->d_name))
                        r = look_at_process(w, proc, e->d_name);
        for (size_t i = 0; r == 0 && i < w->out->n; i++)
                discover_judge(w, &w->out->database[i]);
        mounts_done(&w->ours);
        return r;
}

int discover(bool all, struct discovery *ret)
{
        struct discovery found = {0};
        struct walk w = {.all = all, .out = &found, .seen = calloc(SEEN_PLACES, sizeof(struct seen))};

        found.database = calloc(DISCOVER_MAX, sizeof(*found.database));
        int r = w.seen && found.database ? look_everywhere(&w) : -ENOMEM;
        free(w.seen);
        if (r < 0) {
                discover_done(&found);
                return r;
        }
        qsort(found.database, found.n, sizeof(*found.database), by_path);
        *ret = found;
        return 0;
}

void discover_done(struct discovery *d)
{
        for (size_t i = 0; i < d->n; i++) {
                struct discovered *f = &d->database[i];
                for (size_t k = 0; k < f->users && k < DISCOVER_USERS; k++)
                        free(f->user[k].exe);
                free(f->path);
                free(f->inside);
        }
        free(d->database);
        *d = (struct discovery){0};
}
