/* restoring.h - one call of backup_restore(), as its steps see it. Layer: respond. Used by restore*.c and swap.c alone. */
#pragma once

#include <sys/stat.h>

#include "respond/list.h"
#include "respond/restore.h"
#include "respond/users.h"
#include "respond/workdir.h"

struct restoring {
        const struct restore_options *options;
        struct restore_result *result;
        struct backup_list list;
        const struct backup_item *item;
        char *dir_path, *name; /* result->path, taken apart */
        int dir;
        bool exists;
        struct stat old;               /* of the main file that is there */
        int old_fd, merged_fd, new_fd; /* they carry the locks; -1: none */
        struct workdir work;
};

/** The file that is to get the name, in the workdir. */
#define RESTORING_NEW "copy.db"

/** Sets the reason. @return @p err */
int restoring_fail(struct restoring *r, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** Adds a note; with @p warn one that asks for something to be done. */
void restoring_note(struct restoring *r, bool warn, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** Makes RESTORING_NEW out of the backup or the evidence. @return 0 or -errno, reason set */
int restoring_copy(struct restoring *r);
/** Reads it again from the disk: it is what the manifest says. @return the same */
int restoring_reread(struct restoring *r);
/** Checks it, unless it is not wanted. @return the same */
int restoring_check(struct restoring *r);

/** Puts RESTORING_NEW in the place of the old database: companions, name, directory. @return 0 or -errno, reason set */
int restoring_swap(struct restoring *r);

/** Owner, mode and extended attributes for a file that takes the place of the old one, or owner and mode of the one that was
 * backed up; synced. @return 0 or -errno */
int restoring_own(struct restoring *r, int fd);
