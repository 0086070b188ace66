/* moment.h - what the files of a database look like at one moment: as long as that stays the same, a reader reads the same. Layer:
 * engine.
 *
 * It rests on what SQLite itself goes by when it keeps pages in its cache: the change counter in the header of the main file
 * (sqlite.org/fileformat2.html, 1.3.9), for a WAL in use the header of its index, of which each commit makes another one
 * (sqlite.org/walformat.html, 2.1). Both are read as they stand in memory, so that a store through a mapping, which moves no
 * time of a file, is seen, too. What is no commit of SQLite (a file that was replaced, copied over or cut) changes inode,
 * size or times. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "engine/sqlite_header.h"

#define MOMENT_INDEX 96 /* bytes: both copies of the header of the -shm */

/** A file as stat(2) tells it; what nobody changes by reading. */
struct file_moment {
        dev_t dev;
        ino_t ino; /* 0: no such file */
        off_t size;
        struct timespec mtime, ctime;
};

struct moment {
        struct file_moment main, wal;
        unsigned char header[SQLITE_HEADER_LEN];
        unsigned char index[MOMENT_INDEX]; /* zero: there is no log that counts */
};

/**
 * Looks at the database at @p path. Waits for no disk: what would have to be read from one is not known. Must not run in a process
 * that holds SQLite handles on the database (engine/files.h).
 *
 * @return 0; -EAGAIN it was written within this tick of the clock, so that another write would look the same, somebody is
 *         writing, or a page is not in memory; -EOPNOTSUPP what is there is read in another way than as it stands; or -errno.
 *         @p ret is untouched on failure.
 */
int moment_take(const char *path, struct moment *ret);

bool moment_same(const struct moment *a, const struct moment *b);

struct file_moment file_moment_of(const struct stat *st);
bool file_moment_same(const struct file_moment *a, const struct file_moment *b);
