/* test_jobs_rows.c - what a worker makes of a row, whatever stands in it. */
#include "suite.h"

#include <stdlib.h>

#include "engine/jobs_rows.h"

static struct jobs_rows rows;

static struct job_value text(const char *bytes, size_t length)
{
        return (struct job_value){.kind = JOB_VALUE_TEXT, .text = bytes, .length = length};
}

static void add(struct job_value id, struct job_value status)
{
        const struct job_value v[JOB_FIELDS] = {[JOB_FIELD_ID] = id, [JOB_FIELD_STATUS] = status};

        jobs_rows_add(&rows, v, "row");
}

/* An answer with one could not be read. */
START_TEST(a_nul_in_a_text_costs_its_row_and_no_other)
{
        const struct jobs_source source = {.max_rows = 10};

        ck_assert_int_eq(jobs_rows_begin(&rows, &source), 0);
        add(text("a\0b", 3), text("running", 7));
        add(text("c", 1), text("running", 7));
        add(text("d", 1), text("run\0", 4));
        ck_assert_uint_eq(rows.nodd, 2);
        ck_assert(rows.partial);
        json_t *answer = jobs_rows_answer(&rows, 0, "");
        char *line = json_dumps(answer, 0);
        json_t *read = json_loads(line, 0, NULL);
        ck_assert_ptr_nonnull(read);
        ck_assert_uint_eq(json_array_size(json_object_get(read, "rows")), 2);
        json_decref(read);
        json_decref(answer);
        free(line);
}
END_TEST

SUITE("jobs_rows", a_nul_in_a_text_costs_its_row_and_no_other)
