/* statedir.h - the one directory in which Vigil keeps what it must not forget. Layer: daemon.
 *
 * STATE: lock, control, vigil.db, state.json, backups/NAME/, evidence/INCIDENT/. All of it is the daemon's alone: command lines
 * and paths of other users stand there. */
#pragma once

#include <limits.h>

#define STATEDIR_WHY_LEN 512

/** An open state directory; the lock is held as long as it is open. */
struct statedir {
        char path[PATH_MAX]; /* absolute, links followed */
        int dirfd;           /* -1: not open */
        int lock;
};

#define STATEDIR_NONE                                                                                              \
        (struct statedir)                                                                                          \
        {                                                                                                          \
                .dirfd = -1, .lock = -1                                                                            \
        }

/**
 * Opens the directory, making its last component (0700) where it is missing, tries to write there, and takes the lock. Of a
 * daemon that was killed the helpers may hold it for a moment longer: they are waited for, a minute at most.
 *
 * @param why  one sentence on failure: what is wrong and what to do
 * @return 0; -EWOULDBLOCK another daemon has the lock; -ETIME a helper of one that is gone still has it; -EPERM it belongs to
 *         somebody else, or others may write in it; -ENOTDIR; -EROFS, -ENOSPC, -EACCES or -errno
 */
int statedir_open(const char *path, struct statedir *ret, char why[STATEDIR_WHY_LEN]);
void statedir_close(struct statedir *s);

/** Makes STATE/@p name (0700), one component, where it is missing. @return 0 or -errno */
int statedir_make(const struct statedir *s, const char *name);
