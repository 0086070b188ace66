/* test_baseline.c - what is usual at an hour of the week. */
#include "detect/baseline.h"

#include "suite.h"

#include <errno.h>
#include <string.h>

#define MONDAY 1795996800LL /* 2026-11-30 00:00 UTC */
#define HOUR   3600LL
#define DAY    (24 * HOUR)
#define WEEK   (7 * DAY)
#define MS     1000000ull

static struct baseline b;

static struct vigil_hist of(uint64_t ns, unsigned n)
{
        struct vigil_hist h = {.count = n, .sum_ns = ns * n, .max_ns = ns};
        unsigned i = 0;
        while (ns >= hist_bound(i) && i < VIGIL_HIST_BUCKETS - 1)
                i++;
        h.bucket[i] = n;
        return h;
}

/* @turns turns of @n samples of @ns each, from @at_s on. */
static void learn(int64_t at_s, unsigned turns, uint64_t ns, unsigned n)
{
        struct vigil_hist h = of(ns, n);
        for (unsigned i = 0; i < turns; i++)
                ck_assert_int_eq(baseline_learn(&b, at_s + 5 * i, &h, 0), 0);
}

static void assert_p95_about(const struct baseline_usual *u, uint64_t ns)
{
        ck_assert_uint_ge(u->p95_ns, ns);
        ck_assert_uint_le(u->p95_ns, ns + ns / 2);
}

START_TEST(the_week_begins_on_monday)
{
        uint32_t week, next;
        ck_assert_uint_eq(baseline_hour(MONDAY, &week), 0);
        ck_assert_uint_eq(baseline_hour(MONDAY - 1, NULL), 167);
        ck_assert_uint_eq(baseline_hour(MONDAY + 6 * DAY + 23 * HOUR, NULL), 167);
        ck_assert_uint_eq(baseline_hour(MONDAY + WEEK, &next), 0);
        ck_assert_uint_eq(next, week + 1);
        ck_assert_uint_lt(baseline_hour(-5, NULL), BASELINE_SLOTS);
}
END_TEST

START_TEST(nothing_is_usual_before_something_was_learned)
{
        struct vigil_hist none = {0};
        ck_assert_int_eq(baseline_learn(&b, MONDAY, &none, 0), 0);
        ck_assert_int_eq(baseline_usual(&b, MONDAY).from, BASELINE_NONE);
        ck_assert_uint_eq(baseline_usual(&b, MONDAY).p95_ns, 0);
}
END_TEST

START_TEST(an_hour_with_enough_turns_speaks_for_itself)
{
        learn(MONDAY, BASELINE_SLOT_TURNS, 2 * MS, 100);
        learn(MONDAY + DAY, BASELINE_SLOT_TURNS, 200 * MS, 100);
        struct baseline_usual u = baseline_usual(&b, MONDAY + 10);
        ck_assert_int_eq(u.from, BASELINE_HOUR);
        assert_p95_about(&u, 2 * MS);
}
END_TEST

START_TEST(an_hour_that_is_new_asks_the_same_hour_of_other_days)
{
        learn(MONDAY + 3 * HOUR, BASELINE_SLOT_TURNS, 200 * MS, 100);
        learn(MONDAY + DAY + 2 * HOUR, BASELINE_SLOT_TURNS, 2 * MS, 100);
        struct baseline_usual u = baseline_usual(&b, MONDAY + DAY + 3 * HOUR);
        ck_assert_int_eq(u.from, BASELINE_DAILY);
        assert_p95_about(&u, 200 * MS);
}
END_TEST

START_TEST(then_its_neighbours_and_then_all_hours)
{
        learn(MONDAY + 167 * HOUR, BASELINE_SLOT_TURNS, 2 * MS, 100); /* also the hour before the first one */
        struct baseline_usual u = baseline_usual(&b, MONDAY + WEEK);
        ck_assert_int_eq(u.from, BASELINE_NEIGHBOURS);
        u = baseline_usual(&b, MONDAY + 12 * HOUR);
        ck_assert_int_eq(u.from, BASELINE_ALL);
        assert_p95_about(&u, 2 * MS);
}
END_TEST

START_TEST(a_busy_minute_does_not_outweigh_its_hour)
{
        learn(MONDAY, 600, 2 * MS, 40);
        learn(MONDAY + 3000, 12, 300 * MS, 100000);
        struct baseline_usual u = baseline_usual(&b, MONDAY);
        assert_p95_about(&u, 2 * MS);
}
END_TEST

START_TEST(of_many_samples_the_ranks_are_kept)
{
        struct vigil_hist h = of(1 * MS, 900000), tail = of(50 * MS, 100000);
        hist_add(&h, &tail);
        ck_assert_int_eq(baseline_learn(&b, MONDAY, &h, 0), 0);
        struct baseline_usual u = baseline_usual(&b, MONDAY);
        ck_assert_uint_eq(u.samples, BASELINE_TURN_SAMPLES);
        assert_p95_about(&u, 50 * MS);
        ck_assert_uint_le(u.p50_ns, 2 * MS);
}
END_TEST

