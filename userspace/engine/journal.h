/* journal.h - reader of SQLite's rollback journal. Layer: engine.
 *
 * Format: sqlite.org/fileformat2.html, section 3. Segments of a header (padded to the sector size) and page records; a
 * journal of a transaction over several databases ends with the name of its super-journal. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/reader.h"

#define JOURNAL_HEADER_LEN 28
#define JOURNAL_TO_THE_END 0xffffffffu /* nRec of a journal that was written without syncs */
#define JOURNAL_SUPER_MAX  1024

/** What the next open would find in a -journal. */
struct journal_info {
        bool hot; /* magic, legal sizes: the next open plays it back, if no writer is alive and no super-journal is gone */
        uint32_t records;       /* nRec of the first header; JOURNAL_TO_THE_END: as many as fit */
        uint32_t page_size;     /* 0 unless hot, as all below */
        uint32_t sector_size;   /* headers are padded to this */
        uint32_t initial_pages; /* size of the database before the transaction, in pages */
        uint64_t pages;         /* whole page records of all segments; their checksums are not looked at */
        uint32_t segments;
        char super[JOURNAL_SUPER_MAX]; /* path of the super-journal as the application saw it; "" none */
        uint64_t super_at;             /* offset of the record that names it */
};

/** @return 0 (an empty, zeroed or foreign file is just not hot), or -errno of the reader */
int journal_scan(const struct reader *r, struct journal_info *ret);

/**
 * Whether the super-journal @p super is gone: then the transaction is committed and SQLite deletes the journal unread.
 * Looked for under its own path and, because the application may have seen another mount tree, beside @p path, the resolved
 * main file. Asked where the host's files are seen, so not in a worker. False for "", and when that cannot be known.
 */
bool journal_super_gone(const char *super, const char *path);
