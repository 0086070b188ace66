/* test_gaps.c - what a sequence of numbers proves. */
#include "model/gaps.h"

#include "suite.h"

static struct gaps g;

static int note(uint32_t cpu, uint64_t seq, uint64_t ns)
{
        struct vigil_hdr h = {.cpu = cpu, .seq = seq, .ns = ns, .type = VIGIL_OP, .size = 120};
        return gaps_note(&g, &h);
}

START_TEST(numbers_without_a_hole_prove_that_nothing_is_missing)
{
        for (uint64_t i = 7; i < 10000; i++)
                ck_assert_int_eq(note(0, i, i), 1);
        ck_assert_uint_eq(gaps_missing(&g), 0);
        gaps_done(&g);
}
END_TEST

START_TEST(a_hole_is_missing_until_it_comes)
{
        note(0, 1, 1);
        note(0, 5, 5);
        ck_assert_uint_eq(gaps_missing(&g), 3);
        note(0, 3, 3);
        note(0, 2, 2);
        note(0, 4, 4);
        ck_assert_uint_eq(gaps_missing(&g), 0);
        gaps_done(&g);
}
END_TEST

START_TEST(a_late_first_record_opens_no_hole_that_stays)
{
        note(0, 10, 10);
        note(0, 8, 8);
        ck_assert_uint_eq(gaps_missing(&g), 1);
        note(0, 9, 9);
        ck_assert_uint_eq(gaps_missing(&g), 0);
        gaps_done(&g);
}
END_TEST

START_TEST(cpus_count_for_themselves)
{
        note(0, 1, 1);
        note(1, 100, 1);
        note(0, 2, 2);
        note(1, 101, 2);
        ck_assert_uint_eq(gaps_missing(&g), 0);
        gaps_done(&g);
}
END_TEST

START_TEST(the_same_record_again_is_a_duplicate)
{
        ck_assert_int_eq(note(0, 1, 1), 1);
        ck_assert_int_eq(note(0, 1, 1), 0);
        ck_assert_uint_eq(g.duplicates, 1);
        gaps_done(&g);
}
END_TEST

START_TEST(two_records_with_one_number_explain_the_hole_behind_them)
{
        note(0, 1, 1);
        note(0, 2, 2);
        ck_assert_int_eq(note(0, 2, 3), 1);
        note(0, 4, 4);
        ck_assert_uint_eq(gaps_missing(&g), 0);
        note(0, 6, 6);
        ck_assert_uint_eq(gaps_missing(&g), 1);
        gaps_done(&g);
}
END_TEST

START_TEST(huge_jumps_do_not_overflow)
{
        note(0, 1, 1);
        note(0, UINT64_MAX - 1, 2);
        note(1, 1, 1);
        note(1, UINT64_MAX - 1, 2);
        ck_assert_uint_eq(gaps_missing(&g), UINT64_MAX);
        gaps_done(&g);
}
END_TEST

START_TEST(cpus_are_bounded)
{
        for (uint32_t i = 0; i < GAPS_MAX_CPUS + 10; i++)
                ck_assert_int_eq(note(i, 1, 1), 1);
        ck_assert_uint_eq(g.ncpus, GAPS_MAX_CPUS);
        ck_assert_uint_eq(g.unfollowed, 10);
        gaps_done(&g);
}
END_TEST

SUITE("gaps", numbers_without_a_hole_prove_that_nothing_is_missing, a_hole_is_missing_until_it_comes,
      a_late_first_record_opens_no_hole_that_stays, cpus_count_for_themselves, the_same_record_again_is_a_duplicate,
      two_records_with_one_number_explain_the_hole_behind_them, huge_jumps_do_not_overflow, cpus_are_bounded)
