/* test_latency.c - spikes out of series of histograms: the alarm, its end, and its absence. */
#include "detect/latency.h"

#include "suite.h"

#include <errno.h>

#define MONDAY 1795996800LL
#define MS     1000000ull
#define S      1000000000ull
#define TURN   (5 * S)
#define MINUTE 12 /* turns */

static const struct latency_limits limits = {
        .factor = 5,
        .turn_ns = TURN,
        .window_ns = 30 * S,
        .hold_ns = 60 * S,
        .accept_ns = 6 * 3600 * S,
        .warm_up_ns = 600 * S,
        .min_samples = 200,
        .floor_ns = {[LATENCY_READ] = 10 * MS,
                     [LATENCY_SYNC] = 10 * MS,
                     [LATENCY_LOCK] = 250 * MS,
                     [LATENCY_COMMIT] = 20 * MS,
                     [LATENCY_CHECKPOINT] = 1000 * MS},
};

static struct latency *l;
static uint64_t now = 1000 * S; /* CLOCK_BOOTTIME */
static int began, over;

static void begin(void)
{
        ck_assert_int_eq(latency_new(&limits, &l), 0);
}

static struct vigil_hist of(uint64_t ns, unsigned n)
{
        struct vigil_hist h = {.count = n, .sum_ns = ns * n, .max_ns = n ? ns : 0};
        unsigned i = 0;
        while (ns >= hist_bound(i) && i < VIGIL_HIST_BUCKETS - 1)
                i++;
        h.bucket[i] = n;
        return h;
}

static void add(unsigned role, unsigned op, uint64_t ns, unsigned n)
{
        struct vigil_hist h = of(ns, n);
        struct latency_series *s = latency_series(l, role, op);
        ck_assert_ptr_nonnull(s);
        latency_add(s, &h);
}

static enum latency_event turn_of(uint64_t bytes, bool disturbed)
{
        struct latency_turn t = {.from_ns = now,
                                 .to_ns = now + TURN,
                                 .at_s = MONDAY + (int64_t)(now / S),
                                 .bytes = bytes,
                                 .disturbed = disturbed};
        now = t.to_ns;
        enum latency_event e = latency_turn(l, &t);
        began += e == LATENCY_BEGAN;
        over += e == LATENCY_OVER;
        return e;
}

/* @turns turns of @n syncs of the WAL that take @ns each, 8 KiB for each of them. */
static void syncs(unsigned turns, uint64_t ns, unsigned n)
{
        for (unsigned i = 0; i < turns; i++) {
                add(VIGIL_ROLE_WAL, VIGIL_OP_SYNC, ns, n);
                turn_of(8192ull * n, false);
        }
}

static void assert_quiet(void)
{
        ck_assert_int_eq(began, 0);
        ck_assert_int_eq(over, 0);
        ck_assert(!latency_spike(l)->on);
}

static const struct latency_series *wal_sync(void)
{
        return latency_series(l, VIGIL_ROLE_WAL, VIGIL_OP_SYNC);
}

/* ---- the alarm ---- */

START_TEST(syncs_that_take_forty_times_as_long_are_a_spike_that_ends)
{
        begin();
        syncs(20 * MINUTE, 1 * MS, 50);
        assert_quiet();
        uint64_t start = now;
        syncs(MINUTE, 40 * MS, 20);
        ck_assert_int_eq(began, 1);
        const struct latency_spike *k = latency_spike(l);
        ck_assert(k->on);
        ck_assert_uint_eq(k->from_ns, start);
        ck_assert_uint_eq(k->peak_role, VIGIL_ROLE_WAL);
        ck_assert_uint_eq(k->peak_op, VIGIL_OP_SYNC);
        ck_assert_double_ge(k->factor, 25); /* what is usual is known from above */
        ck_assert_double_le(k->factor, 60);
        uint64_t last = now;
        syncs(3 * MINUTE, 1 * MS, 50);
        ck_assert_int_eq(over, 1);
        ck_assert(!k->on && !k->accepted && !k->idle);
        ck_assert_uint_eq(k->to_ns, last);
        ck_assert_uint_eq(wal_sync()->slow_samples, MINUTE * 20);
        syncs(60 * MINUTE, 1 * MS, 50);
        ck_assert_int_eq(began, 1);
        ck_assert_int_eq(over, 1);
}
END_TEST

