/* snapshot.h - a consistent private copy of a live database. Layer: engine. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How a snapshot may be taken. Zero is a sane default. */
struct snapshot_options {
        bool others_may_write; /* somebody may have the database open; false: no lock is looked for or taken */
        uint64_t byte_budget;  /* most bytes the copy may take; 0: no limit but the file system's */
        uint64_t wal_cap;      /* the locks end when the -wal grew by more; 0: 4 x the database, at least 64 MiB */
        uint64_t deadline_ms;  /* 0: none, but the search for a gap between writers ends after 60 s */
        bool raw;              /* leave db, -wal, -journal as they are (evidence) instead of one merged file */
        bool no_sha256;        /* the copy is read again anyway: the fingerprint is enough to compare */
        void (*on_progress)(void *userdata, uint64_t done, uint64_t total);
        void *userdata;
};

/** What was copied. */
struct snapshot_result {
        const char *method; /* "copy", "read-transaction", "reflink": static; "none" on failure */
        uint64_t bytes;     /* of the finished copy */
        uint64_t source_main_bytes;
        uint64_t source_wal_bytes;
        uint64_t wal_commits; /* committed WAL transactions that it contains beyond the main file */
        uint32_t
                wal_unreadable; /* committed frames of the source's -wal that no recovery finds: the copy lacks them */
        uint32_t wal_salt[2];   /* of the source's -wal; 0: none */
        uint32_t page_size;     /* of the source's header; 0: an empty file, or damaged */
        uint32_t attempts;      /* copies thrown away because a writer got in between */
        const char *unconfined; /* static text: what of the sandbox this kernel lacks; NULL: nothing */
        uint64_t durable_ms;    /* until the copy was written and synced; its hash may have taken longer */
        char sha256[65];        /* of the finished copy as it was written, lower-case hex; empty with no_sha256 */
        char fingerprint[33];   /* of the finished copy as it was written, by base/fingerprint.h */
        char reason[256];       /* on failure: what, on which object, why */
};

/**
 * Copies the database at @p path into the new file @p name of directory @p dirfd, and lets the copy recover there, so that
 * one SQLite file remains that opens by itself. With options->raw the files are copied as they are: NAME, NAME-wal,
 * NAME-journal. The copy is complete and synced (file, not directory) on success; nothing of it remains on failure. It is
 * worked on in a private directory inside @p dirfd; what a killed Vigil leaves of that, the next one sweeps.
 *
 * The original is never opened by SQLite, written, checkpointed or recovered. Of a database that others have open in WAL
 * mode, the files are copied under the locks of a reader (engine/locks.h): commits go on, the copy holds every commit that
 * was made before it began, and an application whose last connection closes meanwhile leaves its -wal and -shm to the next
 * open. Otherwise the files are copied without any lock, and the copy is thrown away and made again if
 * anything of the source changed meanwhile; then it equals what a kill at that instant would have left.
 *
 * What parses the files, or holds SQLite handles on the copy, runs in sandboxed children; see base/child.h. Must not be
 * called in a process that holds SQLite handles on the database: see engine/files.h.
 *
 * @param dirfd  readable descriptor of a directory, not O_PATH
 * @return 0; -EEXIST the name exists; -ENOSPC (also when less than 10 % of the file system would stay free); -EFBIG the
 *         byte budget; -EBUSY a writer never left a gap, or the -wal grew by more than its cap; -ETIME; -ENOENT; -EISDIR or -EINVAL
 *         no regular file; -EBADMSG no SQLite database, or encrypted (not with options->raw); -EUCLEAN the copy is so
 *         corrupt that it cannot recover (it is removed); or -errno. @p ret is filled in every case.
 */
int snapshot_take(const char *path, int dirfd, const char *name, const struct snapshot_options *options,
                  struct snapshot_result *ret);
