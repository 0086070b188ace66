/* verify.h - is a copy still what it was proven to be? Layer: respond. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/hash.h"
#include "engine/check.h"
#include "respond/list.h"

/** Called while a file is read; may be NULL. */
typedef void (*verify_progress)(void *userdata, uint64_t done, uint64_t total);

/**
 * Reads a file back from the disk: asks the kernel to forget its cached pages (POSIX_FADV_DONTNEED; of no effect on tmpfs,
 * where the cache is the disk) and hashes what a fresh descriptor then gives.
 *
 * @return 0; -EINVAL no regular file; -ELOOP a symbolic link; -ETIME after @p deadline_ns of CLOCK_BOOTTIME (0: none);
 *         or -errno
 */
int verify_hash(int dir, const char *name, uint64_t deadline_ns, verify_progress progress, void *userdata,
                char ret_hex[HASH_HEX_LEN], uint64_t *ret_bytes);

/** Settings of backup_verify(). Zero is a sane default but for `check`. */
struct verify_options {
        enum check_method check; /* CHECK_NONE: hashes only */
        uint64_t deadline_ms;    /* of the check; 0: 10 minutes */
        const char *scratch;     /* as in check_options */
        verify_progress on_progress;
        void *userdata;
};

/** What came of it. Release with verify_result_done(). */
struct verify_result {
        bool unchanged;            /* every file has the size and the hash that the manifest says */
        bool proven;               /* unchanged, no evidence, and its restored copy was checked: ok */
        char *problem;             /* one sentence; NULL: none */
        struct check_result check; /* outcome CHECK_SKIPPED for evidence, or when the hash is already wrong */
        uint64_t ms;
};

void verify_result_done(struct verify_result *r);

/**
 * Reads the copy of @p item again, compares it with its manifest, restores it into a private place and checks it. Of
 * evidence only the hashes are compared: it is known to be corrupt. Changes nothing.
 *
 * @return 0 with @p ret filled, whatever the outcome; -ENOMEM
 */
int backup_verify(const struct backup_item *item, const struct verify_options *options, struct verify_result *ret);

/** {"result": "ok"|"failed", "unchanged", "problem", "check", "ms"}: `verify` of an entry. New reference. */
json_t *verify_json(const struct verify_result *r);
