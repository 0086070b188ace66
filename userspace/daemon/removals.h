/* removals.h - files of a database that somebody removed, renamed or emptied: what the verdict on a later death, or on the next file
 * that goes, must know. What each of them means says detect/taken.c. Bounded for each database. Layer: daemon. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

struct episode;
struct memory;

#define REMOVALS_KEPT                                                                                              \
        16 /* of one database; beyond them the oldest that was judged goes, and where none was the newest is not taken */
#define REMOVALS_PAST 64 /* deaths whose files were looked at */

/* So long a removal waits for what may go with it: who deletes a whole database deletes its files one by one. */
#define REMOVALS_WAIT_NS      (1ull * 1000000000)
#define REMOVALS_PAUSE_MAX_NS (60ull * 1000000000) /* who goes on is told of ever more rarely, up to this */

/* Somebody who had no right to it, and somebody who relied on it. */
struct removal {
        union {
                struct vigil_hdr hdr;
                struct vigil_op op; /* VIGIL_OP, VIGIL_OPEN */
                struct vigil_pathop path;
        };
        bool judged; /* it has waited, and an episode has judged it */
        bool told;   /* a finding of it was raised */
        bool past;   /* somebody has used the database since, and gone */
};

/* The last time that a file went, and nobody minded. */
struct gone {
        uint64_t ns; /* 0: never */
        struct vigil_ident id;
        uint16_t taken; /* VIGIL_TAKEN or 0 */
};

/* Of one database. */
struct removals {
        struct gone gone[VIGIL_ROLES];
        struct removal *kept; /* REMOVALS_KEPT of them, oldest first; NULL: there was none */
        size_t n;
        uint64_t judged_ns; /* when some were judged last */
        uint64_t pause_ns;  /* how long the next ones wait from then on */
};

/* A death that left something, and what the files were seen to be: what was taken afterwards may have been no loss. */
struct past {
        uint32_t db; /* 0: none */
        struct vigil_proc proc;
        struct vigil_exit_db part;
        struct vigil_observed observed;
};

/** When it was done. */
uint64_t removal_ns(const struct removal *r);
const struct vigil_ident *removal_by(const struct removal *r);
uint8_t removal_role(const struct removal *r);
uint32_t removal_taken(const struct removal *r); /* enum vigil_taken_flag */

/** Takes VIGIL_PATHOP, VIGIL_OP or VIGIL_OPEN. @return 1: a removal to be judged; 0; -ENOMEM */
int removals_take(struct memory *m, const struct vigil_hdr *record);
/** Somebody who used a database is gone: what went before that is not part of what goes later. */
void removals_used(struct memory *m, const struct vigil_use *use);
/** @return true: one of it has not been judged */
bool removals_wait(const struct memory *m, uint32_t db);
/** The database is no longer watched. */
void removals_forget(struct memory *m, uint32_t db);
void removals_free(struct memory *m);

/** Databases with removals that have waited long enough: @p due gets true. @p wait_ms  lowered to when to ask again, unless it is 0.
 * @return true: there is one */
bool removals_due(const struct memory *m, uint64_t now_ns, bool due[VIGIL_MAX_DBS], unsigned *wait_ms);
/** Those of @p due are in an episode. */
void removals_judged(struct memory *m, uint64_t now_ns, const bool due[VIGIL_MAX_DBS]);

/** Puts into an episode what its verdicts must know of removals, behind its deaths. @return 0 or -ENOMEM */
int removals_compose(struct episode *e, const bool due[VIGIL_MAX_DBS]);
/** Keeps what the files looked like after the death of @p id. Out of memory it is not kept: then a later removal counts as a loss. */
void removals_looked(const struct episode *e, const struct vigil_ident *id, const struct vigil_observed *o);
