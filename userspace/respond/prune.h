/* prune.h - removes backups beyond what is to be kept. Layer: respond.
 *
 * Never removed, whatever the limits say: the newest verified backup of a database; its newest verified one from before an
 * incident that is not over; evidence; what has no sound manifest, and what is not Vigil's. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What may stay, of each database that the directory holds copies of (a database is the path its copies were made of). */
struct prune_options {
        unsigned keep;            /* verified ones, the newest; older ones go. Unverified: as many. 0: any number */
        uint64_t max_bytes;       /* of all copies; the oldest go. 0: any */
        int64_t pinned_before_ns; /* since the epoch: when the oldest incident that is not over began. 0: none is open */
        bool dry_run;             /* nothing is removed, only told */
};

/** What became of it. Release with prune_result_done(). */
struct prune_result {
        json_t *removed;        /* array: entries of vigil.backups/1, each with "why" besides */
        json_t *kept;           /* the same of what stays, evidence too; "why" is null, or what it is pinned for */
        uint64_t removed_bytes; /* of the copies */
        uint64_t kept_bytes;
        uint64_t pinned_bytes; /* of these, what no limit could remove */
        size_t over;           /* databases whose copies still take more than max_bytes, since the rest is pinned */
        char *reason;          /* why it failed; NULL when it did not */
};
void prune_result_done(struct prune_result *r);

/**
 * Prunes @p directory. A backup goes whole: killed at any point, every backup is still there with its manifest, or gone; what
 * remains of the work is finished by the next run of prune or create. Safe beside them.
 *
 * @return 0; -E2BIG: more backups than can be looked at (LIST_MAX), which of them are the newest is not known; -ENOENT, -EACCES,
 *         -EROFS, -ENOMEM or -errno. @p ret is filled in every case.
 */
int backup_prune(const char *directory, const struct prune_options *options, struct prune_result *ret);

/** {"backups" (those that stay), "removed", "removed_bytes", "kept_bytes", "pinned_bytes", "over", "dry_run"}. New reference; NULL: out of memory. */
json_t *prune_json(const struct prune_result *r, const struct prune_options *options);
