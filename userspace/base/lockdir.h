/* lockdir.h - private directories that are known by a lock. Layer: base.
 *
 * Whoever makes one holds flock(2) on it. When he dies, even by SIGKILL, the lock goes with him, and the next lockdir_make()
 * beside it sweeps the leftover away; those of the living stay. */
#pragma once

#include <stdbool.h>

#define LOCKDIR_NAME_LEN 40

/** What such directories are called, and what may stand in them. */
struct lockdir_kind {
        const char *prefix;        /* of the name; sixteen hexadecimal digits follow. 23 characters at most */
        const char *const *inside; /* files, or directories that are empty; NULL ends them */
};

struct lockdir {
        int parent; /* own descriptor of the directory it stands in; -1: nothing made */
        int dir;    /* the directory itself, locked */
        char name[LOCKDIR_NAME_LEN];
};

#define LOCKDIR_NONE                                                                                               \
        {                                                                                                          \
                .parent = -1, .dir = -1                                                                            \
        }

/**
 * Makes a directory of mode 0700 in @p parent, after removing those of dead makers with the same user; root removes
 * everybody's.
 * @return 0 or -errno of mkdirat(2), openat(2), flock(2)
 */
int lockdir_make(int parent, const struct lockdir_kind *kind, struct lockdir *ret);

/** Removes the directory and what may be in it, and lets go of the lock. Nothing happens twice. */
void lockdir_remove(struct lockdir *l, const struct lockdir_kind *kind);
