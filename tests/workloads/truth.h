/* truth.h - what a workload knows about itself, told independently of Vigil: one JSON object per line. */
#pragma once

#include <jansson.h>

/**
 * Where the truth goes from now on, in this process and its children.
 *
 * @param path  a file that is appended to; NULL: standard output
 * @return 0 or -errno
 */
int truth_open(const char *path);

/**
 * Adds `pid` as /proc shows it, `tid` and `start` (clock ticks since boot, field 22 of /proc/PID/stat) to @p line and writes it with one
 * write(2), so that lines of several processes do not mix. Takes the reference to @p line. Errors are ignored: a workload
 * that has closed its descriptors goes on.
 */
void truth_tell(json_t *line);
