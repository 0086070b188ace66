/* test_job_motion.c - what lives: spinning, stalled, overdue, healthy. */
#include <math.h>
#include <string.h>

#include "job_fixture.h"

/* ---- spinning, stalled ---- */

START_TEST(cpu_without_progress_is_spinning)
{
        arrange();
        now.cpu_ns += 2 * S;
        struct job_judgement j = judge();
        VERDICT(j, JOB_SPINNING, "cpu-without-progress");
        ck_assert_int_eq(j.severity, SEVERITY_P1);
        ck_assert_ptr_nonnull(strstr(j.detail, "100 %"));
        now.read_chars += 1 << 20; /* out of the page cache, again and again: a loop that polls */
        VERDICT(judge(), JOB_SPINNING, "cpu-without-progress");
}
END_TEST

START_TEST(who_computes_while_its_row_changes_does_not_spin)
{
        arrange();
        now.cpu_ns += 2 * S;
        facts.changed_ns = NOW - 5 * MIN;
        VERDICT(judge(), JOB_HEALTHY, "row-changes");
}
END_TEST

START_TEST(who_computes_and_writes_a_file_does_not_spin)
{
        arrange();
        now.cpu_ns += 2 * S;
        now.write_chars += 1 << 20;
        VERDICT(judge(), JOB_HEALTHY, "process-works");
}
END_TEST

START_TEST(nothing_that_moves_is_stalled)
{
        arrange();
        struct job_judgement j = judge();
        VERDICT(j, JOB_STALLED, "nothing-moves");
        ck_assert_int_eq(j.severity, SEVERITY_P1);
        ck_assert_int_eq(j.trust.level, TRUST_FULL);
        now.write_chars += 64; /* an event loop that wakes up */
        now.cpu_ns += S / 100;
        VERDICT(judge(), JOB_STALLED, "nothing-moves");
}
END_TEST

START_TEST(who_waits_for_a_message_is_stalled_and_less_bad)
{
        arrange();
        now.sleep = (struct evidence_sleep){.kind = SLEEP_MESSAGE, .connections = 1, .peer = "10.0.0.5:443"};
        struct job_judgement j = judge();
        VERDICT(j, JOB_STALLED, "waits-for-message");
        ck_assert_int_eq(j.severity, SEVERITY_P2);
        ck_assert_ptr_nonnull(strstr(j.detail, "it waits for a message on a socket from 10.0.0.5:443"));
        now.sleep.kind = SLEEP_EVENTS; /* an event loop with a connection */
        VERDICT(judge(), JOB_STALLED, "waits-for-message");
        now.sleep.connections = 0; /* and one without: timers, and its own host */
        j = judge();
        VERDICT(j, JOB_STALLED, "nothing-moves");
        ck_assert_int_eq(j.severity, SEVERITY_P1);
        now.sleep.unsure = true;
        VERDICT(judge(), JOB_STALLED, "waits-for-message");
        now.sleep = (struct evidence_sleep){.kind = SLEEP_TIMER};
        VERDICT(judge(), JOB_STALLED, "nothing-moves");
        ck_assert_ptr_nonnull(strstr(judge().detail, "it sleeps until a time that it has set itself"));
}
END_TEST

START_TEST(who_sleeps_between_questions_to_somebody_else_waits_for_him)
{
        arrange();
        now.sleep = (struct evidence_sleep){.kind = SLEEP_TIMER, .connections = 1, .peer = "10.0.0.5:443"};
        VERDICT(judge(), JOB_STALLED, "nothing-moves"); /* it has not woken up */
        now.voluntary += 4;
        struct job_judgement j = judge();
        VERDICT(j, JOB_STALLED, "waits-for-message");
        ck_assert_int_eq(j.severity, SEVERITY_P2);
        ck_assert_ptr_nonnull(strstr(j.detail, "has set itself, with a connection to 10.0.0.5:443"));
        now.sleep.connections = 0; /* nobody is asked */
        now.sleep.peer[0] = 0;
        VERDICT(judge(), JOB_STALLED, "nothing-moves");
}
END_TEST

START_TEST(who_asks_by_a_new_connection_each_time_waits_for_somebody_else_as_long_as_it_does)
{
        arrange();
        now.sleep.kind = SLEEP_TIMER;
        now.connect_ns = NOW - 3 * S;
        struct job_judgement j = judge();
        VERDICT(j, JOB_STALLED, "waits-for-message");
        ck_assert_int_eq(j.severity, SEVERITY_P2);
        ck_assert_ptr_nonnull(strstr(j.detail, "has set itself, and opened a connection 3 s ago"));
        now.sleep.kind = SLEEP_EVENTS;
        VERDICT(judge(), JOB_STALLED, "waits-for-message");
        now.sleep.kind = SLEEP_CHILD; /* that is what it waits for now */
        VERDICT(judge(), JOB_STALLED, "nothing-moves");
        now.sleep.kind = SLEEP_TIMER;
        now.connect_ns = NOW - 10 * MIN; /* for as long it has asked nobody */
        VERDICT(judge(), JOB_STALLED, "nothing-moves");
        ck_assert_ptr_null(strstr(judge().detail, "connection"));
}
END_TEST

