/* test_orchestrators.c - who is a member stays one. */
#include "suite.h"

#include "daemon/orchestrators_private.h"

START_TEST(a_member_whose_parent_has_ended_stays_one_after_a_reload)
{
        struct member member[] = {
                {.id = {.tgid = 10}, .ticks = 100},
                {.id = {.tgid = 20}, .ticks = 200, .ended_ns = 1},
                {.id = {.tgid = 30}, .ticks = 300},
        };
        struct orchestrator one[2] = {{0}, {.member = member, .n = 3}};
        const struct orchestrators s = {.one = one, .n = 2};
        struct host_process list[] = {
                {.stat = {.pid = 10, .ppid = 1, .ticks = 100}},
                {.stat = {.pid = 20, .ppid = 1, .ticks = 200}},
                {.stat = {.pid = 30, .ppid = 1, .ticks = 301}}, /* the number is another's by now */
                {.stat = {.pid = 40, .ppid = 10, .ticks = 400}},
        };

        orchestrators_recall(&s, list, 4);
        ck_assert_uint_eq(list[0].member, 2);
        ck_assert_uint_eq(list[1].member, 0);
        ck_assert_uint_eq(list[2].member, 0);
        ck_assert_uint_eq(list[3].member, 0); /* that is inherited */
}
END_TEST

SUITE("orchestrators", a_member_whose_parent_has_ended_stays_one_after_a_reload)
