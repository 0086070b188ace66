/* reach.h - what a confined worker can still reach: a tree of files and a worker that tries them all. */
#pragma once

#include <stdbool.h>

/** A directory in /tmp, which becomes the current one. */
struct place {
        char dir[64];
        char readable[128];          /* absolute path of a file in it */
        const char *const reads[3];  /* to be granted for reading: that file, and one that is not there */
        const char *const writes[2]; /* to be granted for writing: a directory, by its relative path */
        int kept;                    /* to be kept: a directory */
};

/** reach_try() got what was granted and nothing else. */
#define REACHED_GRANTED 0x0f

void place_make(struct place *p);

/** Removes it. @return true when a worker has left a file in each directory that it may write to */
bool place_remove(struct place *p);

/** Body of a worker: answers {"reached": bits}, one for each attempt. @p place is a struct place. */
int reach_try(int answer_fd, void *place);
