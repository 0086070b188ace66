/* jail.h - which files a worker can reach where the kernel has no Landlock: a mount namespace with nothing else in it.
 * Layer: base. Used by sandbox.c alone. Needs CAP_SYS_ADMIN and Linux 5.12 (mount_setattr). */
#pragma once

#include <stdbool.h>

/** True when this process may build such a namespace: tried once, in a child, and remembered. */
bool jail_available(void);

/**
 * Moves the calling process, for good, into a file tree of its own that holds only what it is given, each under the path it
 * was given by; the rest is empty directories, read-only. Descriptors that are open already keep working; a directory among
 * @p fds is opened again inside and granted as if it stood in @p writable.
 *
 * @param read_only  NULL-terminated paths of files or directories; one that does not exist grants nothing. NULL: none
 * @param writable   the same for reading and writing
 * @param fds        descriptors ended by -1; NULL: none
 * @return 0 or -errno; -E2BIG for more than 64 grants. After a failure the process must exit.
 */
int jail_enter(const char *const *read_only, const char *const *writable, const int *fds);
