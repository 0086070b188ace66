/* files.c - opening a database without touching it. */
#include "engine/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/resolve.h"

/* O_PATH first: opening a FIFO blocks or wakes its writer, opening some devices moves them. @return fd or -errno */
static int open_regular(int dirfd, const char *name)
{
        _cleanup_close_ int probe = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;
        if (probe < 0 || fstat(probe, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        if (S_ISLNK(st.st_mode))
                return -ELOOP;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;

        char self[32];
        snprintf(self, sizeof(self), "/proc/self/fd/%d", probe);
        int fd = open(self, O_RDONLY | O_CLOEXEC | O_NOATIME);
        if (fd < 0 && errno == EPERM) /* O_NOATIME is for the owner and CAP_FOWNER */
                fd = open(self, O_RDONLY | O_CLOEXEC);
        /* It is there, so what is missing is /proc. */
        if (fd < 0)
                return errno == ENOENT ? -EOPNOTSUPP : -errno;
        return fd;
}

/* A path through /proc/PID/fd or /proc/PID/root leads into another mount namespace, where the text that realpath(3) makes of
 * it means another file or none: such a path is kept as it is. */
static bool keeps_meaning(const char *path, const char *real)
{
        struct stat a, b;

        return stat(path, &a) < 0 || (real && stat(real, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev);
}

int engine_resolve(const char *path, char **ret)
{
        char *real = realpath(path, NULL);
        if (path[0] == '/' && !keeps_meaning(path, real)) {
                free(real);
                *ret = strdup(path);
                return *ret ? 0 : -ENOMEM;
        }
        free(real);
        real = malloc(PATH_MAX);
        int r = real ? resolve_file(path, real) : -ENOMEM;
        if (r < 0) {
                free(real);
                return r;
        }
        *ret = real;
        return 0;
}

static int open_directory(const char *path)
{
        _cleanup_free_ char *dir = strdup(path);
        if (!dir)
                return -ENOMEM;
        dir[strrchr(path, '/') - path] = '\0';
        int fd = open(dir[0] ? dir : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int open_companions(const struct engine_companion *companions, struct engine_files *f)
{
        for (const struct engine_companion *c = companions; c->suffix; c++) {
                char name[NAME_MAX + 1];
                if (snprintf(name, sizeof(name), "%s%s", f->name, c->suffix) >= (int)sizeof(name))
                        continue;
                int fd = open_regular(f->fd[VIGIL_ROLE_DIRECTORY], name);
                if (fd == -ENOENT || fd == -EISDIR || fd == -EINVAL)
                        continue;
                if (fd < 0)
                        return fd;
                f->fd[c->role] = fd;
        }
        return 0;
}

const char *engine_files_why(int err)
{
        switch (err) {
        case -EINVAL:
                return "not a regular file";
        case -ELOOP:
                return "its -wal, -shm or -journal is a symbolic link, which SQLite refuses, or links lead in a "
                       "circle";
        default:
                return strerror(-err);
        }
}

int engine_files_open(const char *path, const struct engine_companion *companions, struct engine_files *ret)
{
        _cleanup_files_ struct engine_files f = ENGINE_NO_FILES;
        int err = engine_resolve(path, &f.path);
        if (err < 0)
                return err;
        f.name = strrchr(f.path, '/') + 1;
        if (f.name[0] == '\0')
                return -EISDIR;

        int fd = open_directory(f.path);
        if (fd < 0)
                return fd;
        f.fd[VIGIL_ROLE_DIRECTORY] = fd;
        fd = open_regular(f.fd[VIGIL_ROLE_DIRECTORY], f.name);
        if (fd < 0 && fd != -ENOENT)
                return fd;
        f.fd[VIGIL_ROLE_MAIN] = fd < 0 ? -1 : fd;
        clock_gettime(CLOCK_REALTIME_COARSE, &f.main_now);
        if (fd >= 0 && fstat(fd, &f.main_stat) < 0)
                return -errno;
        err = open_companions(companions, &f);
        if (err < 0)
                return err;
        *ret = f;
        f = (struct engine_files)ENGINE_NO_FILES;
        return 0;
}

void engine_files_close(struct engine_files *f)
{
        for (int role = 0; role < VIGIL_ROLES; role++)
                cleanup_close_(&f->fd[role]);
        free(f->path);
        *f = (struct engine_files)ENGINE_NO_FILES;
}

bool engine_may_hide_a_write(const struct stat *st, struct timespec now)
{
        bool whole_seconds = st->st_mtim.tv_nsec == 0 && st->st_ctim.tv_nsec == 0;
        time_t ahead = st->st_mtim.tv_sec - now.tv_sec;
        if (whole_seconds)
                return ahead <= 2 && ahead >= -2;
        return ahead <= 1 && (ahead > 0 || (ahead == 0 && st->st_mtim.tv_nsec >= now.tv_nsec));
}
