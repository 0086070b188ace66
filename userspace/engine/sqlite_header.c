/* sqlite_header.c - database header, from the public format description. */
#include "engine/sqlite_header.h"

#include <errno.h>
#include <string.h>

#include "engine/reader.h"

static const char MAGIC[16] = "SQLite format 3";

enum {
        AT_PAGE_SIZE = 16,
        AT_WRITE_VERSION = 18,
        AT_READ_VERSION = 19,
        AT_CHANGE_COUNTER = 24,
        AT_PAGES = 28,
        AT_VERSION_VALID_FOR = 92,
};

bool sqlite_header_magic(const void *bytes, size_t n)
{
        return n >= sizeof(MAGIC) && memcmp(bytes, MAGIC, sizeof(MAGIC)) == 0;
}

bool sqlite_page_size_valid(uint32_t size)
{
        return size >= 512 && size <= 65536 && (size & (size - 1)) == 0;
}

int sqlite_header_parse(const void *bytes, size_t n, struct sqlite_header *ret)
{
        const uint8_t *b = bytes;
        if (n < SQLITE_HEADER_LEN || !sqlite_header_magic(bytes, n))
                return -EBADMSG;

        /* 65536 does not fit into the two bytes; it is written as 1. */
        uint32_t page_size = be16(b + AT_PAGE_SIZE) == 1 ? 65536 : be16(b + AT_PAGE_SIZE);
        *ret = (struct sqlite_header){
                .page_size = sqlite_page_size_valid(page_size) ? page_size : 0,
                .wal = b[AT_WRITE_VERSION] == 2 && b[AT_READ_VERSION] == 2,
                .change_counter = be32(b + AT_CHANGE_COUNTER),
                .pages = be32(b + AT_PAGES),
                .version_valid_for = be32(b + AT_VERSION_VALID_FOR),
        };
        return 0;
}
