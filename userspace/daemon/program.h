/* program.h - what makes two processes starts of one program. Layer: daemon. */
#pragma once

#include <stdint.h>

/**
 * A hash of the program file and the cgroup that it was started in, the same for each start: what a manager makes up anew each time,
 * as the hex digits in the name of a container or of a scope, does not count. Where an interpreter runs several scripts in one
 * cgroup, they are one program.
 *
 * @param exe     path of the program file; NULL: not known
 * @param cgroup  its path; NULL: not known, or the root
 * @return 0: not known which program it is
 */
uint64_t program_key(const char *exe, const char *cgroup);
