/* seccomp.h - the system calls of a worker. Layer: base. Used by sandbox.c alone. */
#pragma once

#include <stdbool.h>

/** True when this kernel takes seccomp filters that can kill a process (Linux 4.14) and nothing forbids them. */
bool seccomp_available(void);

/**
 * Allows the calling process what SQLite and copying of files need, and nothing else, for good. A call that only an attacker
 * would make kills the process with SIGSYS, so that it is seen; every other call fails with ENOSYS, as if the kernel were
 * too old for it, because libc then falls back to an older one. Needs no_new_privs.
 *
 * @return 0 or -errno
 */
int seccomp_enter(void);
