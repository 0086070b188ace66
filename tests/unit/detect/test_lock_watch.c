/* test_lock_watch.c - which knots last, and what is said of them. */
#include "detect/lock_tell.h"
#include "detect/lock_watch.h"
#include "suite.h"

#include <string.h>

#define S 1000000000ull

static struct lock_waiter waiter[8];
static struct lock_knot knot[4];
static size_t nknots;
static struct lock_watch watch;
static const struct lock_limits limits = {
        .deadlock_after_ms = 10000, .suspect_after_ms = 120000, .convoy_after_ms = 30000};
static const struct database_names unnamed;

static void waits(size_t i, uint32_t who, unsigned db, uint32_t for_whom, uint64_t since)
{
        waiter[i] = (struct lock_waiter){
                .id = {.tgid = who, .start_ns = who * 10, .comm = "node"},
                .wait = {.db = db, .lock = VIGIL_LOCK_WAL_WRITE, .since_ns = since, .nholders = 1}};
        waiter[i].wait.holder[0] = (struct evidence_holder){.id = {.tgid = for_whom, .start_ns = for_whom * 10},
                                                            .conflicting = VIGIL_LOCK_WAL_WRITE,
                                                            .since_ns = since};
}

static void look(size_t n, uint64_t now)
{
        nknots = lock_graph_knots(waiter, n, knot, 4);
        lock_watch_look(&watch, knot, nknots, waiter, now);
}

static void two_in_each_others_way(void)
{
        watch = (struct lock_watch){0};
        waits(0, 1, 2, 2, 50 * S);
        waits(1, 2, 1, 1, 60 * S);
}

START_TEST(a_deadlock_that_lasts_is_told_of)
{
        two_in_each_others_way();
        look(2, 100 * S);
        ck_assert_uint_eq(nknots, 1);
        ck_assert(!lock_knot_lasts(&knot[0], &limits, 100 * S)); /* one look proves nothing */
        look(2, 109 * S);
        ck_assert(!lock_knot_lasts(&knot[0], &limits, 109 * S));
        struct lock_waiter first = waiter[0]; /* with whomever it is found */
        waiter[0] = waiter[1];
        waiter[1] = first;
        look(2, 110 * S);
        ck_assert(lock_knot_lasts(&knot[0], &limits, 110 * S));
        ck_assert_uint_eq(knot[0].since_ns, 100 * S);
        ck_assert_uint_eq(lock_knot_database(&knot[0], waiter), 1);
        const struct lock_limits never = {0};
        ck_assert(!lock_knot_lasts(&knot[0], &never, 1000 * S));
}
END_TEST

START_TEST(a_ring_in_which_somebody_gets_on_is_no_deadlock)
{
        two_in_each_others_way();
        for (uint64_t now = 100; now < 200; now += 2) {
                waiter[1].work++;
                look(2, now * S);
                ck_assert(!lock_knot_lasts(&knot[0], &limits, now * S));
        }
}
END_TEST

START_TEST(a_ring_through_another_thread_that_may_get_on_is_no_deadlock)
{
        two_in_each_others_way();
        waiter[1].others.may_act = true; /* it reads, and sleeps between its rows */
        for (uint64_t now = 100; now < 200; now += 2) {
                look(2, now * S);
                ck_assert(knot[0].may_end && !lock_knot_lasts(&knot[0], &limits, now * S));
        }
        waiter[1].others.may_act = false; /* now it sleeps for the other, without end */
        look(2, 200 * S);
        ck_assert(knot[0].may_end); /* but for how long? */
        look(2, 205 * S);
        ck_assert(!knot[0].may_end && !lock_knot_lasts(&knot[0], &limits, 205 * S));
        waiter[1].others.run_ns++; /* it ran meanwhile */
        look(2, 211 * S);
        ck_assert(!lock_knot_lasts(&knot[0], &limits, 211 * S));
        look(2, 221 * S);
        ck_assert(lock_knot_lasts(&knot[0], &limits, 221 * S));
}
END_TEST

/* As of a runtime: the thread that has the loop waits for events, always. */
static void with_a_loop(void)
{
        two_in_each_others_way();
        waiter[1].others = (struct other_threads){.may_act = true,
                                                  .tid = 23,
                                                  .comm = "node-loop",
                                                  .sleeps = SLEEP_EVENTS,
                                                  .run_ns = 5 * S,
                                                  .reads = 9};
}

