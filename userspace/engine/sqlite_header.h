/* sqlite_header.h - the first 100 bytes of an SQLite database. Layer: engine. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SQLITE_HEADER_LEN 100

/** The fields Vigil uses of the database header (sqlite.org/fileformat2.html, section 1.3). */
struct sqlite_header {
        uint32_t page_size; /* 512 ... 65536, or 0: the field holds no legal size, so the header is damaged */
        bool wal;           /* read and write version are 2 */
        uint32_t change_counter;
        uint32_t pages; /* size of the file in pages, if change_counter equals version_valid_for */
        uint32_t version_valid_for;
};

/** True when @p n >= 16 bytes begin with "SQLite format 3" and its NUL. */
bool sqlite_header_magic(const void *bytes, size_t n);

/** @return 0, or -EBADMSG when @p n < 100 or the magic is missing: encrypted, or no SQLite database */
int sqlite_header_parse(const void *bytes, size_t n, struct sqlite_header *ret);

/** True for the page sizes of SQLite: powers of two from 512 to 65536. */
bool sqlite_page_size_valid(uint32_t size);
