/* test_samples.c - how often those in question are looked at. */
#include "daemon/samples.h"
#include "suite.h"

#define MS 1000000ull

START_TEST(looks_use_half_a_thousandth_of_a_cpu)
{
        ck_assert_uint_eq(samples_pause_ns(0), 0);
        ck_assert_uint_eq(samples_pause_ns(2 * MS), 4000 * MS);
        ck_assert_uint_eq(samples_pause_ns(10 * MS), 20000 * MS);
        ck_assert_uint_eq(samples_pause_ns(15 * MS), SAMPLES_PAUSE_MAX_NS); /* but they go on */
        ck_assert_uint_eq(samples_pause_ns(UINT64_MAX), SAMPLES_PAUSE_MAX_NS);
}
END_TEST

START_TEST(who_is_held_in_all_looks_is_held_since_the_first)
{
        struct process_evidence a = {.at_ns = 1000 * MS, .cpu_ns = 70 * MS, .voluntary = 4}, b = a, c = a, d = a;

        b.at_ns = 3000 * MS;
        c.at_ns = 5000 * MS;
        d.at_ns = 7000 * MS;
        b.cgroup.frozen = c.cgroup.frozen = d.cgroup.frozen = true;
        d.voluntary++; /* let go and frozen again */
        ck_assert_uint_eq(samples_held_after(NULL, &a, 0), 0);
        ck_assert_uint_eq(samples_held_after(&a, &b, 0), 3000 * MS);
        ck_assert_uint_eq(samples_held_after(&b, &c, 3000 * MS), 3000 * MS);
        ck_assert_uint_eq(samples_held_after(&c, &d, 3000 * MS), 7000 * MS);
        ck_assert_uint_eq(samples_held_after(&c, &a, 3000 * MS), 0);
        c.gone = true;
        ck_assert_uint_eq(samples_held_after(&b, &c, 3000 * MS), 0);
}
END_TEST

START_TEST(of_more_than_there_is_room_for_each_has_a_turn)
{
        struct samples *s = samples_new();
        struct vigil_ident who = {.start_ns = 7};

        ck_assert_ptr_nonnull(s);
        for (uint64_t at = 1; at <= 59; at += 29)
                for (who.tgid = 1; who.tgid <= SAMPLES_MAX; who.tgid++)
                        samples_want(s, &who, at * 1000 * MS);
        ck_assert_uint_eq(samples_left_out(s), 0);
        samples_want(s, &who, 60000 * MS); /* nobody has been looked at for a minute */
        ck_assert_uint_eq(samples_left_out(s), 1);
        samples_want(s, &who, 61000 * MS);
        who.tgid = 1; /* has given way */
        samples_want(s, &who, 61000 * MS);
        ck_assert_uint_eq(samples_left_out(s), 1);
        samples_free(s);
}
END_TEST

/* A verdict within the second's work wants a look, and the look that follows goes by the time at which that work began. */
START_TEST(who_is_wanted_a_moment_after_the_turn_began_keeps_his_place)
{
        struct samples *s = samples_new();
        struct vigil_ident who = {.tgid = 1, .start_ns = 7};

        ck_assert_ptr_nonnull(s);
        for (; who.tgid <= SAMPLES_MAX; who.tgid++)
                samples_want(s, &who, 1001 * MS);
        samples_want(s, &who, 1000 * MS);
        ck_assert_uint_eq(samples_left_out(s), 1); /* all places are taken, and by those who have just got them */
        samples_free(s);
}
END_TEST

SUITE("samples", looks_use_half_a_thousandth_of_a_cpu, who_is_held_in_all_looks_is_held_since_the_first,
      of_more_than_there_is_room_for_each_has_a_turn, who_is_wanted_a_moment_after_the_turn_began_keeps_his_place)
