/* head.h - the first record of a stream: which host, which boot, which clock. Layer: sensor. */
#pragma once

#include "bpf/abi.h"

/**
 * Fills all of @p ret but its header and `argv`: boot id, host, kernel, version, @p tier, and how far CLOCK_REALTIME is ahead of
 * CLOCK_BOOTTIME now. What cannot be read stays empty.
 */
void head_fill(struct vigil_session *ret, enum vigil_mode mode, const char *tier);
