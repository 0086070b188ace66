/* test_lock_graph.c - deadlocks and convoys, and waits that are neither. */
#include "detect/lock_graph.h"
#include "suite.h"

static struct lock_waiter waits(uint32_t who, unsigned db, uint32_t for_whom, uint64_t since)
{
        struct lock_waiter w = {
                .id = {.tgid = who, .start_ns = who * 10},
                .wait = {.db = db, .lock = VIGIL_LOCK_WAL_WRITE, .since_ns = since, .nholders = for_whom ? 1 : 0}};

        if (for_whom)
                w.wait.holder[0].id = (struct vigil_ident){.tgid = for_whom, .start_ns = for_whom * 10};
        return w;
}

START_TEST(two_that_wait_for_each_other_are_a_deadlock)
{
        const struct lock_waiter w[] = {waits(1, 1, 2, 100), waits(2, 2, 1, 300)};
        struct lock_knot k[4];

        ck_assert_uint_eq(lock_graph_knots(w, 2, k, 4), 1);
        ck_assert_int_eq(k[0].kind, KNOT_DEADLOCK);
        ck_assert_uint_eq(k[0].nmembers, 2);
        ck_assert_uint_eq(k[0].since_ns, 300);
}
END_TEST

START_TEST(three_in_a_ring_are_one_deadlock)
{
        const struct lock_waiter w[] = {waits(9, 4, 1, 1), waits(1, 1, 2, 1), waits(2, 2, 3, 2), waits(3, 3, 1, 3)};
        struct lock_knot k[4];

        ck_assert_uint_eq(lock_graph_knots(w, 4, k, 4), 1);
        ck_assert_uint_eq(k[0].nmembers, 3);
        ck_assert_uint_eq(k[0].member[0], 1); /* 9 waits for the ring, and is no part of it */
}
END_TEST

START_TEST(a_chain_is_no_deadlock)
{
        const struct lock_waiter w[] = {waits(1, 1, 2, 1), waits(2, 2, 3, 1)};
        struct lock_knot k[4];

        ck_assert_uint_eq(lock_graph_knots(w, 2, k, 4), 0);
}
END_TEST

START_TEST(the_same_number_of_another_process_closes_no_ring)
{
        struct lock_waiter w[] = {waits(1, 1, 2, 1), waits(2, 2, 1, 1)};
        struct lock_knot k[4];

        w[1].wait.holder[0].id.start_ns++;
        ck_assert_uint_eq(lock_graph_knots(w, 2, k, 4), 0);
}
END_TEST

START_TEST(three_behind_one_are_a_convoy)
{
        const struct lock_waiter w[] = {waits(1, 1, 9, 30), waits(2, 1, 9, 20), waits(3, 1, 9, 40)};
        struct lock_knot k[4];

        ck_assert_uint_eq(lock_graph_knots(w, 3, k, 4), 1);
        ck_assert_int_eq(k[0].kind, KNOT_CONVOY);
        ck_assert_uint_eq(k[0].nmembers, 3);
        ck_assert_uint_eq(k[0].holder.id.tgid, 9);
        ck_assert_uint_eq(k[0].since_ns, 40);               /* then they were three */
        ck_assert_uint_eq(lock_graph_knots(w, 2, k, 4), 0); /* two are none */
}
END_TEST

START_TEST(checkpoints_that_are_put_off_are_no_convoy)
{
        struct lock_waiter w[] = {waits(1, 1, 9, 30), waits(2, 1, 9, 20), waits(3, 1, 9, 40)};
        struct lock_knot k[4];

        for (size_t i = 0; i < 3; i++)
                w[i].wait.lock = VIGIL_LOCK_WAL_READ1; /* writers, all of which a long reader keeps from that */
        ck_assert_uint_eq(lock_graph_knots(w, 3, k, 4), 0);
        for (size_t i = 0; i < 3; i++)
                w[i].wait.asleep = true;
        ck_assert_uint_eq(lock_graph_knots(w, 3, k, 4), 1);
}
END_TEST

START_TEST(who_holds_the_lock_and_had_his_checkpoint_put_off_waits_for_nobody)
{
        struct lock_waiter w[] = {waits(1, 1, 9, 30), waits(2, 1, 9, 20), waits(3, 1, 9, 40), waits(9, 1, 8, 50)};
        struct lock_knot k[4];

        ck_assert_uint_eq(lock_graph_knots(w, 4, k, 4), 0); /* a chain: they wait for whoever that waits for */
        w[3].wait.lock = VIGIL_LOCK_WAL_READ1;
        ck_assert_uint_eq(lock_graph_knots(w, 4, k, 4), 1);
        ck_assert_int_eq(k[0].kind, KNOT_CONVOY);
        ck_assert_uint_eq(k[0].holder.id.tgid, 9);
        ck_assert_uint_eq(k[0].nmembers, 3);
}
END_TEST

START_TEST(who_waits_behind_a_deadlock_is_kept_by_it_and_who_is_held_up_by_another_is_not)
{
        const struct lock_waiter w[] = {waits(1, 1, 2, 1), waits(2, 2, 1, 1), waits(3, 1, 2, 1), waits(4, 1, 9, 1)};
        struct lock_knot k[4];

        ck_assert_uint_eq(lock_graph_knots(w, 4, k, 4), 1);
        ck_assert(lock_knot_keeps(&k[0], w, &w[0].id, &w[0].wait));
        ck_assert(lock_knot_keeps(&k[0], w, &w[2].id, &w[2].wait));
        ck_assert(!lock_knot_keeps(&k[0], w, &w[3].id, &w[3].wait));
}
END_TEST

START_TEST(nobody_at_fault_is_no_convoy)
{
        const struct lock_waiter w[] = {waits(1, 1, 0, 1), waits(2, 1, 0, 1), waits(3, 1, 0, 1)};
        struct lock_knot k[4];

        ck_assert_uint_eq(lock_graph_knots(w, 3, k, 4), 0);
}
END_TEST

START_TEST(a_hundred_who_wait_for_each_other_are_bounded)
{
        struct lock_waiter w[100];
        struct lock_knot k[4];

        for (uint32_t i = 0; i < 100; i++)
                w[i] = waits(i + 1, 1, i == 99 ? 1 : i + 2, 1); /* a ring longer than is told */
        ck_assert_uint_eq(lock_graph_knots(w, 100, k, 4), 0);
        for (uint32_t i = 0; i < 100; i++)
                w[i] = waits(i + 1, 1, 200, 1);
        ck_assert_uint_eq(lock_graph_knots(w, 100, k, 4), 1);
        ck_assert_uint_eq(k[0].nmembers, 100);
        ck_assert_uint_eq(k[0].member[KNOT_MEMBERS - 1], KNOT_MEMBERS - 1);
}
END_TEST

SUITE("lock graph", two_that_wait_for_each_other_are_a_deadlock, three_in_a_ring_are_one_deadlock,
      a_chain_is_no_deadlock, the_same_number_of_another_process_closes_no_ring, three_behind_one_are_a_convoy,
      checkpoints_that_are_put_off_are_no_convoy,
      who_holds_the_lock_and_had_his_checkpoint_put_off_waits_for_nobody,
      who_waits_behind_a_deadlock_is_kept_by_it_and_who_is_held_up_by_another_is_not, nobody_at_fault_is_no_convoy,
      a_hundred_who_wait_for_each_other_are_bounded)
