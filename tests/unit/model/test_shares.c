/* test_shares.c - parts of a whole: they add up, and what is between two accounts is one. */
#include "model/shares.h"
#include "suite.h"

static unsigned sum(const unsigned *per_mille)
{
        unsigned n = 0;
        for (unsigned i = 0; i < VIGIL_DELAYS; i++)
                n += per_mille[i];
        return n;
}

START_TEST(parts_add_up_to_the_whole_however_they_are_rounded)
{
        unsigned p[VIGIL_DELAYS];

        for (uint64_t n = 1; n < 300; n++) {
                struct vigil_attribution a = {0};
                for (unsigned i = 0; i < VIGIL_DELAY_KINDS; i++) {
                        a.ns[i] = n * n * (i + 1) % 977;
                        a.total_ns += a.ns[i];
                }
                shares_per_mille(&a, p);
                ck_assert_uint_eq(sum(p), 1000);
        }
        struct vigil_attribution thirds = {.ns = {1, 1, 1}, .total_ns = 3};
        shares_per_mille(&thirds, p);
        ck_assert_uint_eq(p[0] + p[1] + p[2], 1000);
        ck_assert_uint_ge(p[2], 333);
}
END_TEST

START_TEST(nothing_has_no_parts)
{
        const struct vigil_attribution none = {0};
        unsigned p[VIGIL_DELAYS], order[VIGIL_DELAYS];

        shares_per_mille(&none, p);
        ck_assert_uint_eq(sum(p), 0);
        ck_assert_uint_eq(shares_order(&none, order), 0);
}
END_TEST

START_TEST(the_largest_comes_first)
{
        const struct vigil_attribution a = {
                .ns = {[VIGIL_DELAY_CPU] = 5, [VIGIL_DELAY_LOCK] = 50, [VIGIL_DELAY_SERVICE] = 7}, .total_ns = 62};
        unsigned order[VIGIL_DELAYS];

        ck_assert_uint_eq(shares_order(&a, order), 3);
        ck_assert_uint_eq(order[0], VIGIL_DELAY_LOCK);
        ck_assert_uint_eq(order[1], VIGIL_DELAY_SERVICE);
        ck_assert_uint_eq(order[2], VIGIL_DELAY_CPU);
}
END_TEST

START_TEST(between_two_accounts_the_whole_is_still_the_sum)
{
        const struct vigil_attribution before = {.count = 10, .ns = {4, 100, 20}, .total_ns = 124},
                                       now = {.count = 15, .ns = {2, 300, 60}, .total_ns = 362};
        struct vigil_attribution d;

        shares_between(&before, &now, &d);
        ck_assert_uint_eq(d.count, 5);
        ck_assert_uint_eq(d.ns[VIGIL_DELAY_UNEXPLAINED], 0); /* it is explained by now */
        ck_assert_uint_eq(d.ns[VIGIL_DELAY_CPU], 200);
        ck_assert_uint_eq(d.total_ns, 240);
}
END_TEST

START_TEST(an_account_that_has_fallen_is_a_beginning)
{
        const struct vigil_attribution before = {.count = 10, .ns = {0, 100}, .total_ns = 100},
                                       now = {.count = 3, .ns = {0, 30}, .total_ns = 30};
        struct vigil_attribution d;

        shares_between(&before, &now, &d);
        ck_assert_uint_eq(d.count, 3);
        ck_assert_uint_eq(d.total_ns, 30);
}
END_TEST

START_TEST(what_was_lost_before_is_no_loss_of_what_came_after)
{
        const struct vigil_attribution before = {.lost = {[VIGIL_UNSEEN_STACKS] = 5, [VIGIL_UNSEEN_RUNS] = 7}},
                                       now = {.lost = {[VIGIL_UNSEEN_STACKS] = 8, [VIGIL_UNSEEN_RUNS] = 7}};
        struct vigil_attribution d;

        shares_between(&before, &now, &d);
        ck_assert_uint_eq(d.lost[VIGIL_UNSEEN_STACKS], 3);
        ck_assert_uint_eq(d.lost[VIGIL_UNSEEN_RUNS], 0);
}
END_TEST

SUITE("shares", parts_add_up_to_the_whole_however_they_are_rounded, nothing_has_no_parts, the_largest_comes_first,
      between_two_accounts_the_whole_is_still_the_sum, an_account_that_has_fallen_is_a_beginning,
      what_was_lost_before_is_no_loss_of_what_came_after)
