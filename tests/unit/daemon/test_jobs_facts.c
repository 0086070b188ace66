/* test_jobs_facts.c - which processes stand for a job: by the number in its row, and by what they did. */
#include "suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core.h"
#include "daemon/jobs_private.h"

#define S   1000000000ull
#define NOW (1000 * S)

static struct daemon d;
static struct config_orchestrator config;
static struct orchestrator orchestrator;
static struct member member[64];
static struct job_table table;
static struct job job;
static struct job_case made;

/* A job that began with the pid 31, and two processes of its orchestrator: 4711 and its child 4712. */
static void arrange(void)
{
        d = (struct daemon){0};
        ck_assert_int_eq(jobs_new(&d.jobs), 0);
        memset(member, 0, sizeof(member));
        for (uint32_t i = 0; i < 64; i++)
                member[i] = (struct member){
                        .id = {.tgid = 4711 + i, .start_ns = S + i}, .own_pid = 4711 + i, .ppid = i ? 4711 : 1};
        orchestrator = (struct orchestrator){
                .of = &config, .name = (char *)"batch", .member = member, .n = 2, .living = 2, .jobs = &table};
        table = (struct job_table){.read_ns = NOW};
        job = (struct job){.id = (char *)"j1",
                           .progress = NAN,
                           .total = NAN,
                           .first_progress = NAN,
                           .pid = 31,
                           .first_seen_ns = 100 * S,
                           .read_ns = NOW,
                           .pid_seen_ns = 100 * S,
                           .moved_by_ns = 100 * S};
}

static void fill(void)
{
        memset(&made, 0, sizeof(made));
        job_case_fill(&d, &orchestrator, &job, NOW, &made);
}

START_TEST(a_number_is_that_of_the_namespace_of_its_process)
{
        arrange();
        member[0].own_pid = 30;
        member[1].own_pid = 31;
        fill();
        ck_assert(!made.facts.pid_foreign);
        ck_assert_uint_eq(made.facts.nprocesses, 1);
        ck_assert_int_eq(made.process[0].tie, JOB_TIE_PID);
        ck_assert_uint_eq(made.process[0].id.tgid, 4712);
        member[1].ended_ns = 500 * S; /* its end is the end of that one */
        fill();
        ck_assert_uint_eq(made.process[0].id.tgid, 4712);
        ck_assert_uint_eq(made.process[0].ended_ns, 500 * S);
}
END_TEST

START_TEST(a_number_of_another_namespace_that_nobody_has_ties_nobody)
{
        arrange();
        member[0].own_pid = 30;
        member[1].own_pid = 32;
        fill();
        ck_assert(made.facts.pid_foreign);
        for (size_t i = 0; i < made.facts.nprocesses; i++)
                ck_assert_int_eq(made.process[i].tie, JOB_TIE_TREE);
        ck_assert_uint_eq(made.facts.nprocesses, 2);
        member[0].own_pid = member[1].own_pid = 31; /* nor does one that two have, each in a container of its own */
        fill();
        ck_assert(made.facts.pid_foreign);
}
END_TEST

START_TEST(a_number_of_our_own_namespace_that_nobody_has_is_an_end)
{
        arrange();
        job.nobody_ns = NOW - S;
        fill();
        ck_assert(!made.facts.pid_foreign);
        ck_assert_int_eq(made.process[0].tie, JOB_TIE_PID);
        ck_assert(made.process[0].now->gone);
        ck_assert_uint_eq(made.process[0].gone_ns, NOW - S);
        job.nobody_ns = 0; /* it could not be looked up */
        fill();
        ck_assert_ptr_null(made.process[0].now);
        ck_assert_uint_eq(made.process[0].gone_ns, 0);
}
END_TEST

START_TEST(a_death_tells_of_a_process_that_no_scan_has_seen)
{
        arrange();
        d.jobs->death[0] = (struct job_death){
                .id = {.tgid = 31, .start_ns = 99 * S}, .certificate = "c-1", .ended_ns = 200 * S};
        d.jobs->ndeaths = 1;
        fill();
        ck_assert_uint_eq(made.process[0].ended_ns, 200 * S);
        ck_assert_str_eq(made.process[0].certificate, "c-1");
        job.stranger = (struct vigil_ident){.tgid = 31, .start_ns = 99 * S}; /* it was seen while it lived */
        fill();
        ck_assert_uint_eq(made.process[0].ended_ns, 200 * S);
        job.stranger.start_ns = 99 * S + 1; /* the row names one that has got that number since */
        fill();
        ck_assert_uint_eq(made.process[0].ended_ns, 0);
        ck_assert_uint_eq(made.process[0].id.start_ns, 99 * S + 1);
        job.stranger = (struct vigil_ident){0};
        d.jobs->death[0].id.start_ns = 300 * S; /* and this one got it long after the row had named it */
        fill();
        ck_assert_uint_eq(made.process[0].ended_ns, 0);
        d.jobs->death[0].id.start_ns = 10 * S;
        job.started_ns = 203 * S; /* whatever the clock of the row says */
        fill();
        ck_assert_uint_eq(made.process[0].ended_ns, 200 * S);
        d.jobs->death[0].remembered =
                true; /* but of an earlier run's deaths it is not one from before the job began */
        fill();
        ck_assert_uint_eq(made.process[0].ended_ns, 0);
        job.started_ns = 199 * S;
        fill();
        ck_assert_uint_eq(made.process[0].ended_ns, 200 * S);
}
END_TEST

