/* test_jobs_judge.c - what a verdict waits for before it is one. */
#include "suite.h"

#include <math.h>
#include <stdlib.h>

#include "daemon/core.h"
#include "daemon/jobs_private.h"

#define S 1000000000ull

static struct daemon d;
static struct config_orchestrator config;
static struct orchestrator orchestrator;
static struct member member[2];
static struct job_table table;
static struct job job;

/* A job whose row names 4711 since the tenth second, and a process of that number that had ended by then. */
static void arrange(void)
{
        d = (struct daemon){0};
        ck_assert_int_eq(jobs_new(&d.jobs), 0);
        member[0] = (struct member){
                .id = {.tgid = 4711, .start_ns = S}, .own_pid = 4711, .ended_ns = 5 * S, .pidfd = -1};
        member[1] = (struct member){.id = {.tgid = 4712, .start_ns = S}, .own_pid = 4712, .pidfd = -1};
        orchestrator = (struct orchestrator){.of = &config,
                                             .name = (char *)"batch",
                                             .member = member,
                                             .n = 2,
                                             .living = 1,
                                             .ever = true,
                                             .jobs = &table};
        table = (struct job_table){.job = &job, .n = 1, .read_ns = 10 * S, .due_ns = UINT64_MAX};
        job = (struct job){.id = (char *)"j1",
                           .progress = NAN,
                           .total = NAN,
                           .first_progress = NAN,
                           .pid = 4711,
                           .first_seen_ns = 10 * S,
                           .read_ns = 10 * S,
                           .pid_seen_ns = 10 * S,
                           .moved_by_ns = 10 * S};
}

static void judge(void)
{
        jobs_judge(&d, &orchestrator, true);
}

static void done(void)
{
        free(job.detail);
        jobs_free(&d);
}

START_TEST(a_number_that_is_named_after_an_end_may_be_anothers_until_all_have_been_looked_at)
{
        arrange();
        judge();
        ck_assert_int_eq(job.told, JOB_HEALTHY);
        ck_assert(job.in_question);
        ck_assert_uint_gt(d.jobs->scan_due_ns, 0);
        d.jobs->scanned_ns = 11 * S;
        judge();
        ck_assert_int_eq(job.told, JOB_ORPHANED);
        done();
}
END_TEST

START_TEST(a_number_that_was_named_before_the_end_is_that_of_the_dead)
{
        arrange();
        job.read_ns = 12 * S;
        member[0].ended_ns = 11 * S;
        judge();
        ck_assert_int_eq(job.told, JOB_ORPHANED);
        done();
}
END_TEST

START_TEST(an_end_after_the_reading_wants_another_one)
{
        arrange();
        member[0].ended_ns = 11 * S;
        judge();
        ck_assert_int_eq(job.verdict, JOB_UNKNOWN);
        ck_assert_uint_lt(table.due_ns, UINT64_MAX);
        done();
        arrange();
        member[0].ended_ns = 11 * S;
        table.failed = true; /* its next attempt is due as it is */
        judge();
        ck_assert_uint_eq(table.due_ns, UINT64_MAX);
        done();
}
END_TEST

START_TEST(a_number_that_nobody_had_is_somebodys_again_once_a_member_has_it)
{
        arrange();
        job.pid = 4712;
        job.nobody_ns = 9 * S;
        job.stranger = (struct vigil_ident){.tgid = 4712, .start_ns = 8 * S};
        job.stranger_ns = 9 * S;
        judge();
        ck_assert_uint_eq(job.nobody_ns, 0);
        ck_assert_uint_eq(job.stranger_ns, 0); /* when that one is forgotten it is looked up at once */
        ck_assert_uint_eq(job.stranger.tgid, 0);
        ck_assert_int_eq(job.told, JOB_HEALTHY);
        done();
}
END_TEST

SUITE("jobs_judge", a_number_that_is_named_after_an_end_may_be_anothers_until_all_have_been_looked_at,
      a_number_that_was_named_before_the_end_is_that_of_the_dead, an_end_after_the_reading_wants_another_one,
      a_number_that_nobody_had_is_somebodys_again_once_a_member_has_it)
