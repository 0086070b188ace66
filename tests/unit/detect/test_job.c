/* test_job.c - a job whose process has ended, or is kept from going on; and each way in which it is not called that. */
#include <string.h>

#include "job_fixture.h"

/* ---- orphaned ---- */

static void dies(void)
{
        process[0].now = NULL;
        process[0].ended_ns = NOW - S;
        process[0].certificate = "c-1";
}

START_TEST(a_job_whose_process_died_is_orphaned_at_once)
{
        arrange();
        dies();
        facts.changed_ns = NOW - 2 * S; /* it had been progressing */
        struct job_judgement j = judge();
        VERDICT(j, JOB_ORPHANED, "process-ended");
        ck_assert_int_eq(j.severity, SEVERITY_P1);
        ck_assert_int_eq(j.trust.level, TRUST_FULL);
        ck_assert_uint_eq(j.since_ns, NOW - S);
        ck_assert_ptr_nonnull(strstr(j.detail, "c-1"));
        ck_assert(job_is_in_question(&facts, &limits));
}
END_TEST

START_TEST(a_process_without_a_name_is_told_by_its_number)
{
        arrange();
        dies();
        process[0].id.comm[0] = 0;
        ck_assert_ptr_nonnull(strstr(judge().detail, "its process (pid "));
}
END_TEST

START_TEST(a_row_read_before_the_death_proves_nothing)
{
        arrange();
        dies();
        facts.read_ns = NOW - 2 * S;
        VERDICT(judge(), JOB_UNKNOWN, "row-older-than-the-end");
}
END_TEST

START_TEST(a_process_that_is_merely_gone_is_believed_less)
{
        arrange();
        now.gone = true;
        struct job_judgement j = judge();
        VERDICT(j, JOB_ORPHANED, "process-ended");
        ck_assert(trust_has(&j.trust, "death-not-seen"));
}
END_TEST

/* Whoever is missed between a reading and a look may have ended its job in between. */
START_TEST(a_row_read_before_its_process_was_found_gone_proves_nothing)
{
        arrange();
        now.gone = true;
        process[0].gone_ns = NOW - S;
        facts.read_ns = NOW - S;
        VERDICT(judge(), JOB_UNKNOWN, "row-older-than-the-end");
        facts.read_ns = NOW;
        VERDICT(judge(), JOB_ORPHANED, "process-ended");
}
END_TEST

START_TEST(a_number_that_another_process_has_is_no_process_of_the_job)
{
        arrange();
        before.id.start_ns = now.id.start_ns = process[0].id.start_ns = 90 * MIN;
        VERDICT(judge(), JOB_ORPHANED, "pid-reused");
}
END_TEST

START_TEST(a_job_taken_up_again_by_a_younger_process_is_none)
{
        arrange();
        before.id.start_ns = now.id.start_ns = process[0].id.start_ns = 90 * MIN;
        process[0].tied_ns = 90 * MIN + S; /* the row was seen to get its number then */
        facts.updated_ns = 75 * MIN;
        facts.changed_ns = NOW - S;
        VERDICT(judge(), JOB_HEALTHY, "row-changes");
}
END_TEST

START_TEST(a_row_older_than_the_process_that_it_named_from_the_start)
{
        arrange();
        facts.first_seen_ns = process[0].tied_ns = NOW - MIN; /* Vigil itself has begun a while ago */
        facts.updated_ns = 71 * MIN;
        before.id.start_ns = now.id.start_ns = process[0].id.start_ns = 90 * MIN;
        struct job_judgement j = judge();
        VERDICT(j, JOB_ORPHANED, "pid-reused");
        ck_assert_int_eq(j.trust.level, TRUST_PARTIAL);
        facts.first_seen_ns = process[0].tied_ns = NOW - S; /* it is not known yet whether the row moves */
        ck_assert_int_ne(judge().verdict, JOB_ORPHANED);
        facts.first_seen_ns = process[0].tied_ns = NOW - MIN;
        facts.changed_ns = NOW - S; /* it moves: the time of update is another clock's */
        VERDICT(judge(), JOB_HEALTHY, "row-changes");
}
END_TEST

START_TEST(a_job_that_goes_on_after_a_death_has_another_process)
{
        arrange();
        dies();
        process[0].ended_ns = NOW - 10 * S;
        facts.changed_ns = NOW - S;
        facts.changed_after_ns = NOW - 9 * S;
        process[1] = (struct job_process){.tie = JOB_TIE_TREE, .id = now.id, .before = &before, .now = &now};
        facts.nprocesses = 2;
        VERDICT(judge(), JOB_HEALTHY, "row-changes");
}
END_TEST

