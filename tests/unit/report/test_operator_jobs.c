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
        ck_assert_ptr_nonnull(strstr(text, "\n      VERDICT      JOB    ORCHESTRATOR  PROCESS    PROGRESS   "
                                           "CHANGED\n  P1  job-blocked  job_a  "));
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

START_TEST(one_job_is_shown_with_its_evidence_in_words)
{
        json_t *o = job("job_a", "job-blocked", "P1", "it waits");
        json_object_set_new(o, "evidence",
                            json_pack("{s:s, s:i, s:s, s:{s:i, s:s}, s:{s:s, s:s, s:i, s:i, s:i, s:{s:i, s:s, "
                                      "s:[s], s:i}}, s:{s:f, s:f, s:n, "
                                      "s:n}, s:{s:s, s:i, s:i, s:i, s:[]}}",
                                      "reason", "lock", "unchanged_ms", 42000, "tie", "pid", "process", "pid", 4711,
                                      "comm", "node", "waits_for", "lock", "wal-write", "database", "app",
                                      "waiting_ms", 8200, "tries", 97, "holders", 1, "holder", "pid", 12, "comm",
                                      "python3", "locks", "wal-write", "holding_ms", 9000, "progress", "value",
                                      41.0, "total", 100.0, "per_minute", "left_s", "sample", "state", "S",
                                      "threads", 3, "window_ms", 2000, "cpu_ms", 10, "missing"));
        show(document(json_pack("[o]", o), true), false);
        ck_assert_ptr_nonnull(strstr(text, "\n  reason       lock; its row had not changed for 42 s\n"));
        ck_assert_ptr_nonnull(strstr(text, "\n  process      node (pid 4711): its row names it\n"));
        ck_assert_ptr_nonnull(strstr(text, "\n  waits for    wal-write of app for 8.2 s, refused 97 times\n"));
        ck_assert_ptr_nonnull(strstr(text, "\n  held by      python3 (pid 12) with wal-write for 9 s\n"));
        ck_assert_ptr_nonnull(strstr(text, "\n  progress     41 of 100\n"));
        ck_assert_ptr_nonnull(strstr(text, "\n  state        S, 3 threads\n"));
        ck_assert_ptr_null(strpbrk(text, "{}\""));
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
      no_line_is_longer_than_a_hundred_columns, one_job_is_shown_with_its_evidence_in_words,
      without_an_orchestrator_it_says_how_to_get_one)
