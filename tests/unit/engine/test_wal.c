/* test_wal.c - the WAL reader finds exactly what SQLite's recovery would. */
#include "suite.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "database.h"
#include "engine/wal.h"

#define NO_LIMIT UINT64_MAX
#define FRAME    (WAL_FRAME_HEADER_LEN + 4096u)

static struct wal_scan scan_bytes(const uint8_t *data, size_t n)
{
        struct reader r = reader_of_memory(data, n);
        struct wal_scan scan;
        ck_assert_int_eq(wal_scan(&r, NO_LIMIT, &scan), 0);
        return scan;
}

/* A -wal of 3 commits and then an uncommitted transaction that spilled. */
static uint8_t *killed_wal(size_t *ret_size)
{
        const char *path = place("killed.db");
        db_make(path, "wal", 200);
        db_killed_after(path, "pragma wal_autocheckpoint=0; insert into t values(1001, 'a');"
                              "insert into t values(1002, 'b'); insert into t values(1003, 'c');"
                              "begin; update t set v = randomblob(500);");
        return slurp(with(path, "-wal"), ret_size);
}

static void put32(uint8_t *p, uint32_t v)
{
        for (int i = 0; i < 4; i++)
                p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void sum(bool big, const uint8_t *p, size_t n, uint32_t s[2])
{
        for (size_t i = 0; i < n; i += 8) {
                uint32_t x[2];
                for (size_t k = 0; k < 2; k++) {
                        const uint8_t *w = p + i + 4 * k;
                        x[k] = big ? (uint32_t)w[0] << 24 | (uint32_t)w[1] << 16 | (uint32_t)w[2] << 8 | w[3]
                                   : (uint32_t)w[3] << 24 | (uint32_t)w[2] << 16 | (uint32_t)w[1] << 8 | w[0];
                }
                s[0] += x[0] + s[1];
                s[1] += x[1] + s[0];
        }
}

/* A log written by hand: `frames` frames of which every third commits. */
static uint8_t *made_wal(bool big, uint32_t page_size, size_t frames, size_t *ret_size)
{
        size_t frame = WAL_FRAME_HEADER_LEN + page_size, n = WAL_HEADER_LEN + frames * frame;
        uint8_t *b = calloc(1, n);
        uint32_t s[2] = {0};
        put32(b, big ? 0x377f0683 : 0x377f0682);
        put32(b + 4, 3007000);
        put32(b + 8, page_size);
        put32(b + 16, 0x12345678);
        put32(b + 20, 0x9abcdef0);
        sum(big, b, 24, s);
        put32(b + 24, s[0]);
        put32(b + 28, s[1]);
        for (size_t i = 0; i < frames; i++) {
                uint8_t *f = b + WAL_HEADER_LEN + i * frame;
                put32(f, (uint32_t)i + 1);
                put32(f + 4, i % 3 == 2 ? 77 : 0);
                memcpy(f + 8, b + 16, 8);
                memset(f + WAL_FRAME_HEADER_LEN, (int)i + 1, page_size);
                sum(big, f, 8, s);
                sum(big, f + WAL_FRAME_HEADER_LEN, page_size, s);
                put32(f + 16, s[0]);
                put32(f + 20, s[1]);
        }
        *ret_size = n;
        return b;
}

START_TEST(commits_and_uncommitted_frames_of_a_killed_writer_are_told_apart)
{
        size_t n;
        uint8_t *wal = killed_wal(&n);
        struct wal_scan s = scan_bytes(wal, n);
        ck_assert(s.header_valid);
        ck_assert_uint_eq(s.header.page_size, 4096);
        ck_assert_uint_eq(s.commits, 3);
        ck_assert_uint_gt(s.tail_frames, 0);
        ck_assert_uint_eq(s.commit_end, WAL_HEADER_LEN + (s.frames - s.tail_frames) * FRAME);
        ck_assert(!s.cut);
        /* SQLite agrees: the three rows are there, the update is not. */
        ck_assert_int_eq(db_ask(place("killed.db"), "select count(*) from t"), 203);
        free(wal);
}
END_TEST

START_TEST(both_byte_orders_and_all_page_sizes_are_read)
{
        for (uint32_t page_size = 512; page_size <= 65536; page_size *= 2) {
                for (int big = 0; big <= 1; big++) {
                        size_t n;
                        uint8_t *wal = made_wal(big, page_size, 7, &n);
                        struct wal_scan s = scan_bytes(wal, n);
                        ck_assert_uint_eq(s.frames, 7);
                        ck_assert_uint_eq(s.commits, 2);
                        ck_assert_uint_eq(s.tail_frames, 1);
                        ck_assert_uint_eq(s.pages, 77);
                        free(wal);
                }
        }
}
END_TEST

START_TEST(the_first_torn_frame_ends_the_log)
{
        size_t n;
        uint8_t *wal = made_wal(false, 1024, 9, &n);
        wal[WAL_HEADER_LEN + 4 * (WAL_FRAME_HEADER_LEN + 1024) + 500] ^= 1;
        struct wal_scan s = scan_bytes(wal, n);
        ck_assert_uint_eq(s.frames, 4);
        ck_assert_uint_eq(s.commits, 1);
        ck_assert_uint_eq(s.tail_frames, 1);
        ck_assert(s.torn);
        /* With other salts it is no frame of this log at all. */
        wal[WAL_HEADER_LEN + 4 * (WAL_FRAME_HEADER_LEN + 1024) + 8] ^= 1;
        ck_assert(!scan_bytes(wal, n).torn);
        free(wal);
}
END_TEST

START_TEST(frames_of_an_older_generation_do_not_count)
{
        size_t n;
        uint8_t *wal = made_wal(false, 512, 6, &n);
        wal[WAL_HEADER_LEN + 3 * (WAL_FRAME_HEADER_LEN + 512) + 8] ^= 1; /* salt */
        ck_assert_uint_eq(scan_bytes(wal, n).frames, 3);
        free(wal);
}
END_TEST

START_TEST(a_frame_for_page_zero_ends_the_log)
{
        size_t n;
        uint8_t *wal = made_wal(false, 512, 3, &n);
        put32(wal + WAL_HEADER_LEN, 0);
        ck_assert_uint_eq(scan_bytes(wal, n).frames, 0);
        free(wal);
}
END_TEST

START_TEST(a_frame_cut_short_is_no_frame)
{
        size_t n;
        uint8_t *wal = made_wal(false, 512, 3, &n);
        ck_assert_uint_eq(scan_bytes(wal, n - 1).frames, 2);
        ck_assert_uint_eq(scan_bytes(wal, WAL_HEADER_LEN).frames, 0);
        ck_assert(scan_bytes(wal, WAL_HEADER_LEN).header_valid);
        ck_assert(!scan_bytes(wal, WAL_HEADER_LEN - 1).header_valid);
        ck_assert(!scan_bytes(wal, 0).header_valid);
        free(wal);
}
END_TEST

START_TEST(a_header_with_a_wrong_page_size_version_or_checksum_is_invalid)
{
        static const size_t wrong[] = {3, 7, 9, 10, 17, 24, 31};
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                size_t n;
                uint8_t *wal = made_wal(true, 4096, 3, &n);
                wal[wrong[i]] ^= 0x40;
                struct wal_scan s = scan_bytes(wal, n);
                ck_assert_msg(!s.header_valid && s.frames == 0, "byte %zu", wrong[i]);
                free(wal);
        }
}
END_TEST

