/* test_neighbours.c - what others did between two instants. */
#include "model/neighbours.h"

#include "suite.h"

static struct vigil_neighbour user(uint32_t pid, uint64_t bytes, uint64_t syncs)
{
        return (struct vigil_neighbour){
                .id = {.tgid = pid, .start_ns = 7}, .disk = 1, .write_bytes = bytes, .syncs = syncs};
}

START_TEST(who_did_nothing_meanwhile_is_left_out)
{
        const struct vigil_neighbour before[] = {user(1, 100, 1), user(2, 50, 0)},
                                     now[] = {user(1, 100, 1), user(2, 80, 4), user(3, 5, 0)};
        struct vigil_neighbour d[3];

        ck_assert_uint_eq(neighbours_between(before, 2, now, 3, d), 2);
        ck_assert_uint_eq(d[0].id.tgid, 2);
        ck_assert_uint_eq(d[0].write_bytes, 30);
        ck_assert_uint_eq(d[0].syncs, 4);
        ck_assert_uint_eq(d[1].id.tgid, 3);
        ck_assert_uint_eq(d[1].write_bytes, 5);
}
END_TEST

START_TEST(one_who_was_forgotten_meanwhile_begins_anew)
{
        const struct vigil_neighbour before = user(1, 100, 9), now = user(1, 40, 2);
        struct vigil_neighbour d;

        ck_assert_uint_eq(neighbours_between(&before, 1, &now, 1, &d), 1);
        ck_assert_uint_eq(d.write_bytes, 40);
        ck_assert_uint_eq(d.syncs, 2);
}
END_TEST

START_TEST(a_number_that_came_back_is_another_process)
{
        struct vigil_neighbour before = user(1, 100, 9), now = user(1, 140, 10), d;

        now.id.start_ns = 8;
        ck_assert(!neighbours_same(&before, &now));
        ck_assert_uint_eq(neighbours_between(&before, 1, &now, 1, &d), 1);
        ck_assert_uint_eq(d.write_bytes, 140);
}
END_TEST

SUITE("neighbours", who_did_nothing_meanwhile_is_left_out, one_who_was_forgotten_meanwhile_begins_anew,
      a_number_that_came_back_is_another_process)
