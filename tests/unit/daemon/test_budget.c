/* test_budget.c - what fails again and again is left alone for a while. */
#include "suite.h"

#include <stdio.h>

#include "daemon/budget.h"

#define MINUTE 60000000000ull

START_TEST(the_third_failure_within_ten_minutes_begins_an_hour_of_rest)
{
        struct budget *b = budget_new();
        uint64_t t = 5 * MINUTE;
        ck_assert(!budget_failed(b, 1, "a", t));
        ck_assert(!budget_failed(b, 1, "a", t + MINUTE));
        ck_assert(!budget_rests(b, 1, "a", t + MINUTE));
        ck_assert(budget_failed(b, 1, "a", t + 9 * MINUTE));
        ck_assert(budget_rests(b, 1, "a", t + 9 * MINUTE));
        ck_assert(budget_rests(b, 1, "a", t + 69 * MINUTE - 1));
        ck_assert(!budget_rests(b, 1, "a", t + 69 * MINUTE));
        budget_free(b);
}
END_TEST

START_TEST(failures_far_apart_do_not_count)
{
        struct budget *b = budget_new();
        for (unsigned i = 0; i < 10; i++)
                ck_assert(!budget_failed(b, 1, "a", MINUTE + i * 6 * MINUTE));
        budget_free(b);
}
END_TEST

START_TEST(other_kinds_and_databases_go_on)
{
        struct budget *b = budget_new();
        for (int i = 0; i < 3; i++)
                budget_failed(b, 1, "a", MINUTE);
        ck_assert(budget_rests(b, 1, "a", MINUTE));
        ck_assert(!budget_rests(b, 2, "a", MINUTE));
        ck_assert(!budget_rests(b, 1, "b", MINUTE));
        budget_free(b);
}
END_TEST

START_TEST(what_is_kept_is_bounded_and_the_oldest_makes_room)
{
        struct budget *b = budget_new();
        char name[16];
        for (unsigned n = 0; n < BUDGET_PAIRS + 1; n++) {
                snprintf(name, sizeof(name), "db%u", n);
                for (int i = 0; i < 3; i++)
                        budget_failed(b, 1, name, MINUTE + n);
        }
        ck_assert(!budget_rests(b, 1, "db0", 2 * MINUTE));
        ck_assert(budget_rests(b, 1, "db1", 2 * MINUTE));
        ck_assert(budget_rests(b, 1, name, 2 * MINUTE));
        budget_free(b);
}
END_TEST

SUITE("budget", the_third_failure_within_ten_minutes_begins_an_hour_of_rest, failures_far_apart_do_not_count,
      other_kinds_and_databases_go_on, what_is_kept_is_bounded_and_the_oldest_makes_room)