START_TEST(the_first_slow_turns_suffice)
{
        begin();
        syncs(20 * MINUTE, 1 * MS, 50);
        syncs(2, 60 * MS, 10);
        ck_assert_int_eq(began, 1);
}
END_TEST

/* A thousand syncs each second, then a disk that stands still again and again: few samples, all of the time. */
START_TEST(a_disk_that_stands_still_for_moments_is_a_spike_though_most_syncs_are_fast)
{
        begin();
        syncs(20 * MINUTE, 100000, 5000);
        for (int i = 0; i < 6; i++) {
                add(VIGIL_ROLE_WAL, VIGIL_OP_SYNC, 2000 * MS, 2);
                syncs(1, 100000, 1000);
        }
        ck_assert_int_eq(began, 1);
        ck_assert_double_ge(latency_spike(l)->factor, 1000);
}
END_TEST

START_TEST(several_operations_are_one_spike_with_the_worst_at_its_head)
{
        begin();
        for (int i = 0; i < 20 * MINUTE; i++) {
                add(VIGIL_ROLE_WAL, VIGIL_OP_SYNC, 1 * MS, 50);
                add(VIGIL_ROLE_WAL, VIGIL_OP_COMMIT, 4 * MS, 50);
                turn_of(50 * 8192, false);
        }
        for (int i = 0; i < MINUTE; i++) {
                add(VIGIL_ROLE_WAL, VIGIL_OP_SYNC, 100 * MS, 20);
                add(VIGIL_ROLE_WAL, VIGIL_OP_COMMIT, 104 * MS, 20);
                turn_of(20 * 8192, false);
        }
        ck_assert_int_eq(began, 1);
        ck_assert_uint_eq(latency_spike(l)->peak_op, VIGIL_OP_SYNC);
        ck_assert(wal_sync()->affected);
        ck_assert(latency_series(l, VIGIL_ROLE_WAL, VIGIL_OP_COMMIT)->affected);
}
END_TEST

/* What is told of it grows with it. */
START_TEST(an_operation_that_joins_later_is_told)
{
        int grew = 0;
        begin();
        for (int i = 0; i < 20 * MINUTE; i++) {
                add(VIGIL_ROLE_MAIN, VIGIL_OP_SYNC, 5 * MS, 2);
                syncs(1, 1 * MS, 50);
        }
        syncs(MINUTE, 40 * MS, 20);
        for (int i = 0; i < MINUTE; i++) {
                add(VIGIL_ROLE_MAIN, VIGIL_OP_SYNC, 400 * MS, 3);
                add(VIGIL_ROLE_WAL, VIGIL_OP_SYNC, 40 * MS, 20);
                grew += turn_of(0, false) == LATENCY_GROWS;
        }
        ck_assert_int_ge(grew, 1);
        ck_assert(latency_series(l, VIGIL_ROLE_MAIN, VIGIL_OP_SYNC)->affected);
        ck_assert_int_eq(began, 1);
}
END_TEST

START_TEST(waits_where_nobody_ever_waited_are_a_spike)
{
        begin();
        latency_series(l, VIGIL_ROLE_SHM, VIGIL_OP_LOCK_WAIT);
        syncs(20 * MINUTE, 1 * MS, 50);
        for (int i = 0; i < MINUTE; i++) {
                add(VIGIL_ROLE_SHM, VIGIL_OP_LOCK_WAIT, 600 * MS, 3);
                syncs(1, 1 * MS, 50);
        }
        ck_assert_int_eq(began, 1);
        ck_assert_uint_eq(latency_spike(l)->peak_op, VIGIL_OP_LOCK_WAIT);
        ck_assert_double_ge(latency_spike(l)->factor, 10); /* of a fifth of the floor */
        ck_assert_double_le(latency_spike(l)->factor, 16);
}
END_TEST

