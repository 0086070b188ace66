/* snapshot.h - a consistent private copy of a live database. Layer: engine. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How a snapshot may be taken. */
struct snapshot_options {
        bool others_may_write; /* somebody may have the database open */
        uint64_t byte_budget;  /* most bytes the copy may take; 0: no limit but the file system's */
        uint64_t wal_cap; /* the read transaction is given up when the -wal grows past this; 0: 4 x the database */
        uint64_t deadline_ms; /* 0: none */
        bool raw;             /* leave db, -wal, -journal as they are (evidence) instead of one merged file */
        void (*on_progress)(void *userdata, uint64_t done, uint64_t total);
        void *userdata;
};

/** What was copied. */
struct snapshot_result {
        const char *method; /* "copy", "read-transaction", "reflink": static */
        uint64_t bytes;     /* of the finished copy */
        uint64_t source_main_bytes;
        uint64_t source_wal_bytes;
        uint64_t wal_commits; /* committed WAL transactions that it contains beyond the main file */
        uint32_t wal_salt[2]; /* of the source's -wal; 0: none */
        uint32_t page_size;
        uint32_t attempts; /* copies thrown away because a writer got in between */
        char sha256[65];   /* of the finished copy as it was written, lower-case hex */
        char reason[256];  /* on failure: what, on which object, why */
};

/**
 * Copies the database at @p path into the new file @p name of directory @p dirfd, and lets the copy recover there, so that
 * one SQLite file remains that opens by itself. With options->raw the files are copied as they are: NAME, NAME-wal,
 * NAME-journal. The copy is complete and synced (file, not directory) on success; nothing of it remains on failure.
 *
 * The original is never written, checkpointed, recovered or locked in a way that makes a writer wait. SQLite opens it only
 * while another process has it open in WAL mode, in a child of its own with NO_CKPT_ON_CLOSE; then a second child copies
 * the files under the first one's read transaction. Otherwise files are copied and the copy is thrown away if anything of
 * the source changed meanwhile (size, mtime, change counter, WAL salts, journal).
 *
 * Everything that parses or holds SQLite handles runs in sandboxed children; see base/child.h.
 *
 * @return 0; -EEXIST the name exists; -ENOSPC (also when less than 10 % of the file system would stay free); -EFBIG the
 *         byte budget; -EBUSY a writer never left a gap; -ETIME; -ENOENT; -EISDIR or -EINVAL no regular file;
 *         -EUCLEAN the copy is corrupt (it is removed unless options->raw); or -errno. @p ret is filled in every case.
 */
int snapshot_take(const char *path, int dirfd, const char *name, const struct snapshot_options *options,
                  struct snapshot_result *ret);
