/* mounts.h - what is mounted where, in whose eyes: /proc/PID/mountinfo (proc(5)). Layer: sensor. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct mount {
        int id;
        dev_t dev;
        char *root;  /* path within the file system of what is mounted */
        char *point; /* where, as seen from the root of the process */
        char type[32];
        char *source;  /* "/dev/sda1", or whatever it was called; "": not told */
        char *options; /* of the file system, with commas between them */
};

struct mounts {
        struct mount *item;
        size_t n;
};

/**
 * Mounts as the process sees them whose directory in /proc is open as @p procfd; -1: our own.
 * @return 0; -EFBIG more than 4 MiB of them; -ENOMEM; or -errno. Release with mounts_done().
 */
int mounts_read(int procfd, struct mounts *ret);
/** The same out of its text, which is taken apart. @return 0 or -ENOMEM. Lines that are none are passed over. */
int mounts_parse(char *text, struct mounts *ret);
void mounts_done(struct mounts *m);

/** True when @p option stands in a list with commas between them. */
bool mounts_has_option(const char *list, const char *option);

/** Type of the file system @p dev, as a mount of it says; NULL: none of these is of it. Borrowed. */
const char *mounts_type(const struct mounts *m, dev_t dev);
/** A server, or a program, answers for what it holds: it may never answer. */
bool mounts_type_is_remote(const char *type);
/** It lies in memory. */
bool mounts_type_is_volatile(const char *type);

/**
 * The next path by which @p ours may reach what @p theirs reach as @p path on their mount @p id. Whether it is the same file the
 * caller must look.
 *
 * @param at  0 at first; moves on
 * @return owned by the caller; NULL: no more, or out of memory
 */
char *mounts_translate(const struct mounts *theirs, int id, const char *path, const struct mounts *ours,
                       size_t *at);