/* ---- its absence ---- */

START_TEST(nothing_is_said_while_it_learns)
{
        begin();
        syncs(9 * MINUTE, 1 * MS, 50);
        syncs(1, 500 * MS, 50); /* not yet ten minutes */
        assert_quiet();
        ck_assert_int_eq(wal_sync()->state, LATENCY_LEARNING);
}
END_TEST

START_TEST(nothing_is_said_with_few_samples_learned)
{
        begin();
        syncs(12 * MINUTE, 1 * MS, 1);
        syncs(6, 500 * MS, 10);
        assert_quiet();
}
END_TEST

START_TEST(below_the_floor_nothing_is_slow)
{
        begin();
        syncs(20 * MINUTE, 50000, 500);
        syncs(10 * MINUTE, 7 * MS, 100); /* 140 times as long, and still no trouble to anybody */
        assert_quiet();
}
END_TEST

START_TEST(a_disk_that_is_slow_by_nature_is_its_own_measure)
{
        begin();
        syncs(60 * MINUTE, 45 * MS, 20);
        syncs(10 * MINUTE, 130 * MS, 10); /* not five times as long */
        assert_quiet();
        ck_assert_int_eq(wal_sync()->state, LATENCY_USUAL);
}
END_TEST

START_TEST(one_huge_commit_is_no_spike)
{
        begin();
        for (int i = 0; i < 20 * MINUTE; i++) {
                add(VIGIL_ROLE_WAL, VIGIL_OP_COMMIT, 2 * MS, 10);
                turn_of(10 * 8192, false);
        }
        add(VIGIL_ROLE_WAL, VIGIL_OP_COMMIT, 40000 * MS, 1);
        turn_of(4ull << 30, false);
        for (int i = 0; i < 20 * MINUTE; i++) {
                add(VIGIL_ROLE_WAL, VIGIL_OP_COMMIT, 2 * MS, 10);
                turn_of(10 * 8192, false);
        }
        assert_quiet();
}
END_TEST

/* A nightly load: each transaction writes 200 times as much and takes 100 times as long. */
START_TEST(large_transactions_take_longer_and_are_no_spike)
{
        begin();
        for (int i = 0; i < 20 * MINUTE; i++) {
                add(VIGIL_ROLE_WAL, VIGIL_OP_COMMIT, 2 * MS, 50);
                turn_of(50 * 8192, false);
        }
        for (int i = 0; i < 20 * MINUTE; i++) {
                add(VIGIL_ROLE_WAL, VIGIL_OP_COMMIT, 200 * MS, 20);
                turn_of(20 * 8192 * 200, false);
        }
        assert_quiet();
}
END_TEST

START_TEST(commits_that_take_longer_for_the_same_bytes_are_one)
{
        begin();
        for (int i = 0; i < 20 * MINUTE; i++) {
                add(VIGIL_ROLE_WAL, VIGIL_OP_COMMIT, 2 * MS, 50);
                turn_of(50 * 8192, false);
        }
        for (int i = 0; i < MINUTE; i++) {
                add(VIGIL_ROLE_WAL, VIGIL_OP_COMMIT, 200 * MS, 20);
                turn_of(20 * 8192, false);
        }
        ck_assert_int_eq(began, 1);
}
END_TEST

START_TEST(where_everybody_always_waits_it_is_usual)
{
        begin();
        for (int i = 0; i < 60 * MINUTE; i++) {
                add(VIGIL_ROLE_SHM, VIGIL_OP_LOCK_WAIT, 400 * MS, 10);
                syncs(1, 1 * MS, 50);
        }
        assert_quiet();
}
END_TEST

START_TEST(a_few_outliers_are_no_spike)
{
        begin();
        syncs(20 * MINUTE, 1 * MS, 100);
        for (int i = 0; i < 60 * MINUTE; i++) {
                add(VIGIL_ROLE_WAL, VIGIL_OP_SYNC, 80 * MS, 1); /* one of hundred */
                syncs(1, 1 * MS, 100);
        }
        assert_quiet();
}
END_TEST

