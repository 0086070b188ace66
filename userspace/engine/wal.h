/* wal.h - reader of SQLite's write-ahead log. Layer: engine.
 *
 * Format: sqlite.org/fileformat2.html, section 4. A header of 32 bytes, then frames of 24 bytes and a page each. A frame
 * counts when its salts are those of the header and the running checksum over everything before it agrees; the first that
 * does not ends the log. What comes after is an older generation, or torn. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/reader.h"

#define WAL_HEADER_LEN       32
#define WAL_FRAME_HEADER_LEN 24

/** Header of a -wal whose checksum is right. */
struct wal_header {
        bool big_endian; /* checksums are over big-endian words */
        uint32_t page_size;
        uint32_t checkpoint_seq;
        uint32_t salt[2];
        uint32_t checksum[2];
};

/** What recovery would find in a -wal. */
struct wal_scan {
        bool header_valid;
        struct wal_header header; /* zero unless header_valid */
        uint64_t frames;          /* valid frames */
        uint64_t commits;         /* of these, commit frames */
        uint64_t tail_frames;     /* valid frames after the last commit frame */
        uint64_t commit_end;      /* end offset of the last commit frame; 0: none */
        uint32_t pages;           /* size of the database in pages after the last commit; 0: none */
        bool cut;                 /* stopped at the limit: the counts are lower bounds */
        bool torn;                /* the frame behind the valid ones is of this log, and its checksum is wrong */
        /* End offset of the last commit frame of this log behind a frame without salts; 0: none. SQLite writes salts and checksums of
         * a transaction that wrote a page twice with its commit (wal.c, walRewriteChecksums): the commit frame has none until all
         * have. */
        uint64_t behind_end;
};

/** @return 0, or -EBADMSG: wrong magic, version, page size or checksum; SQLite ignores such a log or refuses it */
int wal_header_parse(const uint8_t bytes[WAL_HEADER_LEN], struct wal_header *ret);

/**
 * Finds the valid frames of a -wal.
 *
 * @param limit  bytes of the file that are read at most, at least one frame
 * @return 0 (an empty file, or one with an invalid header, has no valid frame), -ENOMEM, or -errno of the reader
 */
int wal_scan(const struct reader *r, uint64_t limit, struct wal_scan *ret);
