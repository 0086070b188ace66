/* test_jobs_table.c - readings one after the other: what is new, what has changed and when, what has ended. */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core.h"
#include "daemon/jobs_private.h"

#define S 1000000000ull

static struct job_table *table;

static json_t *row(const char *id, int64_t updated, double progress, int pid)
{
        return json_pack("[s, s, n, I, f, n, o]", id, "running", (json_int_t)updated, progress,
                         pid ? json_integer(pid) : json_null());
}

static bool partial;
static int64_t offset;

static void take(uint64_t second, json_t *rows)
{
        if (!table)
                table = calloc(1, sizeof(*table));
        const struct job_reading reading = {
                .partial = partial, .began_ns = second * S, .ended_ns = second * S + S / 10, .offset_ns = offset};
        ck_assert_int_eq(job_table_take(table, rows, &reading), 0);
        json_decref(rows);
}

START_TEST(a_job_is_followed_from_reading_to_reading)
{
        take(10, json_pack("[o, o]", row("a", 1, 5, 7), row("b", 1, 0, 0)));
        take(20, json_pack("[o, o]", row("b", 1, 0, 0), row("a", 2, 6, 7)));
        const struct job *a = job_table_find(table, "a"), *b = job_table_find(table, "b");
        ck_assert_uint_eq(a->first_seen_ns, 10 * S);
        ck_assert_uint_eq(a->changed_ns, 20 * S);
        ck_assert_uint_eq(a->changed_after_ns, 10 * S);
        ck_assert_uint_eq(a->moved_by_ns, 20 * S + S / 10);
        ck_assert_uint_eq(a->pid_seen_ns, 10 * S);
        ck_assert(a->first_progress == 5);
        ck_assert_uint_eq(a->first_progress_ns, 10 * S);
        ck_assert_uint_eq(b->changed_ns, 0);
        ck_assert_uint_eq(b->moved_by_ns, 10 * S + S / 10);
        job_table_free(table);
}
END_TEST

/* Whoever reads the limits of time out of it must find what a reading would have left. */
START_TEST(what_is_confirmed_is_as_it_would_be_after_a_reading_of_the_same_rows)
{
        take(10, json_pack("[o]", row("a", 1, 5, 7)));
        take(20, json_pack("[o]", row("a", 2, 6, 7)));
        job_table_confirm(table, 40 * S);
        const struct job *a = job_table_find(table, "a");
        ck_assert_uint_eq(a->read_ns, 40 * S);
        ck_assert_uint_eq(a->changed_ns, 20 * S);
        take(50, json_pack("[o]", row("a", 3, 7, 7)));
        ck_assert_uint_eq(a->changed_ns, 50 * S);
        ck_assert_uint_eq(a->changed_after_ns, 40 * S);
        job_table_free(table);
        table = NULL;
}
END_TEST

START_TEST(what_is_no_longer_there_has_ended)
{
        take(10, json_pack("[o, o]", row("a", 1, 0, 0), row("b", 1, 0, 0)));
        take(20, json_pack("[o]", row("b", 1, 0, 0)));
        ck_assert_uint_eq(table->n, 1);
        ck_assert_ptr_null(job_table_find(table, "a"));
        take(30, json_pack("[o]", row("a", 1, 0, 0)));
        ck_assert_uint_eq(job_table_find(table, "a")->first_seen_ns, 30 * S);
        take(40, json_array());
        ck_assert_uint_eq(table->n, 0);
        job_table_free(table);
}
END_TEST

START_TEST(what_a_partial_reading_does_not_see_has_not_ended)
{
        take(10, json_pack("[o, o]", row("a", 1, 0, 0), row("b", 1, 0, 0)));
        job_table_find(table, "a")->told = JOB_STALLED;
        table->firing[JOB_STALLED] = true;
        partial = true;
        for (unsigned i = 1; i < JOB_MISSED; i++) {
                take(10 + i, json_pack("[o]", row("b", 1, 0, 0)));
                ck_assert_uint_eq(job_table_find(table, "a")->read_ns, 10 * S);
                ck_assert_uint_eq(job_table_find(table, "b")->read_ns, (10 + i) * S);
        }
        take(20, json_pack("[o]", row("b", 1, 0, 0)));
        ck_assert_ptr_null(job_table_find(table, "a"));
        ck_assert(!job_table_is_over(table, JOB_STALLED, 50 * S));
        partial = false;
        take(30, json_pack("[o]", row("b", 1, 0, 0)));
        ck_assert(job_table_is_over(table, JOB_STALLED, 50 * S));
        job_table_free(table);
}
END_TEST

