/* program.h - what makes two processes starts of one program. Layer: daemon. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * A hash of the program file, of what it was told to run or work on, and of the cgroup that it was started in, the same for each start:
 * what a manager makes up anew each time, as the hex digits in the name of a container or of a scope, does not count. What it was
 * told is its first argument that is like the name of a file (it has a dot or a slash, as the script of an interpreter), else its first
 * that is no option and no number.
 *
 * @param exe       path of the program file; NULL: not known
 * @param argv      NUL-separated; NULL: not known
 * @param argv_len  bytes of it; the last argument may be cut
 * @param cgroup    its path; NULL: not known, or the root
 * @return 0: not known which program it is
 */
uint64_t program_key(const char *exe, const char *argv, size_t argv_len, const char *cgroup);
