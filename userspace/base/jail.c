/* jail.c - an empty root file system, with the granted files and directories bound into it. */
#include "base/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cleanup.h"

#define MAX_GRANTS 64

/* Vigil cannot work without /proc, so there is a directory to put the new root on until it is the root. */
#define STAGE "/proc"

struct grant {
        char path[PATH_MAX]; /* absolute, as the worker will say it */
        int tree;            /* the object itself, as a detached mount */
        int fd;              /* descriptor to be opened again inside; -1: none */
};

struct jail {
        char cwd[PATH_MAX];
        struct grant *grants;
        size_t n;
};

/* What every worker may open: libc, SQLite and libcrypto look here. */
static const char *const always[] = {"/dev/null", "/dev/urandom", NULL};

static int make_read_only(int tree, const char *path, unsigned int flags)
{
        struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
        return mount_setattr(tree, path, flags, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

static int add_grant(struct jail *j, const char *path, int fd, bool writable)
{
        struct grant *g = &j->grants[j->n];
        if (j->n == MAX_GRANTS)
                return -E2BIG;
        int n = snprintf(g->path, sizeof(g->path), "%s%s%s", *path == '/' ? "" : j->cwd, *path == '/' ? "" : "/",
                         path);
        if (n >= (int)sizeof(g->path))
                return -ENAMETOOLONG;
        g->fd = fd;
        g->tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
        if (g->tree < 0)
                return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
        j->n++;
        return writable ? 0 : make_read_only(g->tree, "", AT_EMPTY_PATH | AT_RECURSIVE);
}

static int add_paths(struct jail *j, const char *const *paths, bool writable)
{
        int r = 0;
        for (; r == 0 && paths && *paths; paths++)
                r = add_grant(j, *paths, -1, writable);
        return r;
}

/* A directory is granted by the path that leads to it now, if that still leads to it. */
static int add_directory(struct jail *j, int fd)
{
        char link[64], path[PATH_MAX];
        struct stat wanted, found;
        if (fstat(fd, &wanted) < 0)
                return -errno;
        if (!S_ISDIR(wanted.st_mode))
                return 0;
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, path, sizeof(path) - 1);
        if (n < 0)
                return -errno;
        path[n] = '\0';
        if (stat(path, &found) < 0)
                return -errno;
        if (found.st_dev != wanted.st_dev || found.st_ino != wanted.st_ino)
                return -ESTALE;
        return add_grant(j, path, fd, true);
}

static int collect(struct jail *j, const char *const *read_only, const char *const *writable, const int *fds)
{
        if (!getcwd(j->cwd, sizeof(j->cwd)) || j->cwd[0] != '/')
                strcpy(j->cwd, "/");
        int r = add_paths(j, always, false);
        if (r == 0)
                r = add_paths(j, read_only, false);
        if (r == 0)
                r = add_paths(j, writable, true);
        for (; r == 0 && fds && *fds >= 0; fds++)
                r = add_directory(j, *fds);
        return r;
}

/* Mounts of the host that go away are to go away here too, until this process has let go of them all: hence MS_SLAVE. */
static int leave_the_host(void)
{
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
                return -errno;
        return 0;
}

static int change_root(void)
{
        if (mount("tmpfs", STAGE, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755,size=1m") < 0 ||
            chdir(STAGE) < 0)
                return -errno;
        /* pivot_root(2): with both names ".", the old root lies on top of the new one and can be taken off. */
        if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
                return -errno;
        return 0;
}

/* Creates the directories above the last component of @p path. */
static int make_parents(const char *path)
{
        char prefix[PATH_MAX];
        for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                memcpy(prefix, path, (size_t)(slash - path));
                prefix[slash - path] = '\0';
                if (mkdir(prefix, 0755) < 0 && errno != EEXIST)
                        return -errno;
        }
        return 0;
}

/* Something of the same kind to mount upon; what an earlier grant has brought in stays. */
static int make_place(const char *path, bool directory)
{
        int r = make_parents(path);
        if (r < 0 || access(path, F_OK) == 0)
                return r;
        if (directory)
                return mkdir(path, 0755) < 0 ? -errno : 0;
        return mknod(path, S_IFREG | 0600, 0) < 0 ? -errno : 0;
}

static int bring_in(const struct grant *g)
{
        struct stat st;
        if (fstat(g->tree, &st) < 0)
                return -errno;
        int r = make_place(g->path, S_ISDIR(st.st_mode));
        if (r < 0)
                return r;
        if (move_mount(g->tree, "", AT_FDCWD, g->path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return -errno;
        if (g->fd < 0)
                return 0;
        /* The old descriptor leads up, by "..", to everything on its file system. */
        _cleanup_close_ int fd = open(g->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 || dup3(fd, g->fd, O_CLOEXEC) < 0 ? -errno : 0;
}

static int furnish(const struct jail *j)
{
        int r = 0;
        for (size_t i = 0; r == 0 && i < j->n; i++) {
                r = bring_in(&j->grants[i]);
                close(j->grants[i].tree);
        }
        if (r == 0)
                r = make_place(j->cwd, true);
        if (r == 0)
                r = make_read_only(AT_FDCWD, "/", 0);
        if (r == 0 && chdir(j->cwd) < 0)
                r = -errno;
        return r;
}

int jail_enter(const char *const *read_only, const char *const *writable, const int *fds)
{
        struct jail j = {0};
        _cleanup_free_ struct grant *grants = j.grants = calloc(MAX_GRANTS, sizeof(*grants));
        if (!grants)
                return -ENOMEM;
        int r = leave_the_host();
        if (r == 0)
                r = collect(&j, read_only, writable, fds);
        if (r == 0)
                r = change_root();
        if (r == 0)
                r = furnish(&j);
        return r;
}

bool jail_available(void)
{
        static enum { UNTRIED, NO, YES } known = UNTRIED;
        if (known != UNTRIED)
                return known == YES;
        pid_t pid = fork();
        if (pid == 0)
                _exit(jail_enter(NULL, NULL, NULL) == 0 ? 0 : 1);
        int status = 1;
        while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        known = status == 0 ? YES : NO;
        return known == YES;
}
