/* journal.c - rollback journal, from the public format description. */
#include "engine/journal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/sqlite_header.h"

static const uint8_t MAGIC[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};

/* More segments than this are not counted: each is a sync of the writer, and a forged file could hold millions. */
#define SEGMENTS_MAX 65536

struct segment {
        uint32_t records;
        uint32_t initial_pages;
        uint32_t sector_size;
        uint32_t page_size;
};

/* SQLite takes sector sizes from 32 to 65536 and page sizes from 512 to 65536, powers of two (pager.c, readJournalHdr). */
static bool sector_valid(uint32_t n)
{
        return n >= 32 && n <= 65536 && (n & (n - 1)) == 0;
}

/* @return 0, -ENODATA no header there, or -errno */
static int segment_at(const struct reader *r, uint64_t at, struct segment *ret)
{
        uint8_t b[JOURNAL_HEADER_LEN];
        int err = reader_get(r, b, sizeof(b), at);
        if (err < 0)
                return err;
        if (memcmp(b, MAGIC, sizeof(MAGIC)) != 0)
                return -ENODATA;
        *ret = (struct segment){
                .records = be32(b + 8),
                .initial_pages = be32(b + 16),
                .sector_size = be32(b + 20),
                .page_size = be32(b + 24),
        };
        return 0;
}

/* Page records of all segments that follow each other from the start of the file. */
static int count_pages(const struct reader *r, const struct segment *first, struct journal_info *info)
{
        const uint64_t record = 8 + (uint64_t)first->page_size;
        struct segment s = *first;
        for (uint64_t at = 0; info->segments < SEGMENTS_MAX;) {
                uint64_t data = at + first->sector_size;
                if (data > r->size)
                        return 0;
                uint64_t fit = (r->size - data) / record;
                uint64_t records = s.records < fit ? s.records : fit;
                info->segments++;
                info->pages += records;

                uint64_t end = data + records * record;
                at = (end + first->sector_size - 1) / first->sector_size * first->sector_size;
                int err = segment_at(r, at, &s);
                if (err == -ENODATA)
                        return 0;
                if (err < 0)
                        return err;
        }
        return 0;
}

/* SQLite adds plain chars, which are signed on one machine and unsigned on another. */
static bool super_sum_right(const char *name, uint32_t len, uint32_t sum)
{
        int32_t as_signed = 0; /* 1023 chars do not overflow it */
        uint32_t as_unsigned = 0;
        for (uint32_t i = 0; i < len; i++) {
                as_signed += (signed char)name[i];
                as_unsigned += (unsigned char)name[i];
        }
        return sum == (uint32_t)as_signed || sum == as_unsigned;
}

/* The last bytes of the file: lock-page number, name, length, sum of the name's bytes, magic. */
static int read_super(const struct reader *r, struct journal_info *info)
{
        uint8_t tail[16];
        if (r->size < sizeof(tail) + 4)
                return 0;
        int err = reader_get(r, tail, sizeof(tail), r->size - sizeof(tail));
        if (err < 0)
                return err == -ENODATA ? 0 : err;
        uint32_t len = be32(tail);
        if (memcmp(tail + 8, MAGIC, sizeof(MAGIC)) != 0 || len == 0 || len >= sizeof(info->super) ||
            len + sizeof(tail) + 4 > r->size)
                return 0;

        char name[JOURNAL_SUPER_MAX];
        err = reader_get(r, name, len, r->size - sizeof(tail) - len);
        if (err < 0)
                return err == -ENODATA ? 0 : err;
        if (!super_sum_right(name, len, be32(tail + 4)) || memchr(name, '\0', len))
                return 0;
        memcpy(info->super, name, len);
        info->super[len] = '\0';
        info->super_at = r->size - sizeof(tail) - len - 4;
        return 0;
}

int journal_scan(const struct reader *r, struct journal_info *ret)
{
        struct journal_info info = {0};
        struct segment first;
        int err = segment_at(r, 0, &first);
        if (err < 0 && err != -ENODATA)
                return err;
        /* A header that is not padded to its sector is unfinished: SQLite finds no record behind it. */
        if (err == 0 && sector_valid(first.sector_size) && sqlite_page_size_valid(first.page_size) &&
            first.sector_size <= r->size) {
                info.hot = true;
                info.records = first.records;
                info.page_size = first.page_size;
                info.sector_size = first.sector_size;
                info.initial_pages = first.initial_pages;
                err = count_pages(r, &first, &info);
                if (err == 0)
                        err = read_super(r, &info);
                if (err < 0)
                        return err;
        }
        *ret = info;
        return 0;
}

/* As SQLite asks (os_unix.c, unixAccess): what stat() fails for is not there, and no more is a file of 0 bytes. Failures that depend
 * on who asks are not taken for an answer. */
static bool is_gone(const char *path)
{
        struct stat st;
        if (stat(path, &st) == 0)
                return S_ISREG(st.st_mode) && st.st_size == 0;
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG;
}

bool journal_super_gone(const char *super, const char *path)
{
        if (super[0] == '\0' || !is_gone(super))
                return false;
        const char *slash = strrchr(super, '/'), *end = strrchr(path, '/');
        char beside[PATH_MAX];
        int n = snprintf(beside, sizeof(beside), "%.*s/%s", end ? (int)(end - path) : 1, end ? path : ".",
                         slash ? slash + 1 : super);
        return n < (int)sizeof(beside) && is_gone(beside);
}