/* Looks every two seconds from 100 s on; what has moved between two of them is @p change's. @return when it is suspected first; 0: never */
static uint64_t suspected_at(void (*change)(uint64_t now), uint64_t until)
{
        watch = (struct lock_watch){0};
        for (uint64_t now = 100; now <= until; now += 2) {
                change(now);
                look(2, now * S);
                ck_assert(!lock_knot_lasts(&knot[0], &limits, now * S)); /* never certain */
                if (lock_knot_is_suspect(&knot[0], &limits, now * S))
                        return now;
        }
        return 0;
}

static void nothing(uint64_t now)
{
        (void)now;
}

static void heartbeat(uint64_t now)
{
        (void)now;
        waiter[1].others.run_ns += 2 * S / 1000 * LOCK_NOISE_PERMILLE;
}

static void rolls_back_after_half_a_minute(uint64_t now)
{
        waiter[1].others.run_ns += now == 130 ? S / 10 : 0;
}

static void works(uint64_t now)
{
        waiter[1].others.run_ns += now % 20 ? 0 : S / 10;
}

static void reads(uint64_t now)
{
        waiter[1].others.reads += now % 100 == 0;
}

static void writes(uint64_t now)
{
        waiter[0].work += now % 100 == 0;
}

static void runs(uint64_t now)
{
        waiter[1].others.at_work = now % 100 == 0;
}

static void loses_a_thread(uint64_t now)
{
        waiter[1].others.run_ns -= now % 100 == 0;
}

static void asks_anew(uint64_t now)
{
        waiter[0].wait.since_ns = now / 60 * 60 * S;
}

START_TEST(where_another_thread_could_let_go_it_is_suspected_once_nothing_has_moved_for_long)
{
        with_a_loop();
        ck_assert_uint_eq(suspected_at(nothing, 400), 220);
        ck_assert_uint_eq(knot[0].idle_ns, 100 * S);
        with_a_loop();
        ck_assert_uint_eq(suspected_at(heartbeat, 400), 220);
        with_a_loop();
        ck_assert_uint_eq(suspected_at(rolls_back_after_half_a_minute, 400), 250);
        const struct lock_limits never = {.deadlock_after_ms = 10000};
        ck_assert(!lock_knot_is_suspect(&knot[0], &never, 1000 * S));
}
END_TEST

START_TEST(it_is_not_suspected_while_anything_moves)
{
        static void (*const changes[])(uint64_t) = {works, reads, writes, runs, loses_a_thread, asks_anew};

        for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
                with_a_loop();
                ck_assert_uint_eq(suspected_at(changes[i], 1000), 0);
        }
}
END_TEST

START_TEST(what_was_suspected_is_certain_once_no_other_thread_could_let_go)
{
        with_a_loop();
        ck_assert_uint_ne(suspected_at(nothing, 400), 0);
        waiter[1].others = (struct other_threads){.run_ns = 5 * S};
        look(2, 410 * S);
        ck_assert(!lock_knot_lasts(&knot[0], &limits, 410 * S)); /* for how long? */
        look(2, 412 * S);
        look(2, 420 * S);
        ck_assert(lock_knot_lasts(&knot[0], &limits, 420 * S));
        ck_assert(!lock_knot_is_suspect(&knot[0], &limits, 420 * S));
}
END_TEST

START_TEST(of_what_is_suspected_it_is_said_who_could_let_go)
{
        struct sentence s = {0};

        with_a_loop();
        suspected_at(nothing, 400);
        lock_knot_tell(&s, &knot[0], waiter, &unnamed, 220 * S);
        ck_assert_str_eq(s.text,
                         "perhaps a deadlock of 2 processes: nothing has moved for 2 min, but thread 23 "
                         "(node-loop) of node (pid 2) waits for events and could let go: node (pid 1) wants "
                         "wal-write of database 2, node (pid 2) wants wal-write of database 1");
        json_t *o = lock_knot_json(&knot[0], waiter, &unnamed, 220 * S);
        ck_assert(json_is_true(json_object_get(o, "suspected")));
        ck_assert_int_eq(json_integer_value(json_object_get(o, "since_ms")), 120000);
        const json_t *who = json_object_get(o, "may_let_go");
        ck_assert_int_eq(json_integer_value(json_object_get(who, "pid")), 2);
        ck_assert_int_eq(json_integer_value(json_object_get(who, "tid")), 23);
        ck_assert_str_eq(json_string_value(json_object_get(who, "thread")), "node-loop");
        ck_assert_str_eq(json_string_value(json_object_get(who, "waits")), "events");
        json_decref(o);
        two_in_each_others_way();
        look(2, 300 * S);
        look(2, 302 * S);
        o = lock_knot_json(&knot[0], waiter, &unnamed, 320 * S);
        ck_assert(json_is_false(json_object_get(o, "suspected")) && json_is_null(json_object_get(o, "may_let_go")));
        json_decref(o);
}
END_TEST

