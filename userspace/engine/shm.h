/* shm.h - reader of the WAL index, the -shm. Layer: engine.
 *
 * Format: sqlite.org/walformat.html, section 2. Two copies of a header of 48 bytes, then the checkpoint information.
 * Numbers are in the byte order of the machine that writes it, the salts as they stand in the -wal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/wal.h"

#define SHM_HEADER_LEN 136 /* both header copies, checkpoint information, lock bytes */

/** The WAL index as its header tells it. */
struct shm_info {
        bool consistent;  /* both copies agree and their checksum is right; else a writer is at it, or it is torn */
        bool initialized; /* isInit of the first copy */
        uint32_t page_size; /* 0: not set */
        uint32_t max_frame; /* last valid frame of the -wal */
        uint32_t pages;     /* size of the database in pages */
        uint32_t salt[2];
        uint32_t backfill; /* frames that are in the main file already; more than max_frame: a WAL-reset race */
        uint32_t read_mark[5];
};

/** @return 0, or -ENODATA when @p n < SHM_HEADER_LEN: it is being made, or was truncated */
int shm_parse(const void *bytes, size_t n, struct shm_info *ret);

/** The index in the -shm @p fd as it is now; all zero when there is none, or it cannot be read. */
void shm_now(int fd, struct shm_info *ret);

/**
 * Committed frames that connections see by the index and that no recovery will find: the chain of salts and checksums in the
 * -wal breaks before them. No frame up to max_frame is written again before the log begins anew, and that shows in the salts
 * first.
 *
 * @param before, after  the index before and after the -wal was scanned
 * @return how many; 0 also where nothing is known: a writer was at it, the log began anew meanwhile, the scan was cut
 */
uint32_t shm_unreadable(const struct shm_info *before, const struct shm_info *after, const struct wal_scan *scan);
