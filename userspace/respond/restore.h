/* restore.h - puts a backup in the place of a database, whole or not at all. Layer: respond. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "engine/check.h"
#include "respond/verify.h"

/** Settings of one restore. Zero is a sane default but for the first three and `check`. */
struct restore_options {
        const char *directory; /* of the backups */
        const char *id;
        const char *to; /* a file; a symbolic link stays and what it stands for is replaced */
        bool force; /* replace what is there; take a copy that was never verified, or evidence. Never what proves bad
                       although it was verified, and never a database that is open */
        enum check_method check; /* of the new file before it gets its name; CHECK_NONE: hashes only */
        const char *scratch;     /* as in check_options */
        verify_progress on_progress;
        void *userdata;
};

#define RESTORE_NOTES 7

/** What came of it. Release with restore_result_done(). */
struct restore_result {
        bool done;     /* the new file stands there, alone and synced */
        bool replaced; /* another stood there before */
        bool verified; /* hashes right before and after, restored copy checked: ok */
        bool warned;   /* one of the notes asks for something to be done */
        char *path;    /* absolute, of the file; NULL when it was not found out */
        uint64_t bytes;
        char sha256[HASH_HEX_LEN];
        char *reason; /* one sentence why it was not done, and what to do; NULL when done */
        char *notes
                [RESTORE_NOTES]; /* what else the reader must know: another source, moved files, blind spots, late openers */
        size_t n_notes;
        struct check_result check;
        uint64_t ms;
};

void restore_result_done(struct restore_result *r);

/**
 * Restores the backup options->id to options->to.
 *
 * Refused: a file that exists (without force); a database that any process has open, by its locks or its descriptors (see
 * users.h for what cannot be seen: a note says so); a copy that was never verified, and evidence (without force); a copy
 * whose hash or check is wrong now. The new file is written beside its place, synced, read back, compared by hash and
 * checked; only then it gets its name by rename(2), and the directory is synced. It has owner, mode and extended attributes
 * (access lists, labels) of the file it replaces, else owner and mode that the backed-up database had (when run by root).
 *
 * At every instant, for a kill or a power cut, there is either the old database or the new one. An old -wal or hot -journal
 * would be played into a new main file, so they must go first, but the old one is not whole without them. Therefore a copy
 * into which they are merged replaces the old main file before they are removed: over that copy they change nothing.
 * Where the old one is too damaged to be merged (a note says so), a kill between the two leaves it without them.
 * SQLite's exclusive lock is held on each of the three main files meanwhile.
 *
 * Companions that lie beside a missing main file are moved to FILE.stale-STAMP-wal and so on: their commits may exist
 * nowhere else. With force they are removed.
 *
 * @return 0 with ret->done, or with ret->reason: -ENOENT no such backup; -EEXIST; -EBUSY it is open; -EPERM not verified;
 *         -EUCLEAN it proves bad; -EINVAL, -EISDIR no file can stand there; -ENOSPC; -EACCES, -EROFS or -errno.
 *         @p ret is filled in every case and must be released.
 */
int backup_restore(const struct restore_options *options, struct restore_result *ret);

/** vigil.restore/1: {"id", "path", "restored", "replaced", "verified", "bytes", "sha256", "reason", "notes", "check", "ms"}.
 * New reference; NULL: out of memory. */
json_t *restore_json(const struct restore_options *options, const struct restore_result *r);
