/* resolve.h - where a path leads. Layer: base. */
#pragma once

#include <limits.h>

/**
 * The path of the file itself, symbolic links followed, as realpath(3); but the file may be missing, also where a link leads to it: an
 * open(2) with O_CREAT makes it there.
 *
 * @param ret  PATH_MAX bytes
 * @return 0; -ENOENT the directory does not exist, or @p path names none; -ELOOP, -ENAMETOOLONG, or -errno of realpath(3)
 */
int resolve_file(const char *path, char ret[PATH_MAX]);
