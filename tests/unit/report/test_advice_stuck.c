/* test_advice_stuck.c - what does not get on is told with what to run, and with whose pid. */
#include "report/advice_stuck.h"

#include <stdio.h>
#include <string.h>

#include "suite.h"

static char said[STUCK_ADVICE_MAX][STUCK_ADVICE_LEN];

/* The advice for findings that are written with ' for ". @return how many sentences. */
static size_t advise(const char *findings)
{
        char text[4096];
        json_error_t e;

        snprintf(text, sizeof(text), "%s", findings);
        for (char *c = text; *c; c++)
                if (*c == '\'')
                        *c = '"';
        json_t *o = json_loads(text, 0, &e);
        ck_assert_msg(o != NULL, "%s at %d", e.text, e.position);
        size_t n = advice_stuck(o, said);
        json_decref(o);
        return n;
}

#define JOB(code, evidence)                                                                                        \
        "{'code': '" code "', 'at': '2026-11-27T00:00:01Z', 'evidence': {'orchestrator': 'batch', 'evidence': "    \
        "{" evidence ", 'process': {'pid': 42, 'comm': 'nightly'}}}}"
#define DEADLOCK                                                                                                   \
        "{'kind': 'deadlock', 'processes': 2, 'members': [{'process': {'pid': 42, 'comm': 'one'}}, "               \
        "{'process': {'pid': 43, 'comm': 'two'}}]}"

START_TEST(a_stopped_one_is_let_go_on)
{
        ck_assert_uint_eq(advise("[" JOB("job-blocked", "'reason': 'stopped'") "]"), 1);
        ck_assert_str_eq(said[0], "`kill -CONT 42` lets nightly go on.");
}
END_TEST

START_TEST(of_a_deadlock_one_is_to_be_ended_and_a_job_in_it_says_nothing_else)
{
        ck_assert_uint_eq(advise("[{'code': 'lock-deadlock', 'evidence': " DEADLOCK
                                 "}, " JOB("job-blocked", "'reason': 'lock', 'knot': " DEADLOCK) "]"),
                          1);
        ck_assert_ptr_nonnull(strstr(said[0], "`kill -TERM 42` (one) or `kill -TERM 43` (two)"));
        ck_assert_ptr_nonnull(strstr(said[0], "SQLite rolls its transaction back"));
}
END_TEST

START_TEST(of_a_convoy_the_holder_is_named)
{
        ck_assert_uint_eq(advise("[{'code': 'lock-convoy', 'evidence': {'kind': 'convoy', 'members': [{'process': "
                                 "{'pid': 42}, 'waits_for': {'database': 'app', 'holder': {'pid': 7, 'comm': "
                                 "'holder'}}}]}}]"),
                          1);
        ck_assert_ptr_nonnull(strstr(said[0], "holder (pid 7) has the lock"));
        ck_assert_ptr_nonnull(strstr(said[0], "`kill -TERM 7` (holder)"));
        ck_assert_ptr_null(strstr(said[0], "42"));
}
END_TEST

START_TEST(a_holder_that_cannot_be_named_is_not_to_be_ended)
{
        ck_assert_uint_eq(advise("[" JOB("job-blocked", "'reason': 'lock', 'waits_for': {'database': 'app', "
                                                        "'holder': {'locks': []}}") "]"),
                          1);
        ck_assert_ptr_null(strstr(said[0], "kill"));
        ck_assert_ptr_nonnull(strstr(said[0], "Find out who has app open"));
}
END_TEST

START_TEST(an_orphan_has_a_certificate_to_look_at_and_a_row_to_set)
{
        ck_assert_uint_eq(advise("[" JOB("job-orphaned", "'reason': 'process-ended', 'certificate': 'c-1'") "]"),
                          1);
        ck_assert_str_eq(said[0],
                         "`vigil certificate c-1` says how its process ended. Nobody works for it: set its "
                         "row to failed, or start the job again.");
        ck_assert_uint_eq(advise("[" JOB("job-orphaned", "'reason': 'orchestrator-not-running'") "]"), 1);
        ck_assert_ptr_eq(strstr(said[0], "Start batch; "), said[0]);
}
END_TEST

START_TEST(the_others_say_where_to_look)
{
        ck_assert_uint_eq(advise("[" JOB("job-stalled", "'sample': {'sleeps': {'peer': '10.0.0.1:80'}}") ", " JOB(
                                  "job-spinning", "'reason': 'x'") ", " JOB("job-overdue", "'reason': 'x'") "]"),
                          3);
        ck_assert_ptr_nonnull(strstr(said[0], "Look whether 10.0.0.1:80 answers."));
        ck_assert_ptr_nonnull(strstr(said[1], "`perf top -p 42`"));
        ck_assert_ptr_null(strstr(said[2], "kill"));
}
END_TEST

START_TEST(the_latest_of_a_code_counts)
{
        ck_assert_uint_eq(
                advise("[" JOB("job-blocked", "'reason': 'stopped'") ", {'code': 'job-blocked', 'at': "
                                                                     "'2026-11-27T00:00:02Z', 'evidence': "
                                                                     "{'evidence': {'reason': 'stopped', "
                                                                     "'process': {'pid': 50, 'comm': 'later'}}}}]"),
                1);
        ck_assert_str_eq(said[0], "`kill -CONT 50` lets later go on.");
}
END_TEST

START_TEST(deaths_have_nothing_to_do_with_it)
{
        ck_assert_uint_eq(advise("[{'code': 'unclean-death', 'evidence': {}}, {'code': 'job-blocked'}]"), 0);
        ck_assert_uint_eq(advice_stuck(NULL, said), 0);
}
END_TEST

SUITE("advice_stuck", a_stopped_one_is_let_go_on,
      of_a_deadlock_one_is_to_be_ended_and_a_job_in_it_says_nothing_else, of_a_convoy_the_holder_is_named,
      a_holder_that_cannot_be_named_is_not_to_be_ended, an_orphan_has_a_certificate_to_look_at_and_a_row_to_set,
      the_others_say_where_to_look, the_latest_of_a_code_counts, deaths_have_nothing_to_do_with_it)
