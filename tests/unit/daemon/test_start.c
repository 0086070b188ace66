/* test_start.c - the times that a daemon tells. */
#include "suite.h"

#include "base/clock.h"
#include "daemon/core.h"

START_TEST(a_moment_has_the_same_time_at_each_question)
{
        uint64_t moment = clock_boottime_ns();
        int64_t first = daemon_realtime(moment);

        for (int i = 0; i < 10000; i++)
                ck_assert_int_eq(daemon_realtime(moment), first);
        ck_assert_int_le(first, daemon_now() + 1000000);
        ck_assert_int_ge(first, daemon_now() - 60000000000);
}
END_TEST

SUITE("start", a_moment_has_the_same_time_at_each_question)
