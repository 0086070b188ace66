/* test_poison.c - which row kills is found by halves; none is accused of what kills without it. */
#include "daemon/poison.h"

#include "suite.h"

/* A queue of @p rows of which the one at @p bad kills; what is stored leaves it. @return attempts until it is found alone in front */
static unsigned search(size_t rows, size_t bad)
{
        struct poison p = {0};
        unsigned n = 0;

        while (!poison_found(&p)) {
                size_t tried = poison_try(&p, rows);
                ck_assert_uint_le(tried, rows);
                ck_assert_uint_lt(++n, 100);
                if (tried > bad) {
                        poison_died(&p);
                } else {
                        poison_lived(&p, tried);
                        rows -= tried;
                        bad -= tried;
                }
        }
        ck_assert_uint_eq(bad, 0);
        return n;
}

START_TEST(wherever_it_stands_it_is_found_and_all_before_it_are_stored)
{
        for (size_t rows = 1; rows <= 256; rows += rows < 8 ? 1 : 62)
                for (size_t bad = 0; bad < rows; bad++)
                        ck_assert_uint_le(search(rows, bad), 3 + 9 + 2 * POISON_PROOFS);
}
END_TEST

START_TEST(a_child_that_dies_now_and_then_accuses_nobody)
{
        struct poison p = {0};

        for (int i = 0; i < 20; i++) {
                for (int k = 1; k < POISON_DEATHS; k++) {
                        ck_assert_uint_eq(poison_try(&p, 10), 10);
                        poison_died(&p);
                }
                ck_assert_uint_eq(poison_try(&p, 10), 10);
                poison_lived(&p, 10);
        }
        ck_assert_uint_eq(p.suspects, 0);
}
END_TEST

START_TEST(where_every_child_dies_no_row_is_found)
{
        struct poison p = {0};

        for (int i = 0; i < 1000; i++) {
                (void)poison_try(&p, 256);
                poison_died(&p);
                ck_assert(!poison_found(&p));
        }
}
END_TEST

/* All that was suspected is stored in the end: the deaths were not of it. */
START_TEST(rows_that_can_be_stored_after_all_are_no_longer_suspected)
{
        struct poison p = {0};
        size_t rows = 7;

        for (int i = 0; i < POISON_DEATHS; i++) {
                (void)poison_try(&p, rows);
                poison_died(&p);
        }
        while (rows > 0) {
                size_t tried = poison_try(&p, rows);
                ck_assert_uint_gt(tried, 0);
                poison_lived(&p, tried);
                rows -= tried;
        }
        ck_assert_uint_eq(p.suspects, 0);
        ck_assert_uint_eq(poison_try(&p, 256), 256);
}
END_TEST

/* A child died after its commit, and the next one, which was to write fewer, found them all. */
START_TEST(more_may_be_stored_than_was_tried)
{
        struct poison p = {0};

        for (int i = 0; i < POISON_DEATHS; i++) {
                (void)poison_try(&p, 8);
                poison_died(&p);
        }
        ck_assert_uint_eq(poison_try(&p, 8), 4);
        poison_lived(&p, 8);
        ck_assert_uint_eq(p.suspects, 0);
        ck_assert_uint_eq(p.deaths, 0);
}
END_TEST

SUITE("poison", wherever_it_stands_it_is_found_and_all_before_it_are_stored,
      a_child_that_dies_now_and_then_accuses_nobody, where_every_child_dies_no_row_is_found,
      rows_that_can_be_stored_after_all_are_no_longer_suspected, more_may_be_stored_than_was_tried)