START_TEST(work_in_a_child_is_work)
{
        struct process_evidence child_before, child;

        arrange();
        child_before = child = before;
        child.at_ns = NOW;
        child.write_bytes += 1 << 20;
        process[1] = (struct job_process){
                .tie = JOB_TIE_CHILD, .id = child.id, .before = &child_before, .now = &child};
        facts.nprocesses = 2;
        VERDICT(judge(), JOB_HEALTHY, "process-works");
}
END_TEST

START_TEST(a_child_that_has_just_begun_hides_no_work)
{
        arrange();
        process[1] = (struct job_process){.tie = JOB_TIE_CHILD, .id = {.tgid = 50, .start_ns = 1}};
        facts.nprocesses = 2;
        VERDICT(judge(), JOB_UNKNOWN, "one-sample");
        now.write_bytes += 1 << 20;
        VERDICT(judge(), JOB_HEALTHY, "process-works");
}
END_TEST

START_TEST(a_child_that_dies_orphans_nothing)
{
        arrange();
        process[1] = (struct job_process){
                .tie = JOB_TIE_CHILD, .id = {.tgid = 50, .start_ns = 1}, .ended_ns = NOW - S};
        facts.nprocesses = 2;
        facts.changed_ns = NOW - S;
        VERDICT(judge(), JOB_HEALTHY, "row-changes");
}
END_TEST

START_TEST(one_sample_proves_no_standstill)
{
        arrange();
        process[0].before = NULL;
        VERDICT(judge(), JOB_UNKNOWN, "one-sample");
        process[0].before = &before;
        before.at_ns = NOW - S / 10; /* nor do two at once */
        VERDICT(judge(), JOB_UNKNOWN, "one-sample");
}
END_TEST

START_TEST(counters_that_cannot_be_read_prove_nothing)
{
        arrange();
        now.missing = EVIDENCE_NO_IO;
        VERDICT(judge(), JOB_UNKNOWN, "counters-not-readable");
}
END_TEST

START_TEST(a_job_that_is_young_is_not_looked_at)
{
        arrange();
        facts.started_ns = NOW - S;
        VERDICT(judge(), JOB_HEALTHY, "row-changes");
        ck_assert(!job_is_in_question(&facts, &limits));
}
END_TEST

START_TEST(a_row_from_the_future_does_not_keep_a_job_quiet)
{
        arrange();
        facts.updated_ns = NOW + 60 * MIN; /* the clock was set back since */
        VERDICT(judge(), JOB_STALLED, "nothing-moves");
}
END_TEST

/* ---- overdue, healthy ---- */

START_TEST(slow_but_alive_is_overdue_with_rate_and_estimate)
{
        arrange();
        limits.stuck_after_ms = 20 * 60000;
        facts.changed_ns = NOW - S;
        facts.progress = 50;
        facts.total = 100;
        facts.first_progress = 20;
        facts.first_progress_ns = 70 * MIN;
        struct job_judgement j = judge();
        VERDICT(j, JOB_OVERDUE, "row-changes");
        ck_assert_int_eq(j.severity, SEVERITY_P2);
        ck_assert_double_eq_tol(j.rate * 60, 1, 1e-9);
        ck_assert_double_eq_tol(j.left_s, 3000, 1e-6);
        ck_assert_ptr_nonnull(strstr(j.detail, ": at 50 of 100, 1 per minute"));
        ck_assert(job_is_in_question(&facts, &limits));
}
END_TEST

START_TEST(what_is_overdue_tells_its_numbers_as_they_are)
{
        arrange();
        limits.stuck_after_ms = 20 * 60000;
        facts.changed_ns = NOW - S;
        facts.progress = 5;
        facts.first_progress = 2;
        facts.first_progress_ns = 70 * MIN;
        ck_assert_ptr_nonnull(strstr(judge().detail, ": at 5, 0.1 per minute"));
        facts.progress = 1234567;
        facts.total = 1e300; /* whenever that will be */
        ck_assert_ptr_nonnull(strstr(judge().detail, ": at 1234567 of 1e+300, 41152 per minute"));
        ck_assert_ptr_null(strstr(judge().detail, "done in"));
}
END_TEST

