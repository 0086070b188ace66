/* sleep.h - what a thread that sleeps waits for, by the system call that it is in. Pure: the texts of procfs go in. Layer: sensor. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/evidence.h"

#define SLEEP_ARGUMENTS 4

/** The number of the call and its first arguments, of /proc/PID/syscall. @return false: it runs, or sleeps in no call */
bool sleep_call(const char *text, long *ret_number, uint64_t ret_argument[SLEEP_ARGUMENTS]);

/** @param ret_by_descriptor  true: what it is says the descriptor, which is the first argument */
enum sleep_kind sleep_of_call(long number, const uint64_t argument[SLEEP_ARGUMENTS], bool *ret_by_descriptor);

/** It waits for another thread, for as long as that takes: futex(2) without a time. */
bool sleep_is_endless(long number, const uint64_t argument[SLEEP_ARGUMENTS]);

/** @param link  of /proc/PID/fd, as "socket:[4711]" */
enum sleep_kind sleep_of_link(const char *link);

/** The inode number of "socket:[4711]"; 0: it is no socket. */
uint64_t sleep_socket(const char *link);

/**
 * Counts the established connections of some sockets.
 *
 * @param table  text of /proc/net/tcp, or of tcp6 with @p six
 * @param inode  of the sockets
 * @param own    true: only those that were opened from here, not those that came in at a port that somebody listens at
 * @param ret    `connections` grows; `peer` becomes the first one's, if it has none yet
 */
void sleep_connections(const char *table, bool six, const uint64_t *inode, size_t n, bool own,
                       struct evidence_sleep *ret);
