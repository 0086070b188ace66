/* discover_file.c - one file that may be a database: what it is, where it lies, who uses it. See discover_private.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "engine/reader.h"
#include "engine/sqlite_header.h"
#include "sensor/discover_private.h"

#define AT_APPLICATION_ID 68         /* sqlite.org/fileformat2.html, section 1.3 */
#define OWN_STORE         1447512396 /* "VIGL": SCHEMA_APPLICATION_ID of store/schema.h */
#define DELETED           " (deleted)"

/* Whoever only looks for a path of it waits for its server, which may be gone. */
static bool is_remote(const struct walk *w, dev_t dev)
{
        return mounts_type_is_remote(mounts_type(&w->ours, dev));
}

/* ---- what it is ---- */

/* Through O_PATH, so that nothing but a regular file is opened whatever the descriptor has become. @return fd or -1 */
static int open_again(const struct open_file *f)
{
        _cleanup_close_ int probe = openat(f->fds, f->fd, O_PATH | O_CLOEXEC);
        char self[32];
        struct stat st;

        if (probe < 0 || fstat(probe, &st) < 0 || !S_ISREG(st.st_mode) || st.st_ino != f->ino)
                return -1;
        snprintf(self, sizeof(self), "/proc/self/fd/%d", probe);
        int fd = open(self, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOATIME);
        return fd >= 0 || errno != EPERM ? fd : open(self, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

enum seen_what discover_header(const struct walk *w, const struct open_file *f)
{
        unsigned char bytes[SQLITE_HEADER_LEN];
        struct sqlite_header h;

        if (is_remote(w, f->dev))
                return SEEN_UNREAD;
        if (f->bytes < sizeof(bytes))
                return SEEN_OTHER;
        _cleanup_close_ int fd = open_again(f);
        if (fd < 0 || io_pread_all(fd, bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes) ||
            sqlite_header_parse(bytes, sizeof(bytes), &h) < 0)
                return SEEN_OTHER;
        return be32(bytes + AT_APPLICATION_ID) == OWN_STORE ? SEEN_OWN : h.wal ? SEEN_WAL : SEEN_ROLLBACK;
}

/* ---- where it lies ---- */

static bool is_it(const char *path, const struct discovered *f)
{
        struct stat st;

        return stat(path, &st) == 0 && st.st_dev == f->dev && st.st_ino == f->ino;
}

/* The path that the kernel says, which is that of the process: ours is the same, or another, or there is none. */
static char *path_here(struct walk *w, struct process *p, const struct open_file *f, const struct discovered *d)
{
        size_t at = 0;

        if (is_it(d->inside, d))
                return strdup(d->inside);
        if (!p->mounts_read && mounts_read(p->dir, &p->mounts) < 0)
                p->mounts = (struct mounts){0};
        p->mounts_read = true;
        for (char *path; (path = mounts_translate(&p->mounts, f->mount, d->inside, &w->ours, &at)); free(path))
                if (is_it(path, d))
                        return path;
        return NULL;
}

static void cut_deleted(char *text)
{
        size_t n = strlen(text), m = strlen(DELETED);

        if (n > m && strcmp(text + n - m, DELETED) == 0)
                text[n - m] = '\0';
}

static uint64_t wal_bytes(const char *path)
{
        _cleanup_free_ char *wal = NULL;
        struct stat st;

        if (asprintf(&wal, "%s-wal", path) < 0) {
                wal = NULL;
                return 0;
        }
        return stat(wal, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* ---- who uses it ---- */

/* Field @n of stat(5), counted from 1, behind the name, which may hold anything. */
static uint64_t stat_field(const char *text, int n)
{
        const char *p = strrchr(text, ')');

        for (int i = 2; p && i < n; i++)
                p = strchr(p + 1, ' ');
        return p ? strtoull(p, NULL, 10) : 0;
}

static void describe(const struct process *p, struct discovered_user *u)
{
        _cleanup_free_ char *stat = NULL, *status = NULL, *comm = NULL;
        char path[64], exe[PATH_MAX];

        u->pid = p->pid;
        snprintf(path, sizeof(path), "/proc/self/fd/%d/stat", p->dir);
        if (io_read_file(path, 4096, &stat, NULL) == 0)
                u->start_ns = stat_field(stat, 22) * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
        snprintf(path, sizeof(path), "/proc/self/fd/%d/status", p->dir);
        const char *uid = io_read_file(path, 1 << 16, &status, NULL) == 0 ? strstr(status, "\nUid:") : NULL;
        u->uid = uid ? (uid_t)strtoul(uid + 5, NULL, 10) : (uid_t)-1;
        snprintf(path, sizeof(path), "/proc/self/fd/%d/comm", p->dir);
        if (io_read_file(path, 256, &comm, NULL) == 0) {
                comm[strcspn(comm, "\n")] = '\0';
                snprintf(u->comm, sizeof(u->comm), "%s", comm);
        }
        ssize_t n = readlinkat(p->dir, "exe", exe, sizeof(exe));
        u->exe = n > 0 ? strndup(exe, (size_t)n) : NULL;
}

/* Descriptors of one process follow each other. */
static void add_user(struct discovered *d, const struct process *p)
{
        if (d->last == p->pid)
                return;
        d->last = p->pid;
        if (d->users < DISCOVER_USERS)
                describe(p, &d->user[d->users]);
        d->users++;
}

static struct discovered *find(const struct discovery *all, const struct open_file *f)
{
        for (size_t i = 0; i < all->n; i++)
                if (all->database[i].ino == f->ino && all->database[i].dev == f->dev)
                        return &all->database[i];
        return NULL;
}

int discover_add(struct walk *w, struct process *p, const struct open_file *f, const char *mode)
{
        struct discovered *d = find(w->out, f);

        if (!d && w->out->n == DISCOVER_MAX) {
                w->out->cut++;
                return 0;
        }
        if (!d) {
                d = &w->out->database[w->out->n++];
                *d = (struct discovered){.dev = f->dev,
                                         .ino = f->ino,
                                         .bytes = f->bytes,
                                         .journal_mode = mode,
                                         .deleted = f->deleted,
                                         .inside = strdup(f->text)};
                if (!d->inside)
                        return -ENOMEM;
                if (d->deleted)
                        cut_deleted(d->inside);
        }
        d->writable = d->writable || f->writable;
        if (!d->path && !d->deleted && (w->all || !is_remote(w, d->dev)))
                d->path = path_here(w, p, f, d);
        add_user(d, p);
        return 0;
}

/* ---- whether it is one to be guarded ---- */

static bool lies_below(const char *path, const char *dir)
{
        size_t n = strlen(dir);

        return strncmp(path, dir, n) == 0 && path[n] == '/';
}

static bool is_temporary(const struct walk *w, const struct discovered *d)
{
        static const char *const places[] = {"/tmp", "/var/tmp", "/run", "/var/run", "/dev/shm"};

        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
                if (lies_below(d->inside, places[i]) || lies_below(d->path, places[i]))
                        return true;
        return mounts_type_is_volatile(mounts_type(&w->ours, d->dev));
}

void discover_judge(const struct walk *w, struct discovered *d)
{
        if (d->path)
                d->wal_bytes = wal_bytes(d->path);
        if (d->deleted)
                d->left_out = "deleted";
        else if (!w->all && is_remote(w, d->dev)) /* a server that is gone would stand the monitor */
                d->left_out = "network";
        else if (!d->path)
                d->left_out = "unreachable";
        else if (w->all)
                d->left_out = NULL;
        else if (is_temporary(w, d))
                d->left_out = "temporary";
        else if (strstr(d->inside, "/."))
                d->left_out = "hidden";
        else if (!d->writable)
                d->left_out = "read-only";
}
