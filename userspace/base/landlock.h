/* landlock.h - which files a worker can reach. Layer: base. Used by sandbox.c alone. */
#pragma once

/** Version of the Landlock interface of this kernel, or 0: none (before Linux 5.13, not built in, or not enabled at boot). */
int landlock_version(void);

/**
 * Leaves the calling process, for good, only what it is given: nothing below a path that is not listed can be opened,
 * created, removed or renamed. Descriptors that are open already keep working; a directory among @p fds is granted as if it
 * stood in @p writable. Needs no_new_privs.
 *
 * @param read_only  NULL-terminated paths of files or directories; one that does not exist grants nothing. NULL: none
 * @param writable   the same for reading and writing
 * @param fds        descriptors ended by -1; NULL: none
 * @return 0 or -errno
 */
int landlock_enter(int version, const char *const *read_only, const char *const *writable, const int *fds);
