/* state.h - STATE/state.json: what must be known after a crash of the host or of the daemon. Layer: daemon. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

/** More of the file is not read. */
#define STATE_MAX_BYTES (4u << 20)

/** One database as it was when the file was written. */
struct state_database {
        char *name; /* the key: paths of it stand in the configuration */
        bool dirty; /* in use, or something of it not yet durable */
        bool in_transaction;
        uint32_t users;
        uint64_t bytes_at_risk, commits_at_risk;
        unsigned unproven;   /* files of which it was not known what is at risk; unproven.h */
        bool leftover;       /* an unfinished transaction stood in its files that nobody was in */
        uint32_t writer_pid; /* who had the transaction; 0: not known */
        uint64_t writer_start_ns;
};

/** Release with state_done(). */
struct state_file {
        char boot_id[40];
        int pid;
        int64_t run;     /* id of that run in the store; 0: not known */
        int64_t seen_ns; /* since the epoch: when the daemon was last known to watch */
        bool orderly;    /* it ended by itself after that */
        struct state_database *database;
        size_t n;
};

void state_done(struct state_file *s);

/** Writes DIR/state.json: complete and durable, or not at all. @return 0 or -errno */
int state_write(const char *dir, const struct state_file *s);

/**
 * Reads it, believing nothing: a value that cannot be is an error of the whole.
 * @return 0; -ENOENT there is none; -EBADMSG it is damaged; -EFBIG, -ENOMEM or -errno. @p ret is untouched on failure.
 */
int state_read(const char *dir, struct state_file *ret);