START_TEST(what_is_seen_after_a_death_may_have_been_written_before_it)
{
        arrange();
        dies();
        process[1] = (struct job_process){.tie = JOB_TIE_TREE, .id = now.id, .before = &before, .now = &now};
        facts.nprocesses = 2;
        facts.changed_ns = process[0].ended_ns + S / 2;
        facts.changed_after_ns = process[0].ended_ns - S / 2; /* its last step, between two readings */
        struct job_judgement j = judge();
        VERDICT(j, JOB_ORPHANED, "process-ended");
        ck_assert_int_eq(j.trust.level, TRUST_FULL);
}
END_TEST

START_TEST(a_row_that_moves_refutes_an_end_that_nobody_saw)
{
        arrange();
        process[0].now = NULL;
        process[0].before = NULL;
        process[0].id = (struct vigil_ident){.tgid = 31}; /* nobody has that number here */
        struct process_evidence gone = {.gone = true};
        process[0].now = &gone;
        process[1] = (struct job_process){.tie = JOB_TIE_TREE, .id = now.id, .before = &before, .now = &now};
        facts.nprocesses = 2;
        facts.changed_ns = NOW - S;
        VERDICT(judge(), JOB_HEALTHY, "row-changes");
        facts.changed_ns = 80 * MIN; /* it stands still since, and that may have been before the end */
        VERDICT(judge(), JOB_ORPHANED, "process-ended");
        facts.changed_ns = NOW - S; /* nobody is there who could move it */
        facts.nprocesses = 1;
        VERDICT(judge(), JOB_ORPHANED, "process-ended");
}
END_TEST

START_TEST(a_number_of_another_namespace_is_told_as_such)
{
        arrange();
        process[0].tie = JOB_TIE_TREE;
        facts.pid_foreign = true;
        struct job_judgement j = judge();
        VERDICT(j, JOB_STALLED, "nothing-moves");
        ck_assert(trust_has(&j.trust, "pid-of-another-namespace"));
}
END_TEST

START_TEST(one_of_two_writers_dying_orphans_nothing)
{
        arrange();
        dies();
        process[0].tie = JOB_TIE_WRITES;
        process[1] = (struct job_process){.tie = JOB_TIE_WRITES, .id = now.id, .before = &before, .now = &now};
        facts.nprocesses = 2;
        facts.changed_ns = NOW - S;
        VERDICT(judge(), JOB_HEALTHY, "row-changes");
}
END_TEST

START_TEST(the_only_writer_dying_does_with_less_trust)
{
        arrange();
        dies();
        process[0].tie = JOB_TIE_WRITES;
        struct job_judgement j = judge();
        VERDICT(j, JOB_ORPHANED, "process-ended");
        ck_assert(trust_has(&j.trust, "tied-by-writes"));
        ck_assert(!trust_has(&j.trust, "too-many-processes"));
        facts.cut = true;
        j = judge();
        VERDICT(j, JOB_ORPHANED, "process-ended");
        ck_assert(trust_has(&j.trust, "too-many-processes"));
}
END_TEST

START_TEST(a_job_of_an_orchestrator_that_does_not_run_is_orphaned)
{
        arrange();
        facts.nprocesses = 0;
        facts.orchestrator_lives = 0;
        struct job_judgement j = judge();
        VERDICT(j, JOB_ORPHANED, "orchestrator-not-running");
        ck_assert_str_eq(j.detail, "no process of batch is running");
        facts.younger = 3; /* it has been started again, and nobody has touched the job since */
        j = judge();
        VERDICT(j, JOB_ORPHANED, "orchestrator-not-running");
        ck_assert_str_eq(j.detail,
                         "no process of batch is running but such as began after the job had changed last");
        facts.orchestrator_lives = -1;
        VERDICT(judge(), JOB_UNKNOWN, "process-not-known");
}
END_TEST

/* ---- blocked ---- */

static void waits(uint64_t for_ns)
{
        now.nwaits = 1;
        now.wait[0] = (struct evidence_wait){.db = 1,
                                             .lock = VIGIL_LOCK_WAL_WRITE,
                                             .since_ns = NOW - for_ns,
                                             .last_ns = NOW,
                                             .tries = 100,
                                             .nholders = 1,
                                             .holder = {{.id = {.tgid = 77, .start_ns = 3, .comm = "python3"},
                                                         .locks = VIGIL_LOCK_WAL_WRITE,
                                                         .since_ns = NOW - 2 * for_ns}}};
}