START_TEST(what_an_earlier_run_told_of_is_over_only_after_a_whole_reading)
{
        partial = true;
        take(10, json_array());
        ck_assert(!job_table_is_over(table, JOB_ORPHANED, 50 * S));
        partial = false;
        take(20, json_array());
        ck_assert(job_table_is_over(table, JOB_ORPHANED, 50 * S));
        ck_assert(!job_table_is_over(table, JOB_HEALTHY, 50 * S));
        table->unjudged = 1; /* it may be this one's */
        ck_assert(!job_table_is_over(table, JOB_ORPHANED, 50 * S));
        ck_assert(job_table_is_over(table, JOB_ORPHANED, 21 * S + JOB_UNJUDGED_NS)); /* it may never be */
        table->told_ns[JOB_ORPHANED] = 1; /* this run has told of it: it knows of whom */
        ck_assert(job_table_is_over(table, JOB_ORPHANED, 50 * S));
        table->unjudged = 0;
        table->firing[JOB_ORPHANED] = false;
        take(30, json_array());
        ck_assert(!job_table_is_over(table, JOB_ORPHANED, 50 * S));
        job_table_free(table);
}
END_TEST

START_TEST(an_id_that_stands_twice_is_one_job_and_counted)
{
        take(10, json_pack("[o, o]", row("a", 1, 0, 0), row("a", 2, 0, 0)));
        ck_assert_uint_eq(table->n, 1);
        ck_assert_uint_eq(table->twice, 1);
        ck_assert_int_eq(table->job[0].updated_at, 1);
        job_table_free(table);
}
END_TEST

START_TEST(another_pid_is_seen_from_then_on_and_a_fresh_start_begins_progress_anew)
{
        take(10, json_pack("[o]", row("a", 1, 50, 7)));
        take(20, json_pack("[o]", row("a", 2, 3, 8)));
        const struct job *a = job_table_find(table, "a");
        ck_assert_uint_eq(a->pid, 8);
        ck_assert_uint_eq(a->pid_seen_ns, 20 * S);
        ck_assert(a->first_progress == 3);
        ck_assert_uint_eq(a->first_progress_ns, 20 * S);
        job_table_free(table);
}
END_TEST

/* What was looked up of the number before says nothing of the next one's. */
START_TEST(a_job_that_is_handed_over_is_looked_up_anew)
{
        take(10, json_pack("[o]", row("a", 1, 50, 7)));
        struct job *a = job_table_find(table, "a");
        a->stranger = (struct vigil_ident){.tgid = 7, .start_ns = S};
        a->stranger_ns = a->nobody_ns = 11 * S;
        take(12, json_pack("[o]", row("a", 2, 51, 7)));
        ck_assert_uint_eq(a->nobody_ns, 11 * S);
        take(14, json_pack("[o]", row("a", 3, 52, 8)));
        ck_assert_uint_eq(a->stranger.tgid, 0);
        ck_assert_uint_eq(a->stranger_ns, 0);
        ck_assert_uint_eq(a->nobody_ns, 0);
        job_table_free(table);
}
END_TEST

START_TEST(ten_thousand_jobs_come_and_go)
{
        for (unsigned reading = 0; reading < 5; reading++) {
                json_t *rows = json_array();
                char id[32];
                for (unsigned i = 0; i < 10000; i++) {
                        snprintf(id, sizeof(id), "job_%u", reading * 5000 + i);
                        json_array_append_new(rows, row(id, 1, 0, 0));
                }
                take(10 + reading, rows);
                ck_assert_uint_eq(table->n, 10000);
        }
        ck_assert_ptr_null(job_table_find(table, "job_19999"));
        ck_assert_uint_eq(job_table_find(table, "job_24999")->first_seen_ns, 13 * S);
        job_table_free(table);
}
END_TEST

#define HOUR (3600 * (int64_t)S)

