/* workdir.h - a private directory for files that are not finished yet. Layer: respond.
 *
 * Its name is ".vigil-PID-RANDOM", mode 0700, and it holds a file "lock" on which its owner keeps flock(2). The lock, not
 * the pid, says whether the owner lives: it ends with the process however that dies, and holds across PID namespaces and,
 * on NFS, across hosts. */
#pragma once

#include <stdbool.h>

/** "/.vigil-4194304-0123abcd" and its NUL, with room. */
#define WORKDIR_NAME_LEN 40

struct workdir {
        int parent; /* borrowed */
        int fd;
        int lock;
        char name[WORKDIR_NAME_LEN]; /* in parent */
};

/** What workdir_done() may be called on before workdir_new(). */
#define WORKDIR_NONE ((struct workdir){.parent = -1, .fd = -1, .lock = -1})

/**
 * Makes a private directory in @p parent, a directory's descriptor that must stay open as long as @p ret is used.
 * @return 0; -EAGAIN when somebody swept it away 16 times; or -errno of mkdir(2), open(2), flock(2)
 */
int workdir_new(int parent, struct workdir *ret);

/** Removes the directory with all that is in it and lets go of the lock. Nothing happens twice. */
void workdir_done(struct workdir *w);

/**
 * Removes the directories that dead owners left in @p parent. Those of living owners, of other users, and whatever else
 * begins with ".vigil-" stay.
 *
 * @param finish  called on each before it is removed, to save what was complete; may be NULL
 * @return how many were removed, or -errno when @p parent cannot be read
 */
int workdir_sweep(int parent, void (*finish)(int parent, int workdir));
