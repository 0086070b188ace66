/* wal_health.h - whether a write-ahead log comes to an end: it grows until a checkpoint has copied all of it and no reader needs it
 * any more (sqlite.org/wal.html, 2.3 and 6). Pure: samples in, verdict out. Layer: detect. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "detect/detect.h"
#include "sensor/evidence.h"

struct wal_limits {
        uint64_t warn_bytes;    /* a log of so many committed bytes … */
        uint64_t warn_after_ms; /* … that has gone on growing for so long is told of, as P2 */
        uint64_t max_bytes;     /* one of so many, as P1, after a tenth of that */
};

/** One look at a database. */
struct wal_sample {
        uint64_t now_ns;
        uint64_t generation;  /* how often the log has begun anew */
        uint64_t bytes;       /* of this generation, up to the end of the last commit */
        uint64_t checkpoints; /* begun, cumulative */
        uint64_t pages;       /* main file writes of the running or last checkpoint */
        struct checkpoint_refusals refused;
};

/** Somebody who has held the mark in question at every look, and committed nothing meanwhile. */
struct wal_reader {
        struct vigil_ident id; /* tgid 0: none */
        uint64_t commits;
        uint64_t since_ns; /* the first of these looks */
};

/** What is kept of a database from look to look; zeroed before the first. */
struct wal_watch {
        bool begun;
        uint64_t generation;
        uint64_t since_ns;    /* in this generation since, as far as was seen */
        uint64_t over_ns;     /* when it was first seen with warn_bytes; 0: not */
        uint64_t over_bytes;  /* how large it was then */
        uint64_t bytes;       /* at the last look */
        uint64_t grew_ns;     /* when it was last seen to have grown */
        uint64_t checkpoints; /* as they were at since_ns */
        struct checkpoint_refusals refused;
        uint32_t mark; /* enum vigil_lock: the mark in question */
        struct wal_reader reader[EVIDENCE_HOLDERS];
};

enum wal_state {
        WAL_FINE,
        WAL_GROWING, /* P2 */
        WAL_AT_CAP,  /* P1 */
};

/** Why a log does not begin anew, the first that is so. */
enum wal_cause {
        WAL_PINNED,          /* checkpoints are refused a read mark: its holder needs the log from there on */
        WAL_NO_CHECKPOINT,   /* nobody has begun a checkpoint in this generation */
        WAL_CHECKPOINT_RUNS, /* one holds the checkpoint lock now */
        WAL_NEVER_FREE, /* checkpoints succeed, and there is a reader at each moment at which it could begin anew */
        WAL_UNKNOWN,    /* who holds its locks could not be read */
};

/** "reader", "no-checkpoint", "checkpoint-running", "readers-without-a-gap", "unknown". */
const char *wal_cause_name(enum wal_cause c);

/** Takes a look into account. @return what the log is now */
enum wal_state wal_watch_look(struct wal_watch *w, const struct wal_sample *s, const struct wal_limits *l);

/** True when who holds the marks is worth a look: it grows, and its cause may have to be told. */
bool wal_watch_wants_holders(const struct wal_watch *w);

/** The lock whose holders are to be looked up: that of the refused mark, else of every mark. enum vigil_lock. */
uint32_t wal_watch_mark(const struct wal_watch *w, const struct wal_sample *s);

/** Takes note of who holds that lock: at each look. */
void wal_watch_holders(struct wal_watch *w, const struct wal_sample *s, const struct evidence_wait *marks);

enum wal_cause wal_cause_of(const struct wal_watch *w, const struct wal_sample *s,
                            const struct evidence_wait *checkpoint);

/**
 * What is told of a log that grows.
 *
 * @param marks       holders of wal_watch_mark()
 * @param checkpoint  holders of the checkpoint lock
 * @param detail      one sentence
 * @return evidence, as in docs/JSON.md; NULL: out of memory
 */
json_t *wal_evidence(const struct wal_watch *w, const struct wal_sample *s, const struct evidence_wait *marks,
                     const struct evidence_wait *checkpoint, char detail[DETECT_DETAIL_LEN]);
