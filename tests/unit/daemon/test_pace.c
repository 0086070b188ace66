/* test_pace.c - a step of retention is as large as is over soon. */
#include "daemon/pace.h"

#include "suite.h"

START_TEST(it_begins_small_and_grows_while_it_is_quick)
{
        struct pace p = {0};
        unsigned ms;

        ck_assert_uint_eq(pace_next(&p, &ms), PACE_BEGIN);
        ck_assert_uint_gt(ms, 0);
        for (int i = 0; i < 20; i++)
                ck_assert(!pace_took(&p, 10, false));
        ck_assert_uint_eq(pace_next(&p, &ms), PACE_MOST);
}
END_TEST

START_TEST(one_that_took_long_or_was_broken_off_is_followed_by_a_smaller_one)
{
        struct pace p = {.rows = 400};
        unsigned ms;

        pace_took(&p, 500, false);
        ck_assert_uint_eq(pace_next(&p, &ms), 400);
        pace_took(&p, 3000, false);
        ck_assert_uint_eq(pace_next(&p, &ms), 200);
        pace_took(&p, 1000, true);
        ck_assert_uint_eq(pace_next(&p, &ms), 100);
}
END_TEST

START_TEST(that_even_the_smallest_does_not_end_is_told_once)
{
        struct pace p = {0};
        unsigned ms, told = 0, longer;

        (void)pace_next(&p, &ms);
        for (int i = 0; i < 10; i++)
                told += pace_took(&p, 1000, true);
        ck_assert_uint_eq(told, 1);
        ck_assert(p.stuck);
        ck_assert_uint_eq(pace_next(&p, &longer), PACE_LEAST);
        ck_assert_uint_gt(longer, ms);
        ck_assert_uint_lt(longer, 4000); /* then it would be told as a disk that hangs */
        ck_assert(!pace_took(&p, 2000, false));
        ck_assert(!p.stuck);
        ck_assert(pace_took(&p, 2500, true));
}
END_TEST

SUITE("pace", it_begins_small_and_grows_while_it_is_quick,
      one_that_took_long_or_was_broken_off_is_followed_by_a_smaller_one,
      that_even_the_smallest_does_not_end_is_told_once)
