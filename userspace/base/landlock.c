/* landlock.c - Landlock by its system calls: glibc has no wrappers. */
#include "base/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"

/* Rights that came after the headers of Debian 12: include/uapi/linux/landlock.h, ABI 3 (Linux 6.2) and 5 (6.10). */
#define FS_TRUNCATE  (1ULL << 14)
#define FS_IOCTL_DEV (1ULL << 15)

#define FS_FIRST_VERSION ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)
#define READING          (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITING                                                                                                    \
        (READING | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                                 \
         LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |              \
         LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE)
/* All that a rule on a file, not a directory, may name. */
#define OF_A_FILE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)

/* What every worker may open: libc, SQLite and libcrypto look here. */
static const char *const always[] = {"/dev/null", "/dev/urandom", NULL};

static uint64_t rights_of(int version)
{
        uint64_t rights = FS_FIRST_VERSION;
        if (version >= 2)
                rights |= LANDLOCK_ACCESS_FS_REFER;
        if (version >= 3)
                rights |= FS_TRUNCATE;
        if (version >= 5)
                rights |= FS_IOCTL_DEV;
        return rights;
}

int landlock_version(void)
{
        long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
        return version > 0 ? (int)version : 0;
}

static int grant_fd(int ruleset, int fd, uint64_t rights, bool directories_only)
{
        struct stat st;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISDIR(st.st_mode)) {
                if (directories_only)
                        return 0;
                rights &= OF_A_FILE;
        }
        struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = fd};
        return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
}

static int grant_paths(int ruleset, const char *const *paths, uint64_t rights)
{
        for (; paths && *paths; paths++) {
                _cleanup_close_ int fd = open(*paths, O_PATH | O_CLOEXEC);
                if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
                        continue;
                int r = fd < 0 ? -errno : grant_fd(ruleset, fd, rights, false);
                if (r < 0)
                        return r;
        }
        return 0;
}

int landlock_enter(int version, const char *const *read_only, const char *const *writable, const int *fds)
{
        struct landlock_ruleset_attr handled = {.handled_access_fs = rights_of(version)};
        _cleanup_close_ int ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
        if (ruleset < 0)
                return -errno;

        int r = grant_paths(ruleset, always, READING);
        if (r == 0)
                r = grant_paths(ruleset, read_only, READING);
        if (r == 0)
                r = grant_paths(ruleset, writable, WRITING & rights_of(version));
        for (; r == 0 && fds && *fds >= 0; fds++)
                r = grant_fd(ruleset, *fds, WRITING & rights_of(version), true);
        if (r == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
                r = -errno;
        return r;
}