START_TEST(four_gibibytes_of_claimed_frames_end_at_the_first_invalid_one)
{
        size_t n;
        uint8_t *wal = made_wal(false, 4096, 3, &n);
        const char *path = place("huge-wal");
        spill(path, wal, n);
        ck_assert_int_eq(truncate(path, 4LL << 30), 0);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct reader r;
        struct wal_scan s;
        ck_assert_int_eq(reader_of_fd(fd, &r), 0);
        ck_assert_int_eq(wal_scan(&r, NO_LIMIT, &s), 0);
        ck_assert_uint_eq(s.frames, 3);
        ck_assert(!s.cut);
        close(fd);
        free(wal);
}
END_TEST

/* As SQLite leaves one that it forgot to give its salts: see the header. */
START_TEST(a_commit_behind_a_frame_without_salts_is_seen_and_does_not_count)
{
        size_t n, frame = WAL_FRAME_HEADER_LEN + 512;
        uint8_t *wal = made_wal(false, 512, 10, &n);
        uint64_t last = scan_bytes(wal, n).commit_end;

        ck_assert_uint_eq(scan_bytes(wal, n).behind_end, 0);
        memset(wal + WAL_HEADER_LEN + 2 * frame + 8, 0, 16);
        ck_assert_uint_eq(scan_bytes(wal, n).frames, 2);
        ck_assert_uint_eq(scan_bytes(wal, n).behind_end, last);
        /* The commit frame itself has none yet: its commit had not ended. */
        memset(wal + last - frame + 8, 0, 16);
        ck_assert_uint_lt(scan_bytes(wal, n).behind_end, last);
        /* Of an older log. */
        for (size_t at = WAL_HEADER_LEN; at + frame <= n; at += frame)
                wal[at + 9] ^= at > WAL_HEADER_LEN + 2 * frame;
        ck_assert_uint_eq(scan_bytes(wal, n).behind_end, 0);
        free(wal);
}
END_TEST

