/* copy.h - the bytes of one file into another. Layer: engine. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Called after every @p bytes copied; a negative value ends the copy and is returned. */
typedef int (*copy_step)(void *userdata, uint64_t bytes);

/**
 * Makes @p to share the extents of @p from, which copies nothing (FICLONE: btrfs, XFS, bcachefs).
 * @return 0, or -errno: the file system cannot, or the files lie on two
 */
int copy_reflink(int from, int to);

/**
 * Copies the first @p size bytes of @p from to the empty file @p to. Holes stay holes; the file offset of @p from moves.
 *
 * @param flush  starts write-back of what was copied, so that a later fsync(2) finds little to do
 * @return bytes copied, fewer than @p size when @p from ended before; or -errno, or what @p step returned
 */
int64_t copy_bytes(int from, int to, uint64_t size, bool flush, copy_step step, void *userdata);
