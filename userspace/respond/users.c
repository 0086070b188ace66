#include "respond/users.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"

#define PENDING_BYTE 0x40000000
#define LOCK_BYTES   512 /* PENDING, RESERVED and the 510 of SHARED */

/* Inode number of the first PID namespace: PROC_PID_INIT_INO in include/linux/proc_ns.h. */
#define FIRST_PID_NS "pid:[4026531836]"

static bool on_network(const char *path)
{
        static const uint32_t kinds[] = {NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC, SMB2_SUPER_MAGIC, CIFS_SUPER_MAGIC,
                                         CEPH_SUPER_MAGIC, AFS_SUPER_MAGIC, V9FS_MAGIC,       FUSE_SUPER_MAGIC};
        struct statfs fs;

        if (statfs(path, &fs) < 0)
                return false;
        for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
                if ((uint32_t)fs.f_type == kinds[i])
                        return true;
        return false;
}

int users_files_of(const char *path, struct users_files *ret)
{
        static const char *const suffixes[] = {"", "-wal", "-journal", "-shm"};
        struct users_files files = {.network = on_network(path)};

        for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
                _cleanup_free_ char *name = NULL;
                if (asprintf(&name, "%s%s", path, suffixes[i]) < 0) {
                        name = NULL;
                        return -ENOMEM;
                }
                if (stat(name, &files.st[files.n]) == 0)
                        files.n++;
        }
        *ret = files;
        return 0;
}

static bool is_one_of(const struct users_files *files, const struct statx *x)
{
        for (size_t i = 0; i < files->n; i++)
                if (files->st[i].st_ino == x->stx_ino &&
                    files->st[i].st_dev == makedev(x->stx_dev_major, x->stx_dev_minor))
                        return true;
        return false;
}

/* A descriptor of O_PATH reads and writes nothing: a watchdog may hold one. */
static bool is_path_only(const char *fds, const char *name)
{
        _cleanup_free_ char *info = NULL;
        char path[700];

        snprintf(path, sizeof(path), "%sinfo/%s", fds, name);
        if (io_read_file(path, 1 << 16, &info, NULL) < 0)
                return false;
        const char *flags = strstr(info, "flags:");
        return flags && (strtoul(flags + 6, NULL, 8) & O_PATH) != 0;
}

/* Looks through one directory of descriptors. @return 1 found, 0 not found, -ENODATA no descriptors there, or -errno */
static int search(const char *path, const struct users_files *files)
{
        _cleanup_closedir_ DIR *fds = opendir(path);
        struct dirent *e;
        int r = -ENODATA;

        if (!fds)
                return -errno;
        while ((e = readdir(fds))) {
                struct statx x;
                if (!isdigit((unsigned char)*e->d_name))
                        continue;
                r = 0;
                /* Without asking a server: a dead network file system must not hold us. */
                if (statx(dirfd(fds), e->d_name, AT_STATX_DONT_SYNC, STATX_INO, &x) == 0 && is_one_of(files, &x) &&
                    !is_path_only(path, e->d_name))
                        return 1;
        }
        return r;
}

/* A process whose first thread has ended shows no descriptors there, though its other threads have them. */
static int search_threads(const char *pid, const struct users_files *files)
{
        char path[300];

        snprintf(path, sizeof(path), "/proc/%s/task", pid);
        _cleanup_closedir_ DIR *tasks = opendir(path);
        struct dirent *e;
        int r = 0;
        while (tasks && r <= 0 && (e = readdir(tasks))) {
                char fds[600];
                if (!isdigit((unsigned char)*e->d_name))
                        continue;
                snprintf(fds, sizeof(fds), "/proc/%s/task/%s/fd", pid, e->d_name);
                r = search(fds, files);
        }
        return r > 0;
}

static void add(struct users *u, const char *pid)
{
        _cleanup_free_ char *comm = NULL;
        char path[300];
        size_t at = u->n++;

        if (at >= USERS_NAMED)
                return;
        u->named[at].pid = (pid_t)strtol(pid, NULL, 10);
        snprintf(path, sizeof(path), "/proc/%s/comm", pid);
        if (io_read_file(path, 256, &comm, NULL) < 0)
                return;
        comm[strcspn(comm, "\n")] = '\0';
        text_printable(u->named[at].comm, sizeof(u->named[at].comm), comm);
}

static void look_at(const char *pid, const struct users_files *files, struct users *u)
{
        char path[300];

        snprintf(path, sizeof(path), "/proc/%s/fd", pid);
        int r = search(path, files);
        if (r == -ENODATA)
                r = search_threads(pid, files);
        if (r > 0)
                add(u, pid);
        else if (r < 0 && r != -ENOENT && r != -ESRCH)
                u->hidden++;
}

static bool in_namespace(void)
{
        char link[64];
        ssize_t n = readlink("/proc/self/ns/pid", link, sizeof(link) - 1);

        if (n < 0)
                return true;
        link[n] = '\0';
        return strcmp(link, FIRST_PID_NS) != 0;
}

int users_look(const struct users_files *files, struct users *ret)
{
        struct users u = {.in_namespace = in_namespace(), .network = files->network};
        char self[16];
        _cleanup_closedir_ DIR *processes = opendir("/proc");
        struct dirent *e;

        if (!processes)
                return -errno;
        snprintf(self, sizeof(self), "%d", (int)getpid());
        while ((e = readdir(processes)))
                if (isdigit((unsigned char)*e->d_name) && strcmp(e->d_name, self) != 0)
                        look_at(e->d_name, files, &u);
        *ret = u;
        return 0;
}

int users_lock_out(int fd)
{
        /* Of the open file description: closing another descriptor of this file, here or in a library, keeps it. */
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = PENDING_BYTE, .l_len = LOCK_BYTES};

        if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
                return 0;
        return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

void users_describe(const struct users *u, char *ret, size_t size)
{
        size_t named = u->n < USERS_NAMED ? u->n : USERS_NAMED, at = 0;

        *ret = '\0';
        for (size_t i = 0; i < named && at < size; i++) {
                int n = snprintf(ret + at, size - at, "%s%s (pid %d)", i ? ", " : "", u->named[i].comm,
                                 (int)u->named[i].pid);
                at += n > 0 ? (size_t)n : 0;
        }
        if (u->n > named && at < size)
                snprintf(ret + at, size - at, " and %zu more", u->n - named);
}

const char *users_blind(const struct users *u)
{
        if (u->network)
                return "it lies on a network or FUSE file system: users on other hosts are seen only by their "
                       "locks";
        if (u->hidden)
                return "some processes do not show their files to this user: run it as root to see them";
        if (u->in_namespace)
                return "this is a container: processes outside are seen only by their locks";
        return NULL;
}
