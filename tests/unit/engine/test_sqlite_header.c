/* test_sqlite_header.c - the database header. */
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database.h"
#include "engine/sqlite_header.h"

static struct sqlite_header header_of(const char *path)
{
        size_t n;
        struct sqlite_header h;
        uint8_t *data = slurp(path, &n);
        ck_assert_int_eq(sqlite_header_parse(data, n, &h), 0);
        free(data);
        return h;
}

START_TEST(every_page_size_of_sqlite_is_read)
{
        for (int size = 512; size <= 65536; size *= 2) {
                char name[32], sql[64];
                snprintf(name, sizeof(name), "%d.db", size);
                snprintf(sql, sizeof(sql), "pragma page_size=%d; create table t(x)", size);
                const char *path = place(name);
                sqlite3 *db = db_open(path);
                db_exec(db, sql);
                sqlite3_close(db);
                struct sqlite_header h = header_of(path);
                ck_assert_uint_eq(h.page_size, (uint32_t)size);
                ck_assert_uint_eq(h.pages, 2);
                ck_assert(!h.wal);
        }
}
END_TEST

START_TEST(wal_mode_and_the_change_counter_are_seen)
{
        const char *path = place("a.db");
        db_make(path, "wal", 1);
        ck_assert(header_of(path).wal);
        uint32_t before = header_of(path).change_counter;
        db_ask(path, "pragma journal_mode=delete");
        ck_assert(!header_of(path).wal);
        ck_assert_uint_gt(header_of(path).change_counter, before);
}
END_TEST

START_TEST(anything_else_is_no_header)
{
        uint8_t bytes[SQLITE_HEADER_LEN] = "SQLite format 3";
        struct sqlite_header h;
        ck_assert(sqlite_header_magic(bytes, 16));
        ck_assert(!sqlite_header_magic(bytes, 15));
        ck_assert_int_eq(sqlite_header_parse(bytes, SQLITE_HEADER_LEN - 1, &h), -EBADMSG);
        ck_assert_int_eq(sqlite_header_parse(bytes, SQLITE_HEADER_LEN, &h), 0);
        ck_assert_uint_eq(h.page_size, 0);
        bytes[0] = 's';
        ck_assert_int_eq(sqlite_header_parse(bytes, SQLITE_HEADER_LEN, &h), -EBADMSG);
}
END_TEST

SUITE("sqlite_header", every_page_size_of_sqlite_is_read, wal_mode_and_the_change_counter_are_seen,
      anything_else_is_no_header)
