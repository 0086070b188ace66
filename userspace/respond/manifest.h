/* manifest.h - what a backup says of itself: the file ID.json, schema vigil.backup/1. Layer: respond.
 *
 * A manifest lies beside the copy and may have been edited, cut or planted: reading it believes no size, no name and no
 * type. It names no file outside its own directory: the copy is found by the ID alone. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/text.h"

/** Longer ones are not read: 100 errors of a check stay far below. */
#define MANIFEST_MAX_BYTES ((size_t)1 << 20)
/** Files of one evidence: main, -wal, -journal, -shm, with room. */
#define MANIFEST_MAX_FILES 8

/** A plain file name and its NUL. */
#define MANIFEST_NAME_LEN 256

/** One raw file of an evidence. */
struct manifest_file {
        char name[MANIFEST_NAME_LEN]; /* a plain name in the directory of the evidence */
        uint64_t bytes;
        char sha256[HASH_HEX_LEN];
};

/** A manifest. Text is owned by it and may be NULL unless said otherwise. Release with manifest_done(). */
struct manifest {
        bool evidence; /* class: evidence, not backup */
        bool verified;
        char *database; /* short name: publish_base() */
        char *reason;   /* why it was made */
        char *verdict;  /* of the death that caused it */
        char *incident; /* id of the daemon's incident that it was made for */
        char *problem;  /* why it is evidence */
        char *method;   /* of the copy: snapshot_result.method */
        char *vigil;    /* version that made it */
        char *host;
        char *boot_id;
        char created_at[TEXT_TIME_LEN];
        /* The copy. */
        uint64_t bytes; /* of evidence: of all files */
        char sha256[HASH_HEX_LEN];
        uint64_t page_size;
        /* The source, as it was. */
        char *source; /* absolute path, bytes as the kernel has them; never NULL after reading */
        uint64_t source_bytes, source_wal_bytes, source_inode, uid, gid, mode;
        char *wal_salt; /* "0123abcd 4567ef01" */
        /* What is in it: all that was committed before `from`, nothing that began after `until`. */
        char from[TEXT_TIME_LEN], until[TEXT_TIME_LEN];
        uint64_t wal_commits; /* of these, how many were only in the -wal */
        uint64_t attempts, ms;
        json_t *check;                                  /* as check_json(); NULL: not checked */
        struct manifest_file files[MANIFEST_MAX_FILES]; /* of evidence */
        size_t n_files;
};

void manifest_done(struct manifest *m);

/** The document to write. New reference; NULL: out of memory. */
json_t *manifest_to_json(const struct manifest *m);

/**
 * Reads a manifest out of @p n bytes that may be anything.
 *
 * @param ret          filled on success, to be released
 * @param ret_problem  on -EBADMSG what is wrong with it: static text
 * @return 0; -ENOMSG it is no JSON or of another schema (not ours); -EBADMSG it is ours and wrong; -ENOMEM
 */
int manifest_parse(const char *text, size_t n, struct manifest *ret, const char **ret_problem);
