/* fuzz_wal.c - no log makes the reader count what is not there. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/wal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put32(uint8_t *p, uint32_t v)
{
        for (int i = 0; i < 4; i++)
                p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void sum(int big, const uint8_t *p, size_t n, uint32_t s[2])
{
        for (size_t i = 0; i + 8 <= n; i += 8) {
                uint32_t w[2];
                for (size_t k = 0; k < 2; k++) {
                        uint32_t v = be32(p + i + 4 * k);
                        w[k] = big ? v : __builtin_bswap32(v);
                }
                s[0] += w[0] + s[1];
                s[1] += w[1] + s[0];
        }
}

/* Random bytes never have a right checksum: put some in, so that what lies behind is reached. */
static void repair(uint8_t *b, size_t n, unsigned int frames)
{
        uint32_t s[2] = {0};
        if (n < WAL_HEADER_LEN)
                return;
        int big = b[3] & 1;
        uint32_t page = 512u << (b[10] % 8);
        put32(b, 0x377f0682u + (uint32_t)big);
        put32(b + 4, 3007000);
        put32(b + 8, page);
        sum(big, b, 24, s);
        put32(b + 24, s[0]);
        put32(b + 28, s[1]);
        for (size_t at = WAL_HEADER_LEN; frames-- > 0 && at + WAL_FRAME_HEADER_LEN + page <= n;
             at += WAL_FRAME_HEADER_LEN + page) {
                memcpy(b + at + 8, b + 16, 8);
                sum(big, b + at, 8, s);
                sum(big, b + at + WAL_FRAME_HEADER_LEN, page, s);
                put32(b + at + 16, s[0]);
                put32(b + at + 20, s[1]);
        }
}

static struct wal_scan scan(const uint8_t *data, size_t n, uint64_t limit)
{
        struct reader r = reader_of_memory(data, n);
        struct wal_scan s;
        if (wal_scan(&r, limit, &s) < 0)
                abort();
        if (!s.header_valid && s.frames)
                abort();
        uint64_t frame = WAL_FRAME_HEADER_LEN + (uint64_t)s.header.page_size;
        if (s.frames && WAL_HEADER_LEN + s.frames * frame > (n < limit ? n : limit))
                abort();
        if (s.commits + s.tail_frames > s.frames || (s.commits == 0) != (s.commit_end == 0))
                abort();
        if (s.commits && s.commit_end != WAL_HEADER_LEN + (s.frames - s.tail_frames) * frame)
                abort();
        return s;
}

/* The first byte says how many frames are repaired; 255: nothing is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size < 2)
                return 0;
        uint8_t *copy = malloc(size - 1);
        if (!copy)
                return 0;
        memcpy(copy, data + 1, size - 1);
        if (data[0] != 255)
                repair(copy, size - 1, data[0]);
        struct wal_scan whole = scan(copy, size - 1, UINT64_MAX);
        struct wal_scan half = scan(copy, size - 1, size / 2);
        if (half.frames > whole.frames || (!half.cut && half.frames != whole.frames))
                abort();
        free(copy);
        return 0;
}
