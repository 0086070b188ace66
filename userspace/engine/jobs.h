/* jobs.h - the jobs that an orchestrator says it has: the rows of a query on its database, or a directory of state files. Layer:
 * engine.
 *
 * Read in a confined child that cannot write anything, and never so that a writer waits or fails:
 *
 * - A WAL database that somebody uses is read by an ordinary read-only connection for a moment; its -shm is opened read-only,
 *   too, so that only shared locks are taken. Writers do not wait for it; a checkpoint that wants the whole log does, until the
 *   query has ended or its deadline is over.
 * - Everything else is read without any lock, as a file that does not change, and what was read counts only if the file was the
 *   same before and afterwards (size, times, header, no journal that is hot). A shared lock could make a commit fail.
 * - What must be recovered first is copied, up to JOBS_COPY_MAX, and read there.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/** What is known of a job. */
enum job_field {
        JOB_FIELD_ID,
        JOB_FIELD_STATUS,
        JOB_FIELD_STARTED,
        JOB_FIELD_UPDATED,
        JOB_FIELD_PROGRESS,
        JOB_FIELD_TOTAL,
        JOB_FIELD_PID,
        JOB_FIELDS
};

#define JOBS_COPY_MAX   (64ull << 20) /* bytes of a database with its log */
#define JOBS_FILES_MAX  10000         /* state files that are read, those of jobs that have ended included */
#define JOBS_FILE_MAX   (1u << 20)    /* bytes of a state file */
#define JOBS_ID_MAX     128           /* bytes; a row with a longer one is told and left out */
#define JOBS_ODD_MAX    8             /* texts that are kept of what is odd; more are counted */
#define JOBS_ODD_BYTES  1024          /* of such a text; one of more is no answer of ours */
#define JOBS_ANSWER_MAX (8u << 20)    /* bytes: 10,000 rows of the longest */

/** Where they are. */
struct jobs_source {
        const char *path;             /* of the database, with query; else NULL */
        const char *query;            /* one statement that only reads */
        const char *files;            /* absolute glob of state files, with neither */
        const char *name[JOB_FIELDS]; /* of columns, or JSON pointers; NULL: the usual ones */
        const char *
                running; /* values of the status that are wanted, a line for each; NULL: all. A job without one is wanted */
        uint64_t deadline_ms;
        unsigned max_rows; /* jobs that are wanted */
};

/** What was read. Release with jobs_result_done(). */
struct jobs_result {
        /* Arrays of JOB_FIELDS values each: id and status as text, times in ns since the epoch, numbers; null: not known. */
        json_t *rows;
        json_t *odd;   /* texts: rows and files that could not be understood, and why; the first JOBS_ODD_MAX */
        uint64_t nodd; /* of them in all */
        bool more;     /* there were more than max_rows */
        bool partial; /* jobs may be missing: more, or a row or file that could not be understood, or no time for it */
        bool lasting; /* whole, and the same would be read for as long as the database is as it was: moment.h */
        const char *method; /* "wal", "unchanged", "copy", "files", "none": static */
        char reason[256];   /* on failure: one sentence, why they are not known */
};

/**
 * Reads them. Must not be called in a process that holds SQLite handles on the database (engine/files.h).
 * @return 0; -EBUSY a writer never left a gap, or locks are held; -EFBIG it had to be copied and is too large; -EINVAL the query
 *         is none, writes, or gives no id; -ETIME; or -errno. @p ret is filled in every case.
 */
int jobs_read(const struct jobs_source *source, struct jobs_result *ret);
void jobs_result_done(struct jobs_result *r);
