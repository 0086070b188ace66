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

SUITE("samples", looks_use_half_a_thousandth_of_a_cpu)