START_TEST(what_was_timed_while_vigil_itself_was_at_work_is_not_judged)
{
        begin();
        syncs(20 * MINUTE, 1 * MS, 50);
        for (int i = 0; i < 2 * MINUTE; i++) {
                add(VIGIL_ROLE_WAL, VIGIL_OP_SYNC, 200 * MS, 20);
                turn_of(20 * 8192, true);
        }
        syncs(2 * MINUTE, 1 * MS, 50);
        assert_quiet();
        ck_assert_uint_lt(wal_sync()->usual.p95_ns, 2 * MS);
}
END_TEST

START_TEST(a_busier_hour_with_the_same_times_is_none)
{
        begin();
        syncs(20 * MINUTE, 2 * MS, 5);
        syncs(20 * MINUTE, 2 * MS, 2000);
        syncs(20 * MINUTE, 2 * MS, 1);
        assert_quiet();
}
END_TEST

/* ---- hysteresis ---- */

static void square_wave(unsigned slow, unsigned fast, unsigned waves)
{
        for (unsigned i = 0; i < waves; i++) {
                syncs(slow, 60 * MS, 20);
                syncs(fast, 1 * MS, 50);
        }
}

START_TEST(a_square_wave_is_one_spike)
{
        begin();
        syncs(20 * MINUTE, 1 * MS, 50);
        square_wave(MINUTE, MINUTE, 30);
        ck_assert_int_eq(began, 1);
        ck_assert_int_eq(over, 0);
        syncs(20 * MINUTE, 1 * MS, 50);
        ck_assert_int_eq(over, 1);
}
END_TEST

START_TEST(a_slow_square_wave_does_not_flap_for_long)
{
        begin();
        syncs(20 * MINUTE, 1 * MS, 50);
        square_wave(MINUTE, 5 * MINUTE, 40); /* four hours */
        ck_assert_int_le(began, 4);          /* each hold is twice the one before */
        ck_assert(latency_spike(l)->on);
}
END_TEST

START_TEST(just_below_the_measure_a_spike_goes_on_and_none_begins)
{
        begin();
        syncs(60 * MINUTE, 10 * MS, 50);
        syncs(2 * MINUTE, 45 * MS, 20);
        assert_quiet();
        syncs(MINUTE, 90 * MS, 20);
        ck_assert_int_eq(began, 1);
        syncs(10 * MINUTE, 45 * MS, 20);
        ck_assert_int_eq(over, 0);
        syncs(5 * MINUTE, 10 * MS, 20);
        ck_assert_int_eq(over, 1);
}
END_TEST

START_TEST(a_spike_without_any_work_is_over_after_a_while)
{
        begin();
        syncs(20 * MINUTE, 1 * MS, 50);
        syncs(MINUTE, 60 * MS, 20);
        for (int i = 0; i < 4 * MINUTE; i++)
                turn_of(0, false);
        ck_assert_int_eq(over, 0); /* what hangs is not over */
        for (int i = 0; i < 2 * MINUTE; i++)
                turn_of(0, false);
        ck_assert_int_eq(over, 1);
        ck_assert(latency_spike(l)->idle);
}
END_TEST

/* ---- learning ---- */

START_TEST(a_spike_is_not_learned)
{
        begin();
        syncs(60 * MINUTE, 1 * MS, 50);
        syncs(15 * MINUTE, 60 * MS, 20);
        ck_assert_int_eq(over, 0);
        syncs(10 * MINUTE, 1 * MS, 50);
        ck_assert_int_eq(over, 1);
        ck_assert_uint_lt(wal_sync()->usual.p95_ns, 2 * MS);
}
END_TEST

START_TEST(what_lasts_is_the_new_usual)
{
        begin();
        syncs(60 * MINUTE, 1 * MS, 50);
        syncs(7 * 60 * MINUTE, 60 * MS, 20); /* the database was moved to another disk */
        ck_assert_int_eq(began, 1);
        ck_assert_int_eq(over, 1);
        ck_assert(latency_spike(l)->accepted);
        ck_assert(wal_sync()->forgotten);
        ck_assert_int_eq(wal_sync()->state, LATENCY_USUAL);
        ck_assert_uint_ge(wal_sync()->usual.p95_ns, 60 * MS);
        syncs(MINUTE, 900 * MS, 5);
        ck_assert_int_eq(began, 2);
}
END_TEST

