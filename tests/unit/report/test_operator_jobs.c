/* test_operator_jobs.c - `vigil jobs` as text: the verdict first, the worst first, in 100 columns. */
#include "report/operator.h"

#include <stdlib.h>
#include <string.h>

#include "suite.h"

static char *text;

static const char *show(json_t *document, bool verbose)
{
        static size_t size;
        const struct report_style style = {.verbose = verbose};

        free(text);
        FILE *out = open_memstream(&text, &size);
        ck_assert_int_eq(operator_text(document, 1795701919000000000, &style, out), 0);
        fclose(out);
        json_decref(document);
        return text;
}

static json_t *job(const char *id, const char *verdict, const char *severity, const char *detail)
{
        return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:{s:i, s:s}, s:s, s:f, s:f, s:{s:s}}", "id", id,
                         "orchestrator", "batch", "verdict", verdict, "severity", severity, "detail", detail,
                         "process", "pid", 4711, "comm", "node", "updated_at", "2026-11-26T14:05:09.000000Z",
                         "progress", 41.0, "total", 100.0, "evidence", "reason", "lock");
}

static json_t *document(json_t *jobs, bool one)
{
        return json_pack("{s:s, s:o, s:i, s:{s:i, s:i}, s:b, s:[{s:s, s:i, s:s, s:i, s:n, s:{s:s, s:s, s:b}}]}",
                         "schema", "vigil.jobs/1", "jobs", jobs, "left_out", 0, "counts", "job-blocked", 1,
                         "healthy", 2, "one", (int)one, "orchestrators", "name", "batch", "processes", 3,
                         "supervisor", "pm2", "restarts", 1, "crash_loop", "reading", "read_at",
                         "2026-11-26T14:05:15.000000Z", "problem", "job x: pid is no process id: 'y'", "failed", 0);
}

static json_t *three(void)
{
        return json_pack(
                "[o, o, o]",
                job("job_a", "job-blocked", "P1", "node (pid 4711) has waited 42 s for the wal-write lock"),
                job("job_b", "healthy", NULL, NULL), job("job_c", "healthy", NULL, NULL));
}

START_TEST(the_verdict_comes_first_and_healthy_jobs_are_counted)
{
        show(document(three(), false), false);
        ck_assert_ptr_eq(strstr(text, "1 job-blocked, 2 healthy\n"), text);
        ck_assert_ptr_nonnull(strstr(text, "P1  job-blocked   job_a"));
        ck_assert_ptr_nonnull(strstr(text, "node 4711"));
        ck_assert_ptr_nonnull(strstr(text, "41 of 100"));
        ck_assert_ptr_nonnull(strstr(text, "has waited 42 s for the wal-write lock"));
        ck_assert_ptr_null(strstr(text, "job_b"));
        ck_assert_ptr_nonnull(strstr(text, "and 2 that are healthy"));
        ck_assert_ptr_nonnull(strstr(text, "3 processes, under pm2; restarted 1 time; jobs read 4 s ago"));
        ck_assert_ptr_nonnull(strstr(text, "not all is understood: job x: pid is no process id: 'y'"));
        show(document(three(), false), true);
        ck_assert_ptr_nonnull(strstr(text, "job_b"));
}
END_TEST

START_TEST(no_line_is_longer_than_a_hundred_columns)
{
        show(document(three(), false), true);
        for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
                ck_assert_uint_le(strcspn(line, "\n"), 100);
}
END_TEST

START_TEST(one_job_is_shown_with_its_evidence)
{
        show(document(json_pack("[o]", job("job_a", "job-blocked", "P1", "it waits")), true), false);
        ck_assert_ptr_nonnull(strstr(text, "\"reason\": \"lock\""));
        ck_assert_ptr_null(strstr(text, "processes, under"));
}
END_TEST

START_TEST(without_an_orchestrator_it_says_how_to_get_one)
{
        show(json_pack("{s:s, s:[], s:[]}", "schema", "vigil.jobs/1", "jobs", "orchestrators"), false);
        ck_assert_ptr_nonnull(strstr(text, "No orchestrator is configured"));
}
END_TEST

SUITE("operator_jobs", the_verdict_comes_first_and_healthy_jobs_are_counted,
      no_line_is_longer_than_a_hundred_columns, one_job_is_shown_with_its_evidence,
      without_an_orchestrator_it_says_how_to_get_one)
