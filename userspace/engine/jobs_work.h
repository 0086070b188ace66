/* jobs_work.h - the workers of jobs.c, which run confined. Layer: engine. */
#pragma once

#include <stdint.h>

#include "engine/jobs.h"
#include "engine/scratch.h"

/** How a database is opened. */
enum jobs_opening {
        JOBS_OPEN_WAL,       /* read-only, with shared locks, its -shm read-only */
        JOBS_OPEN_UNCHANGED, /* as a file that does not change */
        JOBS_OPEN_COPY,      /* the private copy in `scratch` */
};

/** Order of a worker. */
struct jobs_job {
        const struct jobs_source *source;
        const char *path; /* resolved */
        enum jobs_opening opening;
        const struct scratch *scratch; /* of JOBS_OPEN_COPY */
        uint64_t deadline;             /* deadline_in(): it stops itself then, and says so */
};

/** Bodies of workers, child_fn with a struct jobs_job. Answer: jobs_rows_answer(). Its `error` is -EAGAIN where another try may
 * read it: somebody holds a lock, or the files have just changed their kind. */
int jobs_query_work(int answer_fd, void *userdata);
int jobs_files_work(int answer_fd, void *userdata);
