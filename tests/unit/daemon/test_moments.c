/* test_moments.c - what was counted at the last turns: which one a span begins with, and what is kept of many. */
#include "daemon/moments.h"

#include "suite.h"

#define SECOND 1000000000ull

static void turn(struct moments *all, uint64_t ns)
{
        struct vigil_attribution a = {.hdr = {.type = VIGIL_ATTRIBUTION}, .db = 3, .count = ns / SECOND};
        struct moment m = {.ns = ns};

        ck_assert_int_eq(moment_add(&m, &a.hdr), 0);
        moments_add(all, &m);
}

START_TEST(a_span_begins_with_the_last_turn_before_it)
{
        struct moments all = {0};

        ck_assert_ptr_null(moments_at(&all, SECOND));
        for (uint64_t i = 10; i <= 14; i++)
                turn(&all, i * SECOND);
        ck_assert_uint_eq(moments_at(&all, 12 * SECOND)->shares[0].count, 12);
        ck_assert_uint_eq(moments_at(&all, 13 * SECOND - 1)->shares[0].count, 12);
        ck_assert_uint_eq(moments_at(&all, UINT64_MAX)->shares[0].count, 14);
        ck_assert_uint_eq(moments_at(&all, 1)->shares[0].count, 10); /* nothing older is known */
        moments_done(&all);
}
END_TEST

START_TEST(turns_of_a_second_reach_as_far_back_as_a_window_may)
{
        struct moments all = {0};

        for (uint64_t i = 1; i <= 1000; i++)
                turn(&all, i * SECOND);
        ck_assert_uint_le(all.n, MOMENTS);
        ck_assert_uint_eq(moments_at(&all, UINT64_MAX)->ns, 1000 * SECOND);
        ck_assert_uint_le(moments_at(&all, 880 * SECOND)->ns, 880 * SECOND);
        ck_assert_uint_ge(moments_at(&all, 880 * SECOND)->ns, 865 * SECOND);
        moments_done(&all);
}
END_TEST

START_TEST(a_copy_has_one_database_and_its_disk)
{
        struct vigil_attribution mine = {.hdr = {.type = VIGIL_ATTRIBUTION}, .db = 1}, other = mine;
        struct vigil_neighbour holder = {.hdr = {.type = VIGIL_NEIGHBOUR}, .db = 1}, stranger = holder,
                               user = {.hdr = {.type = VIGIL_NEIGHBOUR}, .disk = 7}, elsewhere = user;
        struct vigil_hdr unknown = {.type = VIGIL_STATS};
        struct moment all = {.ns = 5}, copy = {0};

        other.db = stranger.db = 2;
        elsewhere.disk = 8;
        const struct vigil_hdr *const records[] = {&mine.hdr, &other.hdr,     &holder.hdr, &stranger.hdr,
                                                   &user.hdr, &elsewhere.hdr, &unknown};
        for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
                ck_assert_int_eq(moment_add(&all, records[i]), 0);
        ck_assert_int_eq(moment_copy(&all, 1, 7, &copy), 0);
        ck_assert_uint_eq(copy.ns, 5);
        ck_assert_uint_eq(copy.nshares, 1);
        ck_assert_uint_eq(copy.nneighbours, 2);
        ck_assert_int_eq(moment_copy(&all, 1, 0, &copy), 0); /* the disk is not known: nobody used it */
        ck_assert_uint_eq(copy.nneighbours, 1);
        moment_done(&copy);
        moment_done(&all);
}
END_TEST

SUITE("moments", a_span_begins_with_the_last_turn_before_it, turns_of_a_second_reach_as_far_back_as_a_window_may,
      a_copy_has_one_database_and_its_disk)