START_TEST(who_has_taken_the_lock_itself_waits_with_it_whatever_its_other_threads_do)
{
        two_in_each_others_way();
        waiter[0].others.none = true;
        waiter[1].others.may_act = true;
        waiter[1].wait.tid = 22;
        waiter[0].wait.holder[0].tid = 22;
        for (uint64_t now = 100; now <= 110; now += 2) {
                waiter[1].others.run_ns++;
                look(2, now * S);
                ck_assert(!knot[0].may_end);
        }
        ck_assert(lock_knot_lasts(&knot[0], &limits, 110 * S));
        waiter[0].wait.holder[0].tid = 23; /* another thread of it has */
        look(2, 112 * S);
        ck_assert(knot[0].may_end);
        waiter[0].wait.holder[0].tid = waiter[1].wait.tid = 0; /* not known who */
        look(2, 114 * S);
        ck_assert(knot[0].may_end);
}
END_TEST

START_TEST(another_ring_begins_anew)
{
        two_in_each_others_way();
        look(2, 100 * S);
        waits(1, 3, 1, 1, 60 * S);
        waiter[0].wait.holder[0].id = waiter[1].id;
        look(2, 111 * S);
        ck_assert_uint_eq(nknots, 1);
        ck_assert(!lock_knot_lasts(&knot[0], &limits, 111 * S));
        look(0, 113 * S); /* it is over */
        look(2, 115 * S);
        ck_assert(!lock_knot_lasts(&knot[0], &limits, 122 * S));
}
END_TEST

START_TEST(a_convoy_counts_from_the_third_one_on)
{
        watch = (struct lock_watch){0};
        waits(0, 1, 1, 9, 10 * S);
        waits(1, 2, 1, 9, 20 * S);
        waits(2, 3, 1, 9, 90 * S);
        look(3, 100 * S);
        ck_assert_uint_eq(nknots, 1);
        ck_assert(!lock_knot_lasts(&knot[0], &limits, 119 * S));
        ck_assert(lock_knot_lasts(&knot[0], &limits, 120 * S));
}
END_TEST

START_TEST(it_is_said_who_wants_what_and_what_ends_it)
{
        struct sentence s = {0};

        two_in_each_others_way();
        look(2, 100 * S);
        look(2, 102 * S);
        lock_knot_tell(&s, &knot[0], waiter, &unnamed, 103 * S);
        ck_assert_str_eq(
                s.text,
                "a deadlock of 2 processes for 3 s: node (pid 1) wants wal-write of database 2, node (pid 2) wants "
                "wal-write of database 1; it ends when one of them gives up or is ended");
        json_t *o = lock_knot_json(&knot[0], waiter, &unnamed, 103 * S);
        ck_assert_str_eq(json_string_value(json_object_get(o, "kind")), "deadlock");
        ck_assert_int_eq(json_integer_value(json_object_get(o, "since_ms")), 3000);
        ck_assert_uint_eq(json_array_size(json_object_get(o, "members")), 2);
        json_decref(o);
        s = (struct sentence){0};
        for (size_t i = 0; i < 3; i++)
                waits(i, (uint32_t)i + 1, 1, 9, 10 * S);
        look(3, 100 * S);
        lock_knot_tell(&s, &knot[0], waiter, &unnamed, 100 * S);
        ck_assert_str_eq(
                s.text,
                "a convoy: 3 processes have waited 1 min 30 s for the wal-write lock of database 1, held by "
                "process (pid 9) with wal-write for 1 min 30 s");
}
END_TEST

SUITE("lock watch", a_deadlock_that_lasts_is_told_of, a_ring_in_which_somebody_gets_on_is_no_deadlock,
      a_ring_through_another_thread_that_may_get_on_is_no_deadlock,
      where_another_thread_could_let_go_it_is_suspected_once_nothing_has_moved_for_long,
      it_is_not_suspected_while_anything_moves, what_was_suspected_is_certain_once_no_other_thread_could_let_go,
      of_what_is_suspected_it_is_said_who_could_let_go,
      who_has_taken_the_lock_itself_waits_with_it_whatever_its_other_threads_do, another_ring_begins_anew,
      a_convoy_counts_from_the_third_one_on, it_is_said_who_wants_what_and_what_ends_it)