START_TEST(numbers_beyond_reason_have_no_rate_and_cost_no_evidence)
{
        arrange();
        facts.changed_ns = NOW - S;
        facts.first_progress = -1.7e308;
        facts.first_progress_ns = NOW - S;
        facts.progress = 1.7e308;
        ck_assert(isnan(judge().rate)); /* judge() wants evidence */
        facts.first_progress = 0;
        facts.progress = 1e-300;
        facts.total = 1e300;
        struct job_judgement j = judge();
        ck_assert(j.rate > 0);
        ck_assert(isnan(j.left_s));
}
END_TEST

START_TEST(one_reading_tells_no_rate)
{
        arrange();
        facts.changed_ns = NOW - S;
        facts.progress = facts.first_progress = 7;
        facts.first_progress_ns = facts.read_ns = NOW - S;
        ck_assert(isnan(judge().rate));
        facts.read_ns = NOW; /* a second one, and it has not moved */
        ck_assert(judge().rate == 0);
}
END_TEST

START_TEST(what_has_stopped_has_neither_a_rate_nor_an_end)
{
        arrange();
        facts.progress = 30;
        facts.total = 100;
        facts.first_progress = 2;
        facts.first_progress_ns = 70 * MIN;
        struct job_judgement j = judge();
        ck_assert_int_ne(j.verdict, JOB_HEALTHY);
        ck_assert(isnan(j.rate) && isnan(j.left_s));
        facts.changed_ns = NOW - S;
        j = judge();
        ck_assert_int_eq(j.verdict, JOB_HEALTHY);
        ck_assert(j.rate > 0 && j.left_s > 0);
}
END_TEST

START_TEST(slow_but_in_time_is_healthy)
{
        arrange();
        facts.changed_ns = NOW - 9 * MIN;
        struct job_judgement j = judge();
        VERDICT(j, JOB_HEALTHY, "row-changes");
        ck_assert(isnan(j.rate));
        ck_assert_int_eq(j.severity, SEVERITY_P3);
}
END_TEST

START_TEST(progress_without_a_total_has_no_estimate)
{
        arrange();
        facts.changed_ns = NOW - S;
        facts.progress = 50;
        facts.first_progress = 60; /* backwards */
        facts.first_progress_ns = 70 * MIN;
        struct job_judgement j = judge();
        ck_assert(isnan(j.left_s));
        ck_assert(j.rate < 0);
}
END_TEST

START_TEST(a_row_that_cannot_be_read_is_unknown)
{
        arrange();
        facts.read_ns = 0;
        VERDICT(judge(), JOB_UNKNOWN, "row-not-read");
}
END_TEST

START_TEST(a_row_is_quiet_only_until_it_was_read_last)
{
        arrange();
        facts.changed_ns = facts.read_ns = NOW - 9 * MIN; /* read nine minutes ago, and it had just moved */
        limits.no_progress_ms = 5 * 60000;
        VERDICT(judge(), JOB_UNKNOWN, "reading-is-old");
        facts.read_ns = NOW - 4 * MIN;
        facts.changed_ns = NOW - 8 * MIN; /* four minutes of quiet are known */
        VERDICT(judge(), JOB_HEALTHY, "row-changes");
        facts.changed_ns = NOW - 9 * MIN; /* five */
        struct job_judgement j = judge();
        VERDICT(j, JOB_STALLED, "nothing-moves");
        ck_assert_uint_eq(j.since_ns, NOW - 9 * MIN);
        limits.no_progress_ms = 2000; /* tight, and a reading that was late */
        facts.read_ns = NOW - 10 * S;
        VERDICT(judge(), JOB_STALLED, "nothing-moves");
}
END_TEST

SUITE("job motion", a_row_is_quiet_only_until_it_was_read_last, cpu_without_progress_is_spinning,
      who_computes_while_its_row_changes_does_not_spin, who_computes_and_writes_a_file_does_not_spin,
      nothing_that_moves_is_stalled, who_waits_for_a_message_is_stalled_and_less_bad,
      who_sleeps_between_questions_to_somebody_else_waits_for_him,
      who_asks_by_a_new_connection_each_time_waits_for_somebody_else_as_long_as_it_does, work_in_a_child_is_work,
      a_child_that_has_just_begun_hides_no_work, a_child_that_dies_orphans_nothing, one_sample_proves_no_standstill,
      counters_that_cannot_be_read_prove_nothing, a_job_that_is_young_is_not_looked_at,
      a_row_from_the_future_does_not_keep_a_job_quiet, slow_but_alive_is_overdue_with_rate_and_estimate,
      what_is_overdue_tells_its_numbers_as_they_are, numbers_beyond_reason_have_no_rate_and_cost_no_evidence,
      slow_but_in_time_is_healthy, one_reading_tells_no_rate, what_has_stopped_has_neither_a_rate_nor_an_end,
      progress_without_a_total_has_no_estimate, a_row_that_cannot_be_read_is_unknown)