START_TEST(a_lock_that_another_process_holds_blocks)
{
        arrange();
        waits(40 * S);
        struct job_judgement j = judge();
        VERDICT(j, JOB_BLOCKED, "lock");
        ck_assert_int_eq(j.severity, SEVERITY_P1);
        ck_assert_uint_eq(j.since_ns, NOW - 40 * S);
        ck_assert_ptr_nonnull(strstr(j.detail, "wal-write"));
        ck_assert_ptr_nonnull(strstr(j.detail, "python3 (pid 77)"));
        json_t *e = job_evidence(&facts, &j);
        json_t *w = json_object_get(e, "waits_for");
        ck_assert_str_eq(json_string_value(json_object_get(w, "lock")), "wal-write");
        ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(w, "holder"), "pid")), 77);
        ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(w, "holder"), "holding_ms")), 80000);
        json_decref(e);
}
END_TEST

START_TEST(a_wait_is_told_without_a_reading_since)
{
        arrange();
        limits.no_progress_ms = 600000;
        facts.changed_ns = facts.read_ns = NOW - 2 * MIN;
        waits(40 * S);
        ck_assert(job_is_in_question(&facts, &limits));
        VERDICT(judge(), JOB_BLOCKED, "lock");
}
END_TEST

START_TEST(ordinary_contention_is_no_block)
{
        arrange();
        facts.changed_ns = NOW - 40 * S;
        waits(20 * S);
        VERDICT(judge(), JOB_HEALTHY, "row-changes");
}
END_TEST

START_TEST(who_commits_meanwhile_is_not_blocked)
{
        arrange();
        waits(40 * S);
        now.commits++;
        now.last_write_ns = NOW - S;
        VERDICT(judge(), JOB_HEALTHY, "database-written");
}
END_TEST

START_TEST(two_in_each_others_way_are_called_a_deadlock)
{
        struct lock_waiter waiter[2];
        struct lock_knot knot;

        arrange();
        waits(40 * S);
        waiter[0] = (struct lock_waiter){.id = now.id, .wait = now.wait[0]};
        waiter[1] = (struct lock_waiter){.id = now.wait[0].holder[0].id, .wait = now.wait[0]};
        waiter[1].wait.holder[0].id = now.id;
        facts.waiter = waiter;
        facts.nknots = lock_graph_knots(waiter, 2, &knot, 1);
        facts.knot = &knot;
        struct job_judgement j = judge();
        VERDICT(j, JOB_BLOCKED, "lock");
        ck_assert_ptr_eq(j.knot, &knot);
        ck_assert_ptr_nonnull(strstr(j.detail, "deadlock of 2 processes"));
}
END_TEST

START_TEST(a_sync_that_does_not_end_blocks)
{
        arrange();
        now.state = 'D';
        now.sync = (struct evidence_sync){
                .since_ns = NOW - 40 * S, .in_flight = 1, .db = 1, .role = VIGIL_ROLE_WAL, .device = "loop3"};
        struct job_judgement j = judge();
        VERDICT(j, JOB_BLOCKED, "sync");
        ck_assert_ptr_nonnull(strstr(j.detail, "loop3"));
}
END_TEST

START_TEST(a_stopped_process_blocks_and_its_stopper_is_named)
{
        arrange();
        now.stop.stopped = before.stop.stopped = true;
        now.stop.sig = 19;
        now.stop.ns = NOW - 40 * S;
        now.stop.by = (struct vigil_ident){.tgid = 9, .start_ns = 1, .comm = "bash"};
        struct job_judgement j = judge();
        VERDICT(j, JOB_BLOCKED, "stopped");
        ck_assert_ptr_nonnull(strstr(j.detail, "SIGSTOP from bash (pid 9)"));
        now.stop.ns = NOW - S; /* a moment is no block; and the row has been quiet for long */
        VERDICT(judge(), JOB_STALLED, "nothing-moves");
        now.stop.ns = now.at_ns + 1; /* it came while the look was being taken */
        VERDICT(judge(), JOB_STALLED, "nothing-moves");
}
END_TEST

START_TEST(a_frozen_cgroup_blocks)
{
        arrange();
        limits.blocked_after_ms = 1000;
        now.cgroup.frozen = before.cgroup.frozen = true;
        VERDICT(judge(), JOB_BLOCKED, "frozen");
}
END_TEST

START_TEST(who_is_held_is_blocked_by_all_looks_and_not_by_the_last_two)
{
        arrange();
        now.stop.traced = before.stop.traced = true;
        process[0].held_ns = NOW - 29 * S;
        VERDICT(judge(), JOB_STALLED, "nothing-moves");
        process[0].held_ns = NOW - 31 * S;
        struct job_judgement j = judge();
        VERDICT(j, JOB_BLOCKED, "traced");
        ck_assert_uint_eq(j.since_ns, NOW - 31 * S);
        ck_assert_ptr_nonnull(strstr(j.detail, "31"));
}
END_TEST

