/* test_shm.c - the WAL index as SQLite leaves it. */
#include "suite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "database.h"
#include "engine/shm.h"
#include "engine/wal.h"

static struct shm_info parse(const uint8_t *data, size_t n)
{
        struct shm_info info;
        ck_assert_int_eq(shm_parse(data, n, &info), 0);
        return info;
}

static uint8_t *killed_shm(const char *script, size_t *ret_size)
{
        const char *path = place("a.db");
        db_make(path, "wal", 200);
        db_killed_after(path, script);
        return slurp(with(path, "-shm"), ret_size);
}

START_TEST(the_index_agrees_with_the_log)
{
        size_t n, wal_size;
        uint8_t *shm = killed_shm("insert into t values(1001, 'x'); insert into t values(1002, 'y')", &n);
        uint8_t *wal = slurp(with(place("a.db"), "-wal"), &wal_size);
        struct reader r = reader_of_memory(wal, wal_size);
        struct wal_scan scan;
        ck_assert_int_eq(wal_scan(&r, UINT64_MAX, &scan), 0);

        struct shm_info info = parse(shm, n);
        ck_assert(info.consistent && info.initialized);
        ck_assert_uint_eq(info.page_size, 4096);
        ck_assert_uint_eq(info.max_frame, scan.frames);
        ck_assert_uint_eq(info.pages, scan.pages);
        ck_assert_uint_eq(info.salt[0], scan.header.salt[0]);
        ck_assert_uint_eq(info.salt[1], scan.header.salt[1]);
        ck_assert_uint_eq(info.backfill, 0);
        free(shm);
        free(wal);
}
END_TEST

START_TEST(a_checkpoint_shows_as_backfill)
{
        size_t n;
        uint8_t *shm = killed_shm("insert into t values(1001, 'x'); pragma wal_checkpoint", &n);
        struct shm_info info = parse(shm, n);
        ck_assert_uint_gt(info.max_frame, 0);
        ck_assert_uint_eq(info.backfill, info.max_frame);
        free(shm);
}
END_TEST

START_TEST(copies_that_differ_or_a_wrong_checksum_are_not_consistent)
{
        size_t n;
        uint8_t *shm = killed_shm("insert into t values(1001, 'x')", &n);
        shm[48 + 16] ^= 1;
        ck_assert(!parse(shm, n).consistent);
        shm[16] ^= 1;
        ck_assert(!parse(shm, n).consistent);
        shm[16] ^= 1;
        shm[48 + 16] ^= 1;
        ck_assert(parse(shm, n).consistent);
        free(shm);
}
END_TEST

START_TEST(a_truncated_index_is_none)
{
        uint8_t bytes[SHM_HEADER_LEN] = {0};
        struct shm_info info;
        ck_assert_int_eq(shm_parse(bytes, 3, &info), -ENODATA);
        ck_assert_int_eq(shm_parse(bytes, SHM_HEADER_LEN - 1, &info), -ENODATA);
        ck_assert_int_eq(shm_parse(bytes, SHM_HEADER_LEN, &info), 0);
        ck_assert(!info.initialized);
}
END_TEST

START_TEST(committed_frames_behind_a_broken_one_are_unreadable)
{
        size_t n, wal_size;
        uint8_t *shm = killed_shm("insert into t values(1001, 'x'); insert into t values(1002, 'y')", &n);
        uint8_t *wal = slurp(with(place("a.db"), "-wal"), &wal_size);
        struct reader r = reader_of_memory(wal, wal_size);
        struct shm_info now = parse(shm, n), other;
        struct wal_scan scan;
        ck_assert_int_eq(wal_scan(&r, UINT64_MAX, &scan), 0);
        ck_assert_uint_eq(shm_unreadable(&now, &now, &scan), 0);

        memset(wal + WAL_HEADER_LEN + 8, 0, 16);
        ck_assert_int_eq(wal_scan(&r, UINT64_MAX, &scan), 0);
        ck_assert_uint_eq(scan.frames, 0);
        ck_assert_uint_eq(shm_unreadable(&now, &now, &scan), now.max_frame);
        /* What proves nothing: frames that came after the scan, another log, a writer at work, a scan that did not go on. */
        other = now;
        other.max_frame = 0;
        ck_assert_uint_eq(shm_unreadable(&other, &now, &scan), 0);
        other = now;
        other.salt[1]++;
        ck_assert_uint_eq(shm_unreadable(&now, &other, &scan), 0);
        ck_assert_uint_eq(shm_unreadable(&other, &now, &scan), 0);
        other = now;
        other.consistent = false;
        ck_assert_uint_eq(shm_unreadable(&other, &now, &scan), 0);
        ck_assert_uint_eq(shm_unreadable(&now, &other, &scan), 0);
        scan.cut = true;
        ck_assert_uint_eq(shm_unreadable(&now, &now, &scan), 0);
        free(shm);
        free(wal);
}
END_TEST

SUITE("shm", committed_frames_behind_a_broken_one_are_unreadable, the_index_agrees_with_the_log,
      a_checkpoint_shows_as_backfill, copies_that_differ_or_a_wrong_checksum_are_not_consistent,
      a_truncated_index_is_none)
