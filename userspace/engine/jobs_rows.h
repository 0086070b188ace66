/* jobs_rows.h - rows as a worker collects them for its answer: each value made what it should be, and told where it cannot be.
 * Layer: engine. Used by the workers of jobs.c. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/jobs.h"
#include "engine/jobs_value.h"

struct jobs_rows {
        json_t *rows, *odd; /* as in jobs_result */
        uint64_t nodd;
        unsigned max;
        const char *running; /* as in jobs_source */
        bool more, partial;  /* as in jobs_result */
        bool lasting;        /* nothing but the database decides what they are */
};

/** @return 0 or -ENOMEM */
int jobs_rows_begin(struct jobs_rows *r, const struct jobs_source *source);

/** Takes one job, unless its status is none that is wanted. A value that cannot be what it should be is told and counts as not known; without an id there is no job.
 * @param where  "row 3", "job-7.json" */
void jobs_rows_add(struct jobs_rows *r, const struct job_value v[JOB_FIELDS], const char *where);

/** Tells of something odd. */
void jobs_rows_odd(struct jobs_rows *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** The same where a job may be missing because of it. */
void jobs_rows_missing(struct jobs_rows *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** The answer of a worker, with its outcome: an error number and why. Takes what @p r holds. New reference. */
json_t *jobs_rows_answer(struct jobs_rows *r, int error, const char *reason);

/** The name of a field in messages and as it is usually called: "id", "started_at". */
const char *jobs_field_name(enum job_field f);
/** The usual names of columns and members, best first, ended by NULL. */
const char *const *jobs_field_names(enum job_field f);
