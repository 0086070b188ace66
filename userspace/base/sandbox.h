/* sandbox.h - what a worker gives up before it touches anything hostile. Layer: base. Used by child.c alone. */
#pragma once

#include <sys/types.h>

#include "base/child.h"

/**
 * What of the sandbox this kernel (or a sanitizer build) cannot give, found by trial in the parent.
 * @return static text for child_result.unconfined, or NULL when nothing is lacking
 */
const char *sandbox_lacks(const struct child_options *options);

/**
 * Confines the calling process, a fresh child of @p parent, for good. Every step that the kernel offers must succeed.
 * @return 0 or -errno of the step that failed; the process must then exit
 */
int sandbox_enter(const struct child_options *options, const int *keep_fds, pid_t parent, int answer_fd);
