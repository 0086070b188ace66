/* evidence.h - what is kept of a database whose data are in doubt: its raw files and the kernel's words on its device. It runs
 * in a helper. Layer: daemon. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct evidence_options {
        const char *name;      /* of the database: [A-Za-z0-9._-], unique */
        const char *path;      /* of the main file */
        const char *directory; /* STATE/evidence/INCIDENT: made where it is missing */
        uint64_t
                byte_budget; /* most bytes of all that lies in the directory above; 0: any. Kernel lines are always kept */
        uint64_t deadline_ms;
};

/** What was kept. */
struct evidence_result {
        uint64_t bytes;     /* of the raw files of this database, with those kept before */
        const char *method; /* "copy", "read-transaction", "reflink"; "none" */
        int kernel_lines;   /* in DIRECTORY/kernel.log; -errno: the log could not be read */
        char reason[256];   /* why the files were not kept; "" when they were */
};

/**
 * Copies main file, -wal and -journal as they are to DIRECTORY/files/NAME.db and so on, by reflink where the file system can,
 * and the -shm under a name that no SQLite pairs; and writes DIRECTORY/kernel.log. What the incident has kept of this
 * database before stays: the first copy is the nearest to the fault.
 *
 * @return 0; -EDQUOT: the byte budget; or as snapshot_take(). @p ret is filled in every case.
 */
int evidence_take(const struct evidence_options *options, struct evidence_result *ret);

/** Whether DIRECTORY already holds the files of the database called @p name: then there is nothing to take. */
bool evidence_kept(const char *directory, const char *name);

/** Whether it is the name of a directory of evidence: the id of an incident, "i-" and 16 hex digits. */
bool evidence_is_id(const char *name);

/**
 * Measures what lies in @p directory, STATE/evidence; and while that is more than @p goal bytes removes the evidence of the incidents
 * @p ids (blanks between; NULL: none), in their order. A directory that is being removed has another name from the first moment
 * on, and what a killed helper leaves of one goes with the next.
 * @return {"error", "bytes", "removed": [{"id", "bytes"}], "reason"}; NULL: out of memory
 */
json_t *evidence_room_json(const char *directory, const char *ids, uint64_t goal);

/** {"error", "bytes", "method", "kernel_lines" (null: the log could not be read), "reason" (null: kept)}. New reference. */
json_t *evidence_json(int error, const struct evidence_result *r);
