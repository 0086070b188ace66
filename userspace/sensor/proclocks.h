/* proclocks.h - who holds which lock now, from /proc/locks: for processes whose lock calls were not seen. Layer: sensor. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** One POSIX lock of the host, or one of an open file description, which conflict with each other. */
struct proc_lock {
        uint32_t tgid; /* 0: of an open file description */
        uint32_t dev;  /* kernel encoding: major << 20 | minor */
        uint64_t ino;
        uint64_t start;
        uint64_t end; /* inclusive; UINT64_MAX: to the end of the file */
        int write;    /* 1: exclusive */
        int waits;    /* 1: it is not held: somebody sleeps in the kernel until it can be */
};

/** Most locks that are read; a host with more has the rest unread, and ret_cut set. */
#define PROC_LOCKS_MAX 65536

/**
 * Parses text of the form of /proc/locks (fs/locks.c, lock_get_status). flock locks and leases are left out, and so are lines
 * that are not understood.
 *
 * @param ret  owned by the caller
 * @return 0 or -ENOMEM
 */
int proclocks_parse(const char *text, struct proc_lock **ret, size_t *ret_n, int *ret_cut);

/** The same of the running kernel. @return 0, -ENOMEM or -errno of reading */
int proclocks_read(struct proc_lock **ret, size_t *ret_n, int *ret_cut);

/** Bits of enum vigil_lock that @p lock means on a file of @p role (VIGIL_ROLE_MAIN or VIGIL_ROLE_SHM). SQLite's adjacent
 * bytes merge into one range: decoded by overlap. */
uint32_t proclocks_bits(const struct proc_lock *lock, uint32_t role);
