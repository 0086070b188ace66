/* check.h - is the data intact? Answered on a private copy, in a sandboxed child. Layer: engine. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum check_method { CHECK_NONE, CHECK_QUICK, CHECK_FULL };
enum check_outcome { CHECK_OK, CHECK_CORRUPT, CHECK_FAILED, CHECK_TIMEOUT, CHECK_SKIPPED };

/** Settings of one check. Zero is a sane default but for `method`. */
struct check_options {
        enum check_method method;
        uint64_t deadline_ms;  /* 0: 10 minutes */
        const char *scratch;   /* directory for the copy; NULL: $TMPDIR or /var/tmp, else beside the database */
        bool others_may_write; /* a process may have the database open: the copy is taken with that in mind */
        bool finished;         /* a backup: one complete file that nobody else uses; see check_database() */
        void (*on_progress)(void *userdata, uint64_t done, uint64_t total);
        void *userdata;
};

/** Outcome of one check: "vigil.check/1" and `integrity` of a report. Release with check_result_done(). */
struct check_result {
        enum check_outcome outcome;
        const char *
                method; /* "quick_check", "integrity_check", "none": static. Less than was asked for, with a reason, where
                               the schema needs functions or collations of the application */
        const char *on; /* "snapshot": a private copy; "file": a finished file itself; "none" */
        json_t *errors; /* array of {"page": n or null, "text": "…"}: at most 100, then one that counts the rest. NULL: none */
        char sha256[65];      /* of a finished file as the disk gave it back, lower-case hex; else empty */
        char fingerprint[33]; /* the same by base/fingerprint.h */
        int error;            /* -errno of the file that could not be read or copied; 0 otherwise */
        char *reason;         /* why it failed, timed out, was skipped, or did less; NULL otherwise */
        uint64_t ms;
};

void check_result_done(struct check_result *r);
const char *check_outcome_name(enum check_outcome o); /* "ok", "corrupt", "failed", "timeout", "skipped" */

/** The object of the Contract, `integrity` in a report. New reference; NULL: out of memory. */
json_t *check_json(const struct check_result *r);

/**
 * Checks the database at @p path without touching it: copies it and its -wal and -journal to a private place (see
 * snapshot_take()), lets the copy recover, runs `pragma quick_check` or `integrity_check` and removes the copy. Neither the
 * original nor its companions are changed, created or locked in a way that could make its user wait. What the trace knows
 * outranks this answer.
 *
 * The copy stands in a private directory (engine/scratch.h) and is unlinked as soon as SQLite has opened and recovered it,
 * so that a check that is killed leaves an empty directory at most, which the next one sweeps.
 *
 * With options->finished the file itself is opened, read-only and without a lock, no companion is looked for, and its SHA-256
 * and fingerprint are made meanwhile, on another thread, which also calls on_progress. What is in memory of the file is dropped first: the
 * answer and the hash are about what the disk holds.
 *
 * @return 0 with @p ret filled, whatever the outcome: a file with an SQLite header and damage behind it is CHECK_CORRUPT,
 *         one without (no database, or encrypted) CHECK_FAILED, as is one that cannot be copied consistently; an empty file
 *         is an empty database, CHECK_OK. -ENOMEM
 */
int check_database(const char *path, const struct check_options *options, struct check_result *ret);