START_TEST(a_clock_that_is_set_moves_no_row)
{
        int64_t written = 1000 * HOUR;

        offset = written - 95 * (int64_t)S; /* the row was written five seconds before it was read */
        take(100, json_pack("[o]", row("a", written, 0, 0)));
        const struct job *a = job_table_find(table, "a");
        ck_assert_uint_eq(a->updated_ns, 95 * S);
        offset += HOUR; /* forward: it is no hour older */
        take(110, json_pack("[o]", row("a", written, 0, 0)));
        ck_assert_uint_eq(a->updated_ns, 95 * S);
        offset -= 2 * HOUR; /* back: it is not still to come */
        take(120, json_pack("[o]", row("a", written, 0, 0)));
        ck_assert_uint_eq(a->updated_ns, 95 * S);
        ck_assert_uint_eq(a->changed_ns, 0);
        take(130, json_pack("[o]", row("a", offset + 128 * (int64_t)S, 1, 0))); /* its time went back: it moved */
        ck_assert_uint_eq(a->updated_ns, 128 * S);
        ck_assert_uint_eq(a->changed_ns, 130 * S);
        job_table_free(table);
}
END_TEST

START_TEST(a_row_that_was_written_by_a_clock_since_set_back_has_no_time)
{
        offset = 1000 * HOUR;
        take(100, json_pack("[o, o]", row("ahead", offset + HOUR, 0, 0), row("behind", offset - HOUR, 0, 0)));
        ck_assert_uint_eq(job_table_find(table, "ahead")->updated_ns, 0);
        ck_assert_uint_eq(job_table_find(table, "behind")->updated_ns, 1); /* before the boot */
        take(4000, json_pack("[o]", row("ahead", offset + HOUR, 0, 0)));
        ck_assert_uint_eq(job_table_find(table, "ahead")->updated_ns, 0); /* it did not move when that time came */
        job_table_free(table);
}
END_TEST

START_TEST(a_verdict_is_no_older_than_its_job_and_as_old_as_its_row_says)
{
        struct job job = {.started_at = 1795789064000000000,
                          .updated_at = 1795789066000000000,
                          .started_ns = 100 * S,
                          .updated_ns = 102 * S};
        ck_assert_int_eq(job_since(&job), 0);
        job.since_ns = 100 * S;
        ck_assert_int_eq(job_since(&job), job.started_at);
        job.since_ns = 40 * S; /* its process had waited before */
        ck_assert_int_eq(job_since(&job), job.started_at);
        job.since_ns = 102 * S;
        ck_assert_int_eq(job_since(&job), job.updated_at);
        job.since_ns = 101 * S;
        ck_assert_int_lt(llabs(job_since(&job) - daemon_realtime(101 * S)), (int64_t)S);
        job.started_ns = 0;
        job.since_ns = 40 * S;
        ck_assert_int_ne(job_since(&job), job.started_at);
}
END_TEST

START_TEST(readings_have_a_pause_between_them_whoever_ends)
{
        struct job_table t = {.due_ns = 5 * S};

        ck_assert(job_table_may_read(&t, 1 * S)); /* the first one */
        t.begun_ns = 100 * S;
        t.due_ns = 110 * S;
        for (uint64_t now = 100 * S; now < 101 * S; now += S / 10) {
                ck_assert(!job_table_may_read(&t, now));
                ck_assert_uint_eq(t.due_ns, 101 * S); /* then it comes, and not at its old time */
        }
        ck_assert(job_table_may_read(&t, 101 * S));
}
END_TEST

SUITE("jobs_table", a_verdict_is_no_older_than_its_job_and_as_old_as_its_row_says,
      what_is_confirmed_is_as_it_would_be_after_a_reading_of_the_same_rows, a_clock_that_is_set_moves_no_row,
      a_row_that_was_written_by_a_clock_since_set_back_has_no_time, readings_have_a_pause_between_them_whoever_ends,
      a_job_is_followed_from_reading_to_reading, what_is_no_longer_there_has_ended,
      what_a_partial_reading_does_not_see_has_not_ended,
      what_an_earlier_run_told_of_is_over_only_after_a_whole_reading,
      an_id_that_stands_twice_is_one_job_and_counted,
      another_pid_is_seen_from_then_on_and_a_fresh_start_begins_progress_anew,
      a_job_that_is_handed_over_is_looked_up_anew, ten_thousand_jobs_come_and_go)
