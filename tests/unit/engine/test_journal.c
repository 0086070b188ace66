/* test_journal.c - hot, cold and stale rollback journals. */
#include "suite.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "database.h"
#include "engine/journal.h"

static struct journal_info scan_bytes(const uint8_t *data, size_t n)
{
        struct reader r = reader_of_memory(data, n);
        struct journal_info info;
        ck_assert_int_eq(journal_scan(&r, &info), 0);
        return info;
}

static struct journal_info scan_file(const char *path)
{
        size_t n;
        uint8_t *data = slurp(path, &n);
        struct journal_info info = scan_bytes(data, n);
        free(data);
        return info;
}

/* The -journal of a process killed after the script. */
static const char *killed(const char *script)
{
        const char *path = place("killed.db");
        db_make(path, "delete", 200);
        db_killed_after(path, script);
        return with(path, "-journal");
}

START_TEST(a_transaction_that_spilled_leaves_a_hot_journal)
{
        const char *journal = killed("begin; update t set v = randomblob(500)");
        struct journal_info info = scan_file(journal);
        ck_assert(info.hot);
        ck_assert_uint_eq(info.page_size, 4096);
        ck_assert_uint_eq(info.initial_pages, (uint64_t)size_of(place("killed.db")) / 4096);
        ck_assert_uint_gt(info.pages, info.records); /* more than one segment */
        ck_assert_uint_gt(info.segments, 1);
        ck_assert_str_eq(info.super, "");
        /* SQLite rolls it back. */
        ck_assert_int_eq(db_ask(place("killed.db"), "select count(*) from t"), 200);
        ck_assert_int_eq(size_of(journal), -1);
}
END_TEST

START_TEST(a_transaction_that_did_not_spill_leaves_a_cold_journal)
{
        const char *journal = killed("begin; insert into t values(1001, 'x')");
        ck_assert_int_gt(size_of(journal), 0);
        ck_assert(!scan_file(journal).hot);
}
END_TEST

START_TEST(without_syncs_the_journal_is_hot_and_reaches_to_the_end)
{
        const char *journal = killed(
                "pragma synchronous=off; begin; update t set v = randomblob(500) where id < 60");
        struct journal_info info = scan_file(journal);
        ck_assert(info.hot);
        ck_assert_uint_eq(info.records, JOURNAL_TO_THE_END);
        ck_assert_uint_eq(info.pages, ((uint64_t)size_of(journal) - info.sector_size) / (4096 + 8));
}
END_TEST

START_TEST(the_zeroed_header_of_persist_mode_is_cold)
{
        const char *journal = killed("pragma journal_mode=persist; insert into t values(1001, 'x')");
        ck_assert_int_gt(size_of(journal), 4096);
        ck_assert(!scan_file(journal).hot);
}
END_TEST

START_TEST(no_records_claimed_are_no_pages_whatever_the_size)
{
        size_t n;
        uint8_t *data = slurp(killed("begin; update t set v = randomblob(500)"), &n);
        memset(data + 8, 0, 4);
        struct journal_info info = scan_bytes(data, 512 + 4104 * 2);
        ck_assert(info.hot);
        ck_assert_uint_eq(info.pages, 0);
        free(data);
}
END_TEST

START_TEST(records_beyond_the_end_do_not_count)
{
        size_t n;
        uint8_t *data = slurp(killed("begin; update t set v = randomblob(500)"), &n);
        memset(data + 8, 0x7f, 4);
        ck_assert_uint_eq(scan_bytes(data, 512 + 4104 * 2 + 100).pages, 2);
        ck_assert(!scan_bytes(data, 511).hot);
        ck_assert(!scan_bytes(data, 27).hot);
        ck_assert(!scan_bytes(data, 0).hot);
        free(data);
}
END_TEST

START_TEST(illegal_sizes_make_no_header)
{
        static const struct {
                size_t at;
                uint8_t value;
        } wrong[] = {{20, 1}, {22, 3}, {23, 1}, {24, 1}, {25, 2}, {26, 0x11}, {0, 0}};
        size_t n;
        uint8_t *data = slurp(killed("begin; update t set v = randomblob(500)"), &n);
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                uint8_t was = data[wrong[i].at];
                data[wrong[i].at] = wrong[i].value;
                ck_assert_msg(!scan_bytes(data, n).hot, "byte %zu", wrong[i].at);
                data[wrong[i].at] = was;
        }
        ck_assert(scan_bytes(data, n).hot);
        free(data);
}
END_TEST