START_TEST(what_became_slower_is_usual_after_some_weeks)
{
        learn(MONDAY, 600, 2 * MS, 100);
        for (int week = 1; week <= 5; week++)
                learn(MONDAY + week * WEEK, 600, 20 * MS, 100);
        struct baseline_usual u = baseline_usual(&b, MONDAY + 6 * WEEK);
        assert_p95_about(&u, 20 * MS);
        ck_assert_uint_ge(u.p50_ns, 20 * MS);
}
END_TEST

START_TEST(years_of_learning_overflow_nothing)
{
        for (int week = 0; week < 120; week++)
                learn(MONDAY + week * WEEK, 720, 3 * MS, 1000);
        struct baseline_usual u = baseline_usual(&b, MONDAY);
        assert_p95_about(&u, 3 * MS);
        ck_assert_uint_ge(u.turns, BASELINE_SLOT_TURNS);
}
END_TEST

START_TEST(a_clock_that_is_set_back_harms_nothing)
{
        learn(MONDAY + WEEK, 200, 2 * MS, 100);
        learn(MONDAY, 200, 2 * MS, 100);
        struct baseline_usual u = baseline_usual(&b, MONDAY);
        assert_p95_about(&u, 2 * MS);
        ck_assert_uint_ge(u.turns, 400);
}
END_TEST

START_TEST(the_pace_is_the_time_for_each_byte)
{
        struct vigil_hist h = of(4 * MS, 10);
        for (int i = 0; i < 10; i++)
                ck_assert_int_eq(baseline_learn(&b, MONDAY, &h, 10 * 8192), 0);
        double pace = baseline_usual(&b, MONDAY).ns_per_byte;
        ck_assert_double_ge(pace, 480);
        ck_assert_double_le(pace, 500);
}
END_TEST

START_TEST(an_hour_survives_the_store)
{
        uint8_t bytes[BASELINE_PACKED_MAX];
        struct vigil_hist h = of(3 * MS, 40), tail = of(90 * MS, 9);
        hist_add(&h, &tail);
        for (int i = 0; i < 150; i++)
                ck_assert_int_eq(baseline_learn(&b, MONDAY + 5 * HOUR, &h, 4096), 0);
        size_t n = baseline_pack(&b, 5, bytes);
        ck_assert_uint_gt(n, 0);
        struct baseline again = {0};
        ck_assert_int_eq(baseline_unpack(&again, 5, bytes, n), 0);
        uint8_t twice[BASELINE_PACKED_MAX];
        ck_assert_uint_eq(baseline_pack(&again, 5, twice), n);
        ck_assert_mem_eq(twice, bytes, n);
        ck_assert_uint_eq(baseline_pack(&b, 6, bytes), 0);
        baseline_done(&again);
}
END_TEST

START_TEST(bytes_that_are_no_hour_are_refused)
{
        uint8_t bytes[BASELINE_PACKED_MAX];
        learn(MONDAY, 1, MS, 1);
        size_t n = baseline_pack(&b, 0, bytes);
        struct baseline other = {0};
        ck_assert_int_eq(baseline_unpack(&other, BASELINE_SLOTS, bytes, n), -EBADMSG);
        for (size_t cut = 0; cut < n; cut++)
                if (cut != 11) /* its head alone: an hour without samples */
                        ck_assert_int_eq(baseline_unpack(&other, 0, bytes, cut), -EBADMSG);
        bytes[0] = 9;
        ck_assert_int_eq(baseline_unpack(&other, 0, bytes, n), -EBADMSG);
        bytes[0] = 1;
        memset(bytes + 7, 0xff, 4); /* no number */
        ck_assert_int_eq(baseline_unpack(&other, 0, bytes, n), -EBADMSG);
        memset(bytes + 7, 0, 4);
        bytes[11] = BASELINE_BUCKETS;
        ck_assert_int_eq(baseline_unpack(&other, 0, bytes, n), -EBADMSG);
        ck_assert_ptr_null(other.slot[0]);
}
END_TEST

SUITE("baseline", the_week_begins_on_monday, nothing_is_usual_before_something_was_learned,
      an_hour_with_enough_turns_speaks_for_itself, an_hour_that_is_new_asks_the_same_hour_of_other_days,
      then_its_neighbours_and_then_all_hours, a_busy_minute_does_not_outweigh_its_hour,
      of_many_samples_the_ranks_are_kept, what_became_slower_is_usual_after_some_weeks,
      years_of_learning_overflow_nothing, a_clock_that_is_set_back_harms_nothing,
      the_pace_is_the_time_for_each_byte, an_hour_survives_the_store, bytes_that_are_no_hour_are_refused)
