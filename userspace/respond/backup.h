/* backup.h - a backup that is proven or does not exist. Layer: respond.
 *
 * A backup directory holds, per backup, ID.db (one SQLite file that opens by itself, without companions) and ID.json (its
 * manifest, see manifest.h); below evidence/ID/ the raw files of databases that were found corrupt; and, only while a run
 * works there, .vigil-* (see workdir.h). Everything else in it is somebody's and is left alone. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/check.h"
#include "engine/snapshot.h"

/** What is being done while the user waits: BACKUP_COPY copies; BACKUP_REREAD hashes what the disk holds, where nothing is
 * checked; BACKUP_CHECK lets SQLite check the copy as the disk gives it back, and hashes it meanwhile; BACKUP_EVIDENCE_COPY
 * keeps the raw files of a corrupt source. */
enum backup_phase { BACKUP_COPY, BACKUP_REREAD, BACKUP_CHECK, BACKUP_EVIDENCE_COPY };

/** Settings of one backup. Zero is a sane default but for `database`, `directory` and `check`. */
struct backup_options {
        const char *database;  /* main file; symbolic links are followed as SQLite follows them */
        const char *directory; /* made with mode 0700 if only its last component is missing */
        const char *reason;    /* why: code of a finding ("unclean-death"), "schedule"; NULL: "manual" */
        const char *verdict;   /* of the death that caused it, for the manifest; NULL: none */
        const char *incident;  /* id of the incident that it is made for, for the manifest; NULL: none */
        const char *damage; /* what is known to be wrong with its content though no check sees it; NULL: nothing */
        enum check_method
                check; /* CHECK_QUICK as a rule; CHECK_NONE: the copy is hashed only, `verified` stays false */
        bool others_may_write; /* a process may have the database open */
        bool known_sqlite;     /* it was seen in use as an SQLite database: a header that is none now is damage */
        uint64_t byte_budget;  /* most bytes the copy may take; 0: no limit but the file system's */
        uint64_t wal_cap;      /* as in snapshot_options */
        uint64_t deadline_ms;  /* of the whole, check included; 0: none for the copy, 10 minutes for the check */
        const char *scratch;   /* as in check_options; for the check of evidence */
        void (*on_progress)(void *userdata, enum backup_phase phase, uint64_t done,
                            uint64_t total); /* may be NULL */
        void *userdata;
};

enum backup_outcome {
        BACKUP_FAILED, /* nothing new is in the directory; see reason and last_good */
        BACKUP_DONE,   /* a backup was published */
        BACKUP_KEPT_EVIDENCE /* the source is corrupt, or known to be wrong: its raw files lie under evidence/, and are no backup */
};

/** What came of it. Release with backup_result_done(). All strings are owned by the result. */
struct backup_result {
        enum backup_outcome outcome;
        char *id;            /* "app-20261121T031502Z", "evidence/app-20261121T031502Z"; NULL when failed */
        char *path;          /* absolute: the .db file, or the directory of the evidence; NULL when failed */
        uint64_t bytes;      /* of all files under path */
        bool verified;       /* re-read from the disk, opened alone in a private place, checked: ok */
        char sha256[65];     /* of the .db file; empty for evidence */
        uint64_t durable_ms; /* until the copy was written and synced */
        uint64_t ms;         /* until the outcome */
        char *reason;        /* one sentence why it is no backup, or why it is evidence; NULL when done */
        char *last_good; /* path of the newest verified backup of this database now; NULL: none, or not searched */
        bool searched;   /* the directory was read for it */
        struct snapshot_result snapshot; /* of the last copy taken */
        struct check_result
                check; /* of the copy: worth reusing as `integrity`; outcome CHECK_SKIPPED if never reached */
};

void backup_result_done(struct backup_result *r);

/**
 * Makes one backup by the procedure of a proven copy: sweep what dead runs left; space check; consistent copy under a
 * temporary name, synced; re-read from the disk after POSIX_FADV_DONTNEED, in one pass that compares it with the hash made
 * while copying and lets SQLite open it alone, in its private directory, and check it; manifest; published under a new name
 * that never replaces another (RENAME_NOREPLACE); directory synced. An error at any step means no backup: the temporary files
 * are removed and what was there before is untouched. Being killed at any point leaves no half file under a final name; what
 * remains is recognised by its lock and swept, or finished, by the next run.
 *
 * The name is ID.db, ID = the database's name in [A-Za-z0-9._-] (anything else becomes '_', an ending .db, .sqlite or
 * .sqlite3 goes), the time of the copy in UTC, and "-N" when that is taken.
 *
 * A corrupt source is no failure of the backup but of the source: main file, -wal and -journal are kept as they are, -shm
 * beside under a name that SQLite never pairs. That never counts as good and replaces nothing. Corrupt is also a file whose
 * header is no longer that of SQLite, if options->known_sqlite or the directory holds a backup of it, and one of 0 bytes
 * beside a -wal that is not empty: its next opener would delete that. So is, whatever the check says, one with options->damage, and one
 * whose -wal holds commits that no recovery can read.
 *
 * Nothing is created, changed or removed beside the source. The copy belongs to the source's owner (when run by root), mode
 * 0600. At least 10 % of the file system stay free. Safe to run beside other runs on the same directory. Silent: whoever
 * asked says it once, with ret->reason.
 *
 * @return 0 with outcome BACKUP_DONE; -EUCLEAN with BACKUP_KEPT_EVIDENCE, or with BACKUP_FAILED when the evidence could
 *         not be kept either; else BACKUP_FAILED: -ENOSPC, -EFBIG (byte budget), -EBUSY (no consistent copy), -ETIME,
 *         -EIO (the disk does not give back what was written, or gives errors), -EBADMSG (no SQLite database, or encrypted),
 *         -ENODATA (0 bytes: nothing to back up), -ENOTRECOVERABLE (the copy could not be checked), -ENOENT, -EINVAL,
 *         -EISDIR, -EACCES, -EROFS or -errno.
 *         @p ret is filled in every case and must be released.
 */
int backup_create(const struct backup_options *options, struct backup_result *ret);

/**
 * `backup` of a report: {"path": text or null, "bytes", "verified", "ms", "id", "class": "backup"|"evidence"|null, "sha256",
 * "method", "durable_ms", "contains": {"wal_commits"}, "reason", "last_good"}; `reason` and `last_good` null or text.
 * New reference; NULL: out of memory.
 */
json_t *backup_json(const struct backup_result *r);
