/* reach.c - the way to a file that the kernel named by the path in somebody's mount namespace. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sensor/internal.h"

#define NAMESPACES_TRIED 64 /* mount namespaces of the host that are looked into */

/* True when the file at @path is the one of the record; without an inode in the record, when there is one. */
static bool is_it(struct sensor *s, const char *path, const struct vigil_database *r)
{
        struct seed_entry e;

        if (watch_numbers(s, path, &e) < 0)
                return false;
        return !r->ino || (e.ino == r->ino && e.dev == r->dev);
}

/* Through the root of process @pid. The process may be gone when the files are looked at: its directory is held open. */
static char *through(struct sensor *s, unsigned pid, const struct vigil_database *r, int *ret_dirfd)
{
        char other[PATH_MAX], *path = NULL;

        if ((size_t)snprintf(other, sizeof(other), "/proc/%u/root%s", pid, r->path) >= sizeof(other) ||
            !is_it(s, other, r))
                return NULL;
        char *slash = strrchr(other, '/');
        *slash = 0;
        _cleanup_close_ int dirfd = open(other, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dirfd < 0 || asprintf(&path, "/proc/%d/fd/%d/%s", getpid(), dirfd, slash + 1) < 0)
                return NULL;
        *ret_dirfd = TAKE_FD(dirfd);
        return path;
}

static ino_t namespace_of(const char *pid)
{
        char path[300];
        struct stat st;

        snprintf(path, sizeof(path), "/proc/%s/ns/mnt", pid);
        return stat(path, &st) < 0 ? 0 : st.st_ino;
}

/* The process is gone already: any other in its namespace will do. */
static char *through_anybody(struct sensor *s, const struct vigil_database *r, int *ret_dirfd)
{
        ino_t tried[NAMESPACES_TRIED] = {namespace_of("self")};
        size_t n = 1;
        _cleanup_closedir_ DIR *proc = opendir("/proc");
        struct dirent *e;

        while (proc && n < NAMESPACES_TRIED && (e = readdir(proc))) {
                ino_t ns = isdigit((unsigned char)e->d_name[0]) ? namespace_of(e->d_name) : 0;
                bool known = ns == 0;

                for (size_t i = 0; i < n; i++)
                        known = known || tried[i] == ns;
                if (known)
                        continue;
                tried[n++] = ns;
                char *path = through(s, (unsigned)strtoul(e->d_name, NULL, 10), r, ret_dirfd);
                if (path)
                        return path;
        }
        return NULL;
}

char *reach_database(struct sensor *s, const struct vigil_database *r, int *ret_dirfd)
{
        if (is_it(s, r->path, r))
                return strdup(r->path);
        char *path = through(s, r->id.tgid, r, ret_dirfd);
        if (!path && r->ino)
                path = through_anybody(s, r, ret_dirfd);
        return path;
}
