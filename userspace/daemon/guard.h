/* guard.h - the databases that are guarded: those of the configuration and those that were discovered, watched or still waited for. Layer: daemon. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "daemon/state.h"
#include "detect/lock_tell.h"
#include "detect/wal_health.h"
#include "incident/policy.h"

struct daemon;
struct guard_latency;

enum guard_state {
        GUARD_WAITING, /* it cannot be watched yet: its directory is missing, or there is no room */
        GUARD_WATCHED,
};

/** One database under guard. */
struct guard {
        char *name;                       /* as in the configuration; "NAME/FILE" of a glob */
        char *path;                       /* as in the configuration: the key */
        const struct config_database *of; /* borrowed from daemon.config, or from its discoveries */
        enum guard_state state;
        unsigned id;         /* the sensor's, while it is watched */
        char why[128];       /* why it is waited for */
        uint64_t since_ns;   /* in this state since */
        bool told_unwatched; /* the finding has been made */

        struct policy_state policy; /* of its backups */

        /* as it was at the last turn while it was dirty */
        bool dirty; /* in use, or something of it at risk */
        bool in_transaction;
        unsigned clean_turns; /* in a row */
        uint32_t users;
        unsigned unproven; /* files of which it is not known what is at risk; unproven.h */
        uint64_t bytes_at_risk, commits_at_risk;
        bool leftover; /* an unfinished transaction stands in its files, and nobody is in it */
        uint32_t writer_tgid;
        uint64_t writer_start_ns; /* of the transaction */

        struct state_database written; /* the same as the state file has it; `name` is NULL */

        int64_t checked_ns; /* since the epoch: when the last check was begun, of which it tells; 0: none is known */
        int64_t check_ended_ns; /* when it was over; 0: not by this run */
        char check_result[16];
        int64_t backup_ns; /* the last verified backup; 0: none is known */
        char backup_id[256];
        bool told_stale;
        bool seen_file; /* it has been there: when it is not, it is gone */

        uint64_t check_due, backup_due;           /* CLOCK_BOOTTIME; 0: not by schedule */
        uint64_t check_every_ms, backup_every_ms; /* what that was made of */

        struct guard_latency *latency; /* how long operations take; latencies.h; NULL: nothing was looked at yet */

        struct wal_watch wal;    /* its log, from look to look */
        enum wal_state wal_told; /* the worst that has been told of it */

        struct guard_tangle {
                char incident[DETECT_ID_LEN]; /* that it was told in last */
                unsigned gone;                /* looks in a row without it */
                bool told;
                bool suspected; /* told as no more than that */
                bool settled;   /* what an earlier run told of it is over */
        } tangle[2];            /* by enum knot_kind */

        bool wal_settled; /* what an earlier run told of it is over */
        bool marked;      /* during a reload */
};

struct guards;

int guards_new(struct guards **ret); /* -ENOMEM */
void guards_free(struct guards *g);

/**
 * Takes over what daemon.config says now: new targets are put under watch, those that it no longer names are let go, the others
 * keep their watch and their accounts whatever else has changed (mark and sweep).
 * @return 0 or -ENOMEM, -E2BIG (the globs come to too many; everything is as before)
 */
int guards_apply(struct daemon *d);

/** Tries again those that wait, and those that may have moved. Call each 10 s. */
void guards_turn(struct daemon *d);

/** Looks anew for files that a glob stands for. Call each minute. */
void guards_rescan(struct daemon *d);

size_t guards_count(const struct guards *g);
struct guard *guards_at(const struct guards *g, size_t i);
/** NULL: none. */
struct guard *guards_by_id(const struct guards *g, unsigned id);
struct guard *guards_by_name(const struct guards *g, const char *name);

/** The names of databases as they are guarded. */
struct database_names guard_names(const struct daemon *d);

/** The path at which its file can be opened from here. */
const char *guard_path(const struct daemon *d, const struct guard *g);