START_TEST(a_limit_cuts_the_scan_and_says_so)
{
        size_t n;
        uint8_t *wal = made_wal(false, 512, 10, &n);
        struct reader r = reader_of_memory(wal, n);
        struct wal_scan s;
        ck_assert_int_eq(wal_scan(&r, WAL_HEADER_LEN + 4 * (WAL_FRAME_HEADER_LEN + 512) + 5, &s), 0);
        ck_assert_uint_eq(s.frames, 4);
        ck_assert(s.cut);
        ck_assert_int_eq(wal_scan(&r, n, &s), 0);
        ck_assert_uint_eq(s.frames, 10);
        ck_assert(!s.cut);
        free(wal);
}
END_TEST

START_TEST(a_flipped_bit_never_adds_a_frame)
{
        size_t n;
        uint8_t *wal = killed_wal(&n);
        struct wal_scan whole = scan_bytes(wal, n);
        srand(7);
        for (int i = 0; i < 300; i++) {
                size_t at = (size_t)rand() % n;
                uint8_t bit = (uint8_t)(1u << (rand() % 8));
                wal[at] ^= bit;
                struct wal_scan s = scan_bytes(wal, n);
                ck_assert_uint_le(s.frames, whole.frames);
                if (at < whole.commit_end + whole.tail_frames * FRAME)
                        ck_assert_uint_lt(s.frames, whole.frames);
                wal[at] ^= bit;
        }
        free(wal);
}
END_TEST

SUITE("wal", commits_and_uncommitted_frames_of_a_killed_writer_are_told_apart,
      both_byte_orders_and_all_page_sizes_are_read, the_first_torn_frame_ends_the_log,
      frames_of_an_older_generation_do_not_count, a_frame_for_page_zero_ends_the_log, a_frame_cut_short_is_no_frame,
      a_header_with_a_wrong_page_size_version_or_checksum_is_invalid,
      four_gibibytes_of_claimed_frames_end_at_the_first_invalid_one, a_limit_cuts_the_scan_and_says_so,
      a_commit_behind_a_frame_without_salts_is_seen_and_does_not_count, a_flipped_bit_never_adds_a_frame)
