/* run.h - one call of backup_create(), as its steps see it. Layer: respond. Used by backup.c and evidence.c alone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "respond/backup.h"
#include "respond/publish.h"
#include "respond/workdir.h"

struct backup_run {
        const struct backup_options *options;
        struct backup_result *result;
        char *source;            /* absolute, symbolic links resolved */
        struct stat source_stat; /* of its main file */
        uint64_t source_wal;     /* bytes of its -wal; 0: none */
        char base[PUBLISH_BASE_LEN];
        char *directory; /* absolute, symbolic links resolved */
        int dir;
        struct workdir work;
        bool corrupt;                  /* the source, not the copying of it */
        enum backup_phase phase;       /* for the progress */
        uint64_t started_ns;           /* CLOCK_BOOTTIME */
        uint64_t deadline_ns;          /* of CLOCK_BOOTTIME; 0: none */
        int64_t copy_from, copy_until; /* ns since the epoch: when the copy began and was complete */
};

/** Sets result->reason, once: the first reason is the cause. @return @p err */
int backup_fail(struct backup_run *r, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** backup_fail() with -EUCLEAN: the source is corrupt, its evidence is to be kept. */
int backup_corrupt(struct backup_run *r, const char *why);

/** Milliseconds left; 0: no deadline; 1 when it is over, so that what is started ends at once. */
uint64_t backup_left_ms(const struct backup_run *r);

/** Progress of the current phase. @p run is a struct backup_run. */
void backup_progress(void *run, uint64_t done, uint64_t total);

/** Gives the open file to the source's owner (when run by root), mode 0600, and syncs it. @return 0 or -errno */
int backup_own(const struct backup_run *r, int fd);

/** Nanoseconds since the epoch, now. */
int64_t backup_now(void);

/** What the manifest says of this run, in @p ret; its texts are borrowed, not to be released. */
struct manifest;
void backup_describe(const struct backup_run *r, struct manifest *ret);

/**
 * Keeps the raw files of the corrupt source, publishes them and fills the result (outcome, id, path, bytes, check).
 * result->reason says already what is wrong with the source.
 * @return 0, or -errno with the reason why they could not be kept added
 */
int evidence_keep(struct backup_run *r);
