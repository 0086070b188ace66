/* shm.c - WAL index header, from the public format description. */
#include "engine/shm.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/reader.h"

#define COPY_LEN 48

enum {
        AT_IS_INIT = 12,
        AT_PAGE_SIZE = 14,
        AT_MAX_FRAME = 16,
        AT_PAGES = 20,
        AT_SALT = 32,
        AT_CHECKSUM = 40,
        AT_BACKFILL = 96,
        AT_READ_MARK = 100,
};

static uint32_t native32(const uint8_t *p)
{
        uint32_t v;
        memcpy(&v, p, sizeof(v));
        return v;
}

static uint16_t native16(const uint8_t *p)
{
        uint16_t v;
        memcpy(&v, p, sizeof(v));
        return v;
}

/* The sums of the -wal, over the header in native words. */
static bool checksum_right(const uint8_t *b)
{
        uint32_t s0 = 0, s1 = 0;
        for (size_t i = 0; i < AT_CHECKSUM; i += 8) {
                s0 += native32(b + i) + s1;
                s1 += native32(b + i + 4) + s0;
        }
        return s0 == native32(b + AT_CHECKSUM) && s1 == native32(b + AT_CHECKSUM + 4);
}

int shm_parse(const void *bytes, size_t n, struct shm_info *ret)
{
        const uint8_t *b = bytes;
        if (n < SHM_HEADER_LEN)
                return -ENODATA;

        struct shm_info info = {
                .consistent = memcmp(b, b + COPY_LEN, COPY_LEN) == 0 && checksum_right(b),
                .initialized = b[AT_IS_INIT] != 0,
                .page_size = native16(b + AT_PAGE_SIZE) == 1 ? 65536 : native16(b + AT_PAGE_SIZE),
                .max_frame = native32(b + AT_MAX_FRAME),
                .pages = native32(b + AT_PAGES),
                .salt = {be32(b + AT_SALT), be32(b + AT_SALT + 4)},
                .backfill = native32(b + AT_BACKFILL),
        };
        for (size_t i = 0; i < 5; i++)
                info.read_mark[i] = native32(b + AT_READ_MARK + 4 * i);
        *ret = info;
        return 0;
}

void shm_now(int fd, struct shm_info *ret)
{
        uint8_t bytes[SHM_HEADER_LEN];
        ssize_t n = fd >= 0 ? pread(fd, bytes, sizeof(bytes), 0) : -1;

        *ret = (struct shm_info){0};
        if (n > 0)
                shm_parse(bytes, (size_t)n, ret);
}

static bool is_of(const struct shm_info *i, const struct wal_header *h)
{
        return i->consistent && i->initialized && i->page_size == h->page_size && i->salt[0] == h->salt[0] &&
               i->salt[1] == h->salt[1];
}

uint32_t shm_unreadable(const struct shm_info *before, const struct shm_info *after, const struct wal_scan *scan)
{
        if (!scan->header_valid || scan->cut || !is_of(before, &scan->header) || !is_of(after, &scan->header))
                return 0;
        uint64_t frame = WAL_FRAME_HEADER_LEN + (uint64_t)scan->header.page_size;
        uint64_t readable = scan->commit_end ? (scan->commit_end - WAL_HEADER_LEN) / frame : 0;
        return before->max_frame > readable ? (uint32_t)(before->max_frame - readable) : 0;
}