START_TEST(what_is_slow_each_monday_at_that_hour_is_usual_there)
{
        begin();
        now = 3600 * S;
        for (int week = 0; week < 3; week++) {
                syncs(60 * MINUTE, 60 * MS, 20); /* one hour of it */
                syncs(60 * MINUTE, 1 * MS, 50);
                now += (7 * 24 - 2) * 3600 * S;
        }
        began = 0;
        syncs(60 * MINUTE, 60 * MS, 20);
        ck_assert_int_eq(began, 0);
        syncs(20 * MINUTE, 1 * MS, 50);
        syncs(MINUTE, 60 * MS, 20); /* and is none an hour later */
        ck_assert_int_eq(began, 1);
}
END_TEST

/* ---- bounds ---- */

START_TEST(what_is_not_timed_has_no_series)
{
        begin();
        ck_assert_ptr_null(latency_series(l, VIGIL_ROLE_WAL, VIGIL_OP_WRITE));
        ck_assert_ptr_null(latency_series(l, VIGIL_ROLES, VIGIL_OP_SYNC));
        ck_assert_uint_eq(latency_count(l), 0);
}
END_TEST

START_TEST(a_database_has_so_many_series_and_no_more)
{
        const unsigned ops[] = {VIGIL_OP_READ, VIGIL_OP_SYNC, VIGIL_OP_COMMIT, VIGIL_OP_CHECKPOINT};
        begin();
        for (unsigned role = 0; role < VIGIL_ROLES; role++)
                for (unsigned i = 0; i < 4; i++)
                        latency_series(l, role, ops[i]);
        ck_assert_uint_eq(latency_count(l), LATENCY_SERIES);
        ck_assert_ptr_null(latency_at(l, LATENCY_SERIES));
        turn_of(0, false);
        latency_free(l);
}
END_TEST

START_TEST(another_window_begins_anew_and_forgets_nothing_learned)
{
        begin();
        syncs(20 * MINUTE, 1 * MS, 50);
        struct latency_limits other = limits;
        other.window_ns = 10 * S;
        latency_limit(l, &other);
        syncs(1, 60 * MS, 3);
        assert_quiet();
        syncs(1, 60 * MS, 3);
        ck_assert_int_eq(began, 1);
        latency_free(l);
}
END_TEST

SUITE("latency", syncs_that_take_forty_times_as_long_are_a_spike_that_ends, the_first_slow_turns_suffice,
      a_disk_that_stands_still_for_moments_is_a_spike_though_most_syncs_are_fast,
      several_operations_are_one_spike_with_the_worst_at_its_head, an_operation_that_joins_later_is_told,
      waits_where_nobody_ever_waited_are_a_spike, where_everybody_always_waits_it_is_usual,
      nothing_is_said_while_it_learns, nothing_is_said_with_few_samples_learned, below_the_floor_nothing_is_slow,
      a_disk_that_is_slow_by_nature_is_its_own_measure, one_huge_commit_is_no_spike,
      large_transactions_take_longer_and_are_no_spike, commits_that_take_longer_for_the_same_bytes_are_one,
      a_few_outliers_are_no_spike, what_was_timed_while_vigil_itself_was_at_work_is_not_judged,
      a_busier_hour_with_the_same_times_is_none, a_square_wave_is_one_spike,
      a_slow_square_wave_does_not_flap_for_long, just_below_the_measure_a_spike_goes_on_and_none_begins,
      a_spike_without_any_work_is_over_after_a_while, a_spike_is_not_learned, what_lasts_is_the_new_usual,
      what_is_slow_each_monday_at_that_hour_is_usual_there, what_is_not_timed_has_no_series,
      a_database_has_so_many_series_and_no_more, another_window_begins_anew_and_forgets_nothing_learned)
