/* space.h - is there room, with a reserve left for the application? Layer: respond. */
#pragma once

#include <stdint.h>

/** Bytes of a file system. */
struct space {
        uint64_t free;    /* for users without privilege */
        uint64_t reserve; /* 10 % of the whole: what must stay free afterwards */
        uint64_t need;    /* what was asked for */
};

/**
 * Is there room for @p need bytes in the file system of @p fd?
 *
 * A file system that does not tell its size (some FUSE) is believed to have room: the copy itself finds out.
 *
 * @param ret  filled when 0 or -ENOSPC
 * @return 0, -ENOSPC, or -errno of fstatvfs(3)
 */
int space_check(int fd, uint64_t need, struct space *ret);

/** Room for a copy of files of @p bytes: a fifth more, for what is written to them meanwhile. Saturates. */
uint64_t space_for_copy(uint64_t bytes);
