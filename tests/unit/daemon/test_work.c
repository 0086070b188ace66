/* test_work.c - an action that was cut short is the same again, after a pause. */
#include "daemon/work.h"

#include "suite.h"

START_TEST(the_next_try_is_for_the_same_incidents_and_comes_later)
{
        struct work *first = work_new(NULL, ACTION_BACKUP, "app", "unclean-death", "unclean");
        ck_assert_ptr_nonnull(first);
        first->urgent = true;
        json_array_append_new(first->incidents, json_string("i-1"));
        json_array_append_new(first->incidents, json_string("i-2"));
        struct work *second = work_again(first), *third = work_again(second);
        ck_assert_uint_eq(first->tries, 1);
        ck_assert_uint_eq(second->tries, 2);
        ck_assert_uint_eq(third->tries, WORK_TRIES);
        ck_assert(work_is_for(third, "i-1") && work_is_for(third, "i-2") && !work_is_for(third, "i-3"));
        ck_assert_str_eq(work_first_incident(third), "i-1");
        ck_assert_str_eq(third->database, "app");
        ck_assert_str_eq(third->verdict, "unclean");
        ck_assert(third->urgent && !third->started && !third->stored);
        ck_assert_uint_eq(first->not_before_ns, 0);
        ck_assert_uint_gt(second->not_before_ns, second->since_ns);
        ck_assert_uint_gt(third->not_before_ns - third->since_ns, second->not_before_ns - second->since_ns);
        work_free(third);
        work_free(second);
        work_free(first);
}
END_TEST

START_TEST(what_is_for_no_incident_says_so)
{
        struct work *w = work_new(NULL, ACTION_CHECK, "app", "schedule", NULL);
        ck_assert_ptr_null(work_first_incident(w));
        ck_assert(!work_is_for(w, "i-1"));
        ck_assert_ptr_null(w->verdict);
        work_free(w);
}
END_TEST

SUITE("work", the_next_try_is_for_the_same_incidents_and_comes_later, what_is_for_no_incident_says_so)
