/* files.h - the files of one database, opened for reading without side effects. Layer: engine.
 *
 * The privileged caller opens, the confined worker reads: so the worker needs neither capabilities nor paths. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "bpf/abi.h"

struct engine_companion {
        const char *suffix; /* "-wal" */
        enum vigil_role role;
};

/** Release with engine_files_close(). */
struct engine_files {
        int fd[VIGIL_ROLES];   /* by role, read-only; -1: no such file. VIGIL_ROLE_DIRECTORY: O_PATH */
        struct stat main_stat; /* of the main file, taken after its open and before a companion was looked for */
        struct timespec
                main_now; /* CLOCK_REALTIME_COARSE before that: a newer mtime may still be of the same tick */
        char *path;       /* of the main file, symbolic links resolved: companions stand beside it */
        const char *name; /* last component of path */
};

/** Nothing open: what to begin with where the declaration cleans up. */
#define ENGINE_NO_FILES                                                                                            \
        {                                                                                                          \
                .fd = { -1, -1, -1, -1, -1, -1 }                                                                   \
        }

/**
 * Opens the main file at @p path and its companions. Symbolic links in @p path are followed, as SQLite does; a companion
 * that is one is refused, as SQLite refuses it. Only regular files are opened at all: a FIFO or a device is looked at with O_PATH first. The access
 * time is left alone where the kernel allows.
 *
 * Must not run in a process that holds SQLite handles on the database: any close(2) of a file drops that process's POSIX
 * locks on it (fcntl(2)).
 *
 * @param ret  also filled when the main file does not exist but its directory does: fd[VIGIL_ROLE_MAIN] is -1
 * @return 0; -ENOENT no directory; -EISDIR; -EINVAL no regular file; -ENOMEM; or -errno of open(2). A companion that is no
 *         regular file counts as missing; one that is a link (-ELOOP) or may not be read fails the call.
 */
int engine_files_open(const char *path, const struct engine_companion *companions, struct engine_files *ret);

/** Why engine_files_open() gave @p err (a negative errno), in words that follow "cannot open PATH: ". Static, or strerror(3)'s. */
const char *engine_files_why(int err);

void engine_files_close(struct engine_files *f);

#define _cleanup_files_ _cleanup_(engine_files_close)

/**
 * The path of the file itself: symbolic links followed, as SQLite follows them. The last component may be missing. A path that
 * leads through /proc into another mount namespace is kept as it is.
 *
 * @param ret  owned by the caller
 * @return 0; -ENOENT its directory does not exist; -ENOMEM; or -errno of realpath(3)
 */
int engine_resolve(const char *path, char **ret);

/**
 * Whether another write may leave the times of @p st as they are. Times advance with the tick of the coarse clock, on old file
 * systems by up to two seconds (FAT): two writes within one tick leave the same mtime. A time that lies in the future by more than
 * that was set by somebody, or the clock was set back, and the next write changes it.
 *
 * @param now  CLOCK_REALTIME_COARSE before @p st was read
 */
bool engine_may_hide_a_write(const struct stat *st, struct timespec now);