START_TEST(a_cgroup_without_cpu_time_blocks)
{
        arrange();
        now.cgroup.throttled_us = 1500000;
        now.cpu_ns += S / 10;
        now.running = before.running = 1;
        struct job_judgement j = judge();
        VERDICT(j, JOB_BLOCKED, "throttled");
        ck_assert_ptr_nonnull(strstr(j.detail, "gets 5 % of a CPU"));
        now.cgroup.throttled_us = 100000; /* a twentieth of the time */
        VERDICT(judge(), JOB_STALLED, "nothing-moves");
}
END_TEST

/* throttled_usec adds up CPUs and levels: eight threads that get four CPUs have more of it than time goes by. */
START_TEST(who_is_throttled_and_gets_on_is_not_blocked)
{
        arrange();
        now.cgroup.throttled_us = 16000000;
        now.running = before.running = 8;
        now.threads = before.threads = 9;
        now.cpu_ns += 8 * S;
        now.write_bytes += 1 << 20;
        VERDICT(judge(), JOB_HEALTHY, "process-works");
        now.write_bytes = before.write_bytes;
        VERDICT(judge(), JOB_SPINNING, "cpu-without-progress");
        now.running = before.running = 0; /* it sleeps; a neighbour in its cgroup is held down */
        now.cpu_ns = before.cpu_ns;
        VERDICT(judge(), JOB_STALLED, "nothing-moves");
}
END_TEST

START_TEST(the_same_uninterruptible_sleep_twice_blocks)
{
        arrange();
        now.state = before.state = 'D';
        strcpy(now.wchan, "io_schedule");
        strcpy(before.wchan, "io_schedule");
        VERDICT(judge(), JOB_BLOCKED, "uninterruptible");
        now.cpu_ns += S / 2; /* it was not the same one */
        VERDICT(judge(), JOB_SPINNING, "cpu-without-progress");
}
END_TEST

START_TEST(what_was_not_looked_at_may_get_on)
{
        arrange();
        facts.cut = true;
        VERDICT(judge(), JOB_UNKNOWN, "too-many-processes");
        now.cpu_ns += 2 * S;
        VERDICT(judge(), JOB_UNKNOWN, "too-many-processes");
        now.write_bytes += 1 << 20;
        VERDICT(judge(), JOB_HEALTHY, "process-works");
        arrange();
        facts.cut = true;
        waits(40 * S);
        VERDICT(judge(), JOB_BLOCKED, "lock"); /* its row names it: that one counts */
        process[0].tie = JOB_TIE_TREE;
        VERDICT(judge(), JOB_UNKNOWN, "too-many-processes");
}
END_TEST

START_TEST(one_process_that_gets_on_is_enough)
{
        struct process_evidence other;

        arrange();
        waits(40 * S);
        other = before;
        other.at_ns = NOW;
        other.commits++;
        process[1] = (struct job_process){.tie = JOB_TIE_WRITES, .id = before.id, .before = &before, .now = &other};
        process[0].tie = JOB_TIE_WRITES;
        facts.nprocesses = 2;
        VERDICT(judge(), JOB_HEALTHY, "database-written");
}
END_TEST

SUITE("job", a_job_whose_process_died_is_orphaned_at_once, a_process_without_a_name_is_told_by_its_number,
      a_row_read_before_the_death_proves_nothing, a_row_read_before_its_process_was_found_gone_proves_nothing,
      a_process_that_is_merely_gone_is_believed_less, a_number_that_another_process_has_is_no_process_of_the_job,
      a_job_taken_up_again_by_a_younger_process_is_none, a_row_older_than_the_process_that_it_named_from_the_start,
      what_is_seen_after_a_death_may_have_been_written_before_it,
      a_job_that_goes_on_after_a_death_has_another_process, a_row_that_moves_refutes_an_end_that_nobody_saw,
      a_number_of_another_namespace_is_told_as_such, one_of_two_writers_dying_orphans_nothing,
      the_only_writer_dying_does_with_less_trust, a_job_of_an_orchestrator_that_does_not_run_is_orphaned,
      a_lock_that_another_process_holds_blocks, a_wait_is_told_without_a_reading_since,
      ordinary_contention_is_no_block, who_commits_meanwhile_is_not_blocked,
      two_in_each_others_way_are_called_a_deadlock, a_sync_that_does_not_end_blocks,
      a_stopped_process_blocks_and_its_stopper_is_named, a_frozen_cgroup_blocks, a_cgroup_without_cpu_time_blocks,
      who_is_held_is_blocked_by_all_looks_and_not_by_the_last_two, who_is_throttled_and_gets_on_is_not_blocked,
      the_same_uninterruptible_sleep_twice_blocks, what_was_not_looked_at_may_get_on,
      one_process_that_gets_on_is_enough)
