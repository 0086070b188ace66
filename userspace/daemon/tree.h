/* tree.h - whole directories: how much they hold, and away with them. Layer: daemon. In helpers only: it takes its time. */
#pragma once

#include <stdint.h>

/** Bytes of all regular files below @p path, on its file system. What cannot be read counts nothing. */
uint64_t tree_bytes(const char *path);

/** Removes @p path and all below it, without following a link or leaving its file system. @return 0 or the first -errno */
int tree_remove(const char *path);
