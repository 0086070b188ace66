/* scratch.h - private directories for copies that are being worked on. Layer: engine.
 *
 * A copy is made and recovered in a directory that only its maker can enter, and moved out when it is finished. What a killed
 * maker leaves the next scratch_make() beside it sweeps away (base/lockdir.h). */
#pragma once

#include <sys/types.h>

#include "base/lockdir.h"

/** Names inside: the copy is called this, its companions are called as SQLite calls them. */
#define SCRATCH_DB      "db"
#define SCRATCH_WAL     "db-wal"
#define SCRATCH_JOURNAL "db-journal"
#define SCRATCH_SHM     "db-shm"

/** One private directory. Release with scratch_remove(). */
struct scratch {
        int parent; /* own descriptor of the directory it stands in; -1: nothing made */
        int dir;    /* the directory itself, locked */
        char *path; /* absolute, as it was when it was made */
        char name[LOCKDIR_NAME_LEN];
};

#define SCRATCH_NONE                                                                                               \
        {                                                                                                          \
                .parent = -1, .dir = -1                                                                            \
        }

/**
 * Makes a directory of mode 0700 in @p parent, after removing those of dead makers with the same user.
 * @return 0 or -errno of mkdirat(2), openat(2), flock(2)
 */
int scratch_make(int parent, struct scratch *ret);

/** Gives the directory and what is in it to the user a worker runs as; nothing happens where Vigil is not root.
 * @return 0 or -errno */
int scratch_give(const struct scratch *s, uid_t uid, gid_t gid);

/** Takes back the directory, but not what is in it: from then on the worker's user can put nothing else there.
 * @return 0 or -errno */
int scratch_take_back(const struct scratch *s);

/** Creates the file @p name for reading and writing, mode 0600. @return descriptor or -errno */
int scratch_create(const struct scratch *s, const char *name);

/** Removes the directory and what may be in it. */
void scratch_remove(struct scratch *s);

#define _cleanup_scratch_ _cleanup_(scratch_remove)