/* Journals of a transaction over two databases, as they stand between the super-journal and its deletion. */
static uint8_t *with_super(const char *super, size_t *ret_size)
{
        size_t n, len = strlen(super);
        uint8_t *data = slurp(killed("begin; update t set v = randomblob(500)"), &n);
        data = realloc(data, n + len + 20);
        uint8_t *p = data + n;
        uint32_t sum = 0;
        memset(p, 0, len + 20);
        memcpy(p + 4, super, len);
        for (size_t i = 0; i < len; i++)
                sum += (uint8_t)super[i];
        p += 4 + len;
        p[3] = (uint8_t)len;
        for (int i = 0; i < 4; i++)
                p[4 + i] = (uint8_t)(sum >> (24 - 8 * i));
        memcpy(p + 8, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8);
        *ret_size = n + len + 20;
        return data;
}

START_TEST(a_super_journal_is_named_and_looked_for)
{
        size_t n;
        const char *super = place("main.db-mj01234567"), *path = place("killed.db");
        uint8_t *data = with_super(super, &n);
        struct journal_info info = scan_bytes(data, n);
        ck_assert_str_eq(info.super, super);
        ck_assert_uint_eq(info.super_at, n - 20 - strlen(super));
        ck_assert(journal_super_gone(info.super, path));
        spill(super, "x", 1);
        ck_assert(!journal_super_gone(info.super, path));
        free(data);
}
END_TEST

START_TEST(a_super_journal_is_gone_where_sqlite_finds_none)
{
        const char *super = place("loop-mj1"), *path = place("killed.db");
        char longest[600];
        ck_assert_int_eq(symlink("loop-mj1", super), 0);
        ck_assert(journal_super_gone(super, path));
        unlink(super);
        spill(super, "", 0);
        ck_assert(journal_super_gone(super, path));
        spill(super, "x", 1);
        ck_assert(!journal_super_gone(super, path));
        memset(longest, 'x', sizeof(longest) - 1);
        longest[sizeof(longest) - 1] = '\0';
        ck_assert(journal_super_gone(longest, path));
}
END_TEST

START_TEST(a_super_journal_under_another_mount_is_found_beside_the_database)
{
        size_t n;
        uint8_t *data = with_super("/in/the/container/main.db-mj01234567", &n);
        struct journal_info info = scan_bytes(data, n);
        ck_assert(journal_super_gone(info.super, place("killed.db")));
        spill(place("main.db-mj01234567"), "x", 1);
        ck_assert(!journal_super_gone(info.super, place("killed.db")));
        free(data);
}
END_TEST

START_TEST(a_name_with_a_wrong_sum_is_no_super_journal)
{
        size_t n;
        uint8_t *data = with_super("/tmp/x-mj1", &n);
        data[n - 18] ^= 1;
        ck_assert_str_eq(scan_bytes(data, n).super, "");
        free(data);
}
END_TEST

START_TEST(a_flipped_bit_is_survived)
{
        size_t n;
        uint8_t *whole = with_super("/tmp/x-mj1", &n), *data = malloc(n);
        srand(3);
        for (int i = 0; i < 3000; i++) {
                if (i % 8 == 0)
                        memcpy(data, whole, n);
                size_t at = i % 2 ? (size_t)rand() % 32 : (size_t)rand() % n;
                data[at] ^= (uint8_t)(1u << (rand() % 8));
                ck_assert_uint_le(scan_bytes(data, n).pages * 512, n);
        }
        free(data);
        free(whole);
}
END_TEST

SUITE("journal", a_transaction_that_spilled_leaves_a_hot_journal,
      a_transaction_that_did_not_spill_leaves_a_cold_journal,
      without_syncs_the_journal_is_hot_and_reaches_to_the_end, the_zeroed_header_of_persist_mode_is_cold,
      no_records_claimed_are_no_pages_whatever_the_size, records_beyond_the_end_do_not_count,
      illegal_sizes_make_no_header, a_super_journal_is_named_and_looked_for,
      a_super_journal_is_gone_where_sqlite_finds_none,
      a_super_journal_under_another_mount_is_found_beside_the_database, a_name_with_a_wrong_sum_is_no_super_journal,
      a_flipped_bit_is_survived)
