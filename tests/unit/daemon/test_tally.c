/* test_tally.c - a table of counts. */
#include "daemon/tally.h"

#include "suite.h"

static struct vigil_hist_key key(uint32_t db, uint8_t op)
{
        return (struct vigil_hist_key){.db = db, .op = op, .comm = "sqlite3"};
}

START_TEST(a_row_is_found_again_however_many_there_are)
{
        struct tally t = {0};

        for (uint32_t db = 0; db < 1000; db++) {
                struct vigil_hist_key k = key(db, 3);
                ck_assert_ptr_null(tally_find(&t, &k));
                tally_get(&t, &k)->count = db;
        }
        ck_assert_uint_eq(t.n, 1000);
        for (uint32_t db = 0; db < 1000; db++) {
                struct vigil_hist_key k = key(db, 3);
                ck_assert_uint_eq(tally_find(&t, &k)->count, db);
                ck_assert_ptr_eq(tally_get(&t, &k), tally_find(&t, &k));
        }
        ck_assert_uint_eq(t.n, 1000);
        struct vigil_hist_key other = key(1, 4);
        ck_assert_ptr_null(tally_find(&t, &other));
        tally_done(&t);
}
END_TEST

START_TEST(it_has_a_bound)
{
        struct tally t = {0};

        for (uint32_t db = 0; db < TALLY_MAX; db++) {
                struct vigil_hist_key k = key(db, 1);
                ck_assert_ptr_nonnull(tally_get(&t, &k));
        }
        struct vigil_hist_key one_more = key(TALLY_MAX, 1);
        ck_assert_ptr_null(tally_get(&t, &one_more));
        tally_done(&t);
}
END_TEST

SUITE("tally", a_row_is_found_again_however_many_there_are, it_has_a_bound)
