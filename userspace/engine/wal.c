/* wal.c - write-ahead log, from the public format description. */
#include "engine/wal.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/sqlite_header.h"

/* Magic of a log whose checksums are over little-endian words; one more for big-endian ones. */
#define WAL_MAGIC   0x377f0682u
#define WAL_VERSION 3007000u

/* Frames are read in runs of about this many bytes. */
#define RUN_BYTES (1u << 20)

/* Section 4.2: two running sums over pairs of 32-bit words; n is a multiple of 8. */
static void checksum_add(bool big_endian, const uint8_t *p, size_t n, uint32_t sum[2])
{
        uint32_t s0 = sum[0], s1 = sum[1];
        for (size_t i = 0; i + 8 <= n; i += 8) {
                uint32_t w[2];
                memcpy(w, p + i, sizeof(w));
                s0 += (big_endian ? be32toh(w[0]) : le32toh(w[0])) + s1;
                s1 += (big_endian ? be32toh(w[1]) : le32toh(w[1])) + s0;
        }
        sum[0] = s0;
        sum[1] = s1;
}

int wal_header_parse(const uint8_t b[WAL_HEADER_LEN], struct wal_header *ret)
{
        struct wal_header h = {
                .big_endian = be32(b) == WAL_MAGIC + 1,
                .page_size = be32(b + 8),
                .checkpoint_seq = be32(b + 12),
                .salt = {be32(b + 16), be32(b + 20)},
        };
        if ((be32(b) != WAL_MAGIC && !h.big_endian) || be32(b + 4) != WAL_VERSION ||
            !sqlite_page_size_valid(h.page_size))
                return -EBADMSG;
        checksum_add(h.big_endian, b, 24, h.checksum);
        if (h.checksum[0] != be32(b + 24) || h.checksum[1] != be32(b + 28))
                return -EBADMSG;
        *ret = h;
        return 0;
}

static bool frame_is_of(const struct wal_header *h, const uint8_t *f)
{
        return be32(f) != 0 && be32(f + 8) == h->salt[0] && be32(f + 12) == h->salt[1];
}

/* One frame: header and page at @p f. @p sum is the running checksum, advanced only when the frame is valid. */
static bool frame_valid(const struct wal_header *h, const uint8_t *f, uint32_t sum[2])
{
        uint32_t s[2] = {sum[0], sum[1]};
        if (!frame_is_of(h, f))
                return false;
        checksum_add(h->big_endian, f, 8, s);
        checksum_add(h->big_endian, f + WAL_FRAME_HEADER_LEN, h->page_size, s);
        if (s[0] != be32(f + 16) || s[1] != be32(f + 20))
                return false;
        memcpy(sum, s, sizeof(s));
        return true;
}

static void frame_count(struct wal_scan *scan, const uint8_t *f, uint64_t end)
{
        scan->frames++;
        scan->tail_frames++;
        uint32_t pages = be32(f + 4); /* not zero: a commit frame, and the size of the database after it */
        if (pages != 0) {
                scan->commits++;
                scan->tail_frames = 0;
                scan->commit_end = end;
                scan->pages = pages;
        }
}

static bool lacks_salts(const uint8_t *f)
{
        return be32(f) != 0 && be32(f + 8) == 0 && be32(f + 12) == 0;
}

/* Rare enough for a call per frame. */
static int scan_behind(const struct reader *r, uint64_t at, uint64_t limit, struct wal_scan *scan)
{
        size_t frame = WAL_FRAME_HEADER_LEN + (size_t)scan->header.page_size;
        uint8_t f[WAL_FRAME_HEADER_LEN];
        uint64_t end = r->size < limit ? r->size : limit;

        for (; at + frame <= end; at += frame) {
                int err = reader_get(r, f, sizeof(f), at);
                if (err < 0)
                        return err == -ENODATA ? 0 : err;
                if (frame_is_of(&scan->header, f) && be32(f + 4) != 0)
                        scan->behind_end = at + frame;
        }
        return 0;
}

/* All frames from the header to the first invalid one, the end, or the limit. */
static int scan_frames(const struct reader *r, uint64_t limit, struct wal_scan *scan)
{
        size_t frame = WAL_FRAME_HEADER_LEN + (size_t)scan->header.page_size;
        size_t run = RUN_BYTES / frame, claimed = (size_t)(r->size / frame);
        run = claimed + 1 < run ? claimed + 1 : run;
        _cleanup_free_ uint8_t *buffer = malloc(run * frame);
        if (!buffer)
                return -ENOMEM;

        uint32_t sum[2] = {scan->header.checksum[0], scan->header.checksum[1]};
        for (uint64_t at = WAL_HEADER_LEN;;) {
                if (at + frame > limit) {
                        scan->cut = at + frame <= r->size;
                        return 0;
                }
                uint64_t room = (limit - at) / frame;
                ssize_t got = r->pread(r, buffer, (room < run ? (size_t)room : run) * frame, at);
                if (got < 0)
                        return (int)got;
                size_t whole = (size_t)got / frame;
                for (size_t i = 0; i < whole; i++, at += frame) {
                        const uint8_t *f = buffer + i * frame;
                        if (!frame_valid(&scan->header, f, sum)) {
                                scan->torn = frame_is_of(&scan->header, f);
                                return lacks_salts(f) ? scan_behind(r, at + frame, limit, scan) : 0;
                        }
                        frame_count(scan, f, at + frame);
                }
                if (whole == 0)
                        return 0;
        }
}

int wal_scan(const struct reader *r, uint64_t limit, struct wal_scan *ret)
{
        struct wal_scan scan = {0};
        uint8_t header[WAL_HEADER_LEN];
        int err = reader_get(r, header, sizeof(header), 0);
        if (err == 0 && wal_header_parse(header, &scan.header) == 0) {
                scan.header_valid = true;
                err = scan_frames(r, limit, &scan);
        }
        if (err < 0 && err != -ENODATA)
                return err;
        *ret = scan;
        return 0;
}
