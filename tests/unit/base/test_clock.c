/* test_clock.c - the two clocks agree with the kernel's. */
#include "suite.h"

#include <time.h>

#include "base/clock.h"

START_TEST(the_boot_clock_goes_forward)
{
        struct timespec ts;
        uint64_t before = clock_boottime_ns();
        clock_gettime(CLOCK_BOOTTIME, &ts);
        uint64_t between = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
        ck_assert_uint_le(before, between);
        ck_assert_uint_le(between, clock_boottime_ns());
}
END_TEST

START_TEST(the_offset_leads_from_the_boot_clock_to_the_calendar)
{
        time_t before = time(NULL);
        int64_t now = (int64_t)clock_boottime_ns() + clock_realtime_offset_ns();
        time_t after = time(NULL);
        ck_assert_int_ge(now / 1000000000, before - 1);
        ck_assert_int_le(now / 1000000000, after + 1);
}
END_TEST

START_TEST(a_span_in_microseconds_is_rounded_and_never_overflows)
{
        ck_assert_uint_eq(clock_us(0), 0);
        ck_assert_uint_eq(clock_us(499), 0);
        ck_assert_uint_eq(clock_us(500), 1);
        ck_assert_uint_eq(clock_us(1499), 1);
        ck_assert_uint_eq(clock_us(UINT64_MAX), UINT64_MAX / 1000 + 1);
}
END_TEST

SUITE("clock", the_boot_clock_goes_forward, the_offset_leads_from_the_boot_clock_to_the_calendar,
      a_span_in_microseconds_is_rounded_and_never_overflows)
