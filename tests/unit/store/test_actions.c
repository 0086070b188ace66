/* test_actions.c - an intent is never lost, and a run that did not end is known for it. */
#include "suite.h"

#include <errno.h>

#include "fixture.h"

START_TEST(an_action_without_an_outcome_is_interrupted_after_the_restart)
{
        struct store *s = opened(NULL);
        int64_t a, b;
        uint64_t n;
        ck_assert_int_eq(store_begin_action(s, "backup", "persistence", "i-1", "unclean", T0, &a), 0);
        ck_assert_int_eq(store_begin_action(s, "check", "persistence", "i-1", "unclean", T0, &b), 0);
        ck_assert_int_eq(store_end_action(s, a, "done", T0 + 1, NULL), 0);
        store_close(s);
        s = opened(NULL);
        ck_assert_int_eq(store_interrupt_actions(s, T0 + 2, &n), 0);
        ck_assert_uint_eq(n, 1);
        ck_assert_int_eq(store_interrupt_actions(s, T0 + 3, &n), 0);
        ck_assert_uint_eq(n, 0);
        char text[64];
        shell("SELECT group_concat(kind || ' ' || outcome, ', ') FROM actions", text, sizeof(text));
        ck_assert_str_eq(text, "backup done, check interrupted");
        store_close(s);
}
END_TEST

START_TEST(what_was_taken_for_interrupted_and_is_there_was_done)
{
        struct store *s = opened(NULL);
        int64_t id;
        uint64_t n;
        ck_assert_int_eq(store_begin_action(s, "backup", "app", "i-1", "unclean", T0, &id), 0);
        ck_assert_int_eq(store_begin_action(s, "backup", "app", "i-1", "unclean", T0 + 1, &id), 0);
        ck_assert_int_eq(store_begin_action(s, "backup", "other", "i-1", "unclean", T0 + 2, &id), 0);
        ck_assert_int_eq(store_interrupt_actions(s, T0 + 3, &n), 0);
        ck_assert_int_eq(store_adopt_action(s, "backup", "app", "i-1", T0 + 4, NULL), 0);
        ck_assert_int_eq(store_adopt_action(s, "backup", "app", "i-2", T0 + 4, NULL), 0);
        char text[96];
        shell("SELECT group_concat(outcome, ', ') FROM (SELECT outcome FROM actions ORDER BY id)", text,
              sizeof(text));
        ck_assert_str_eq(text, "interrupted, done, interrupted");
        store_close(s);
}
END_TEST

START_TEST(the_last_run_says_when_it_was_seen_and_whether_it_ended)
{
        struct store *s = opened(NULL);
        struct store_run run;
        int64_t id;
        ck_assert_int_eq(store_last_run(s, &run), -ENOENT);
        ck_assert_int_eq(store_begin_run(s, "8f0e5a2c-0000-4000-8000-1234567890ab", 7, "0.1.0", T0, &id), 0);
        ck_assert_int_eq(store_run_seen(s, id, T0 + 5), 0);
        ck_assert_int_eq(store_last_run(s, &run), 0);
        ck_assert_str_eq(run.boot_id, "8f0e5a2c-0000-4000-8000-1234567890ab");
        ck_assert_int_eq(run.id, id);
        ck_assert_int_eq(run.started_ns, T0);
        ck_assert_int_eq(run.last_seen_ns, T0 + 5);
        ck_assert_int_eq(run.ended_ns, 0);
        ck_assert_int_eq(store_end_run(s, id, T0 + 9), 0);
        ck_assert_int_eq(store_last_run(s, &run), 0);
        ck_assert_int_eq(run.ended_ns, T0 + 9);
        store_close(s);
}
END_TEST

SUITE("actions of the store", what_was_taken_for_interrupted_and_is_there_was_done,
      an_action_without_an_outcome_is_interrupted_after_the_restart,
      the_last_run_says_when_it_was_seen_and_whether_it_ended)