/* Numbers come back. A row may be written while it is read, so whom it names may have begun a moment after the reading. */
START_TEST(a_number_of_two_is_that_of_the_younger_one_who_was_there_when_the_row_was_read)
{
        arrange();
        job.pid = 4711;
        member[0].ended_ns = 50 * S;
        member[1].id.tgid = member[1].own_pid = 4711;
        member[1].id.start_ns = job.pid_seen_ns + S / 100;
        fill();
        ck_assert_uint_eq(made.process[0].id.start_ns, member[1].id.start_ns);
        member[1].id.start_ns = job.pid_seen_ns + 10 * S;
        fill();
        ck_assert_uint_eq(made.process[0].id.start_ns, member[0].id.start_ns);

        job.pid = 31; /* the same of those whom no scan has seen */
        d.jobs->death[0] = (struct job_death){.id = {.tgid = 31, .start_ns = 40 * S}, .ended_ns = 50 * S};
        d.jobs->ndeaths = 1;
        job.stranger = (struct vigil_ident){.tgid = 31, .start_ns = job.pid_seen_ns + S / 100};
        fill();
        ck_assert_uint_eq(made.process[0].ended_ns, 0);
        ck_assert_uint_eq(made.process[0].id.start_ns, job.stranger.start_ns);
}
END_TEST

START_TEST(processes_that_find_no_place_are_told)
{
        arrange();
        job.pid = 0;
        orchestrator.n = orchestrator.living = JOB_PROCESSES;
        fill();
        ck_assert_uint_eq(made.facts.nprocesses, JOB_PROCESSES);
        ck_assert(!made.facts.cut);
        orchestrator.n = orchestrator.living = JOB_PROCESSES + 1;
        fill();
        ck_assert_uint_eq(made.facts.nprocesses, JOB_PROCESSES);
        ck_assert(made.facts.cut);
        job.pid = 4711; /* all of them are its children */
        fill();
        ck_assert_int_eq(made.process[0].tie, JOB_TIE_PID);
        ck_assert(made.facts.cut);
}
END_TEST

START_TEST(who_began_after_the_job_had_moved_last_is_told_as_such)
{
        arrange();
        job.pid = 0;
        orchestrator.ever = true;
        fill();
        ck_assert_int_eq(made.facts.orchestrator_lives, 1);
        ck_assert_uint_eq(made.facts.younger, 0);
        member[0].id.start_ns = member[1].id.start_ns = 200 * S;
        fill();
        ck_assert_int_eq(made.facts.orchestrator_lives, 0);
        ck_assert_uint_eq(made.facts.younger, 2);
}
END_TEST

START_TEST(nobody_runs_a_job_whose_database_nobody_has_open_for_a_while)
{
        arrange();
        job.pid = 0;
        orchestrator.n = orchestrator.living = 0;
        table.unused_ns = NOW - 10 * S;
        fill();
        ck_assert_int_eq(made.facts.orchestrator_lives, 0);
        job.read_ns = table.unused_ns; /* whoever has left may have ended it since */
        fill();
        ck_assert_int_eq(made.facts.orchestrator_lives, -1);
        job.read_ns = NOW;
        table.unused_ns = NOW - S; /* at one look or two */
        fill();
        ck_assert_int_eq(made.facts.orchestrator_lives, -1);
        table.unused_ns = 0;
        fill();
        ck_assert_int_eq(made.facts.orchestrator_lives, -1);
        table.unused_ns = NOW - 10 * S;
        job.changed_ns = NOW - 100 * S; /* somebody has moved it: he opens the database for each step */
        fill();
        ck_assert_int_eq(made.facts.orchestrator_lives, -1);
}
END_TEST

SUITE("jobs_facts", who_began_after_the_job_had_moved_last_is_told_as_such,
      nobody_runs_a_job_whose_database_nobody_has_open_for_a_while,
      a_death_tells_of_a_process_that_no_scan_has_seen,
      a_number_of_two_is_that_of_the_younger_one_who_was_there_when_the_row_was_read,
      processes_that_find_no_place_are_told, a_number_is_that_of_the_namespace_of_its_process,
      a_number_of_another_namespace_that_nobody_has_ties_nobody,
      a_number_of_our_own_namespace_that_nobody_has_is_an_end)
