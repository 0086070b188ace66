/* capture_work.h - the worker of capture.c: copies under locks, or proves that nothing changed. Layer: engine. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/files.h"

/** Why a copy was thrown away; the index travels in the answer. */
enum capture_why {
        CAPTURE_NO_REASON,
        CAPTURE_CHANGED, /* the source changed while it was copied */
        CAPTURE_RECENT,  /* it changed within the tick of the clock in which it was opened: a change could hide */
        CAPTURE_LOCKED,  /* a checkpoint or an exclusive user */
        CAPTURE_GROWN,   /* the -wal grew by more than its cap */
        CAPTURE_FOREIGN, /* no SQLite database, or encrypted */
        CAPTURE_READ,    /* reading the source failed */
        CAPTURE_WRITE,   /* writing the copy failed */
        CAPTURE_WHYS,
};

/** Order of the worker: descriptors of the source and of the empty copies. */
struct capture_job {
        const struct engine_files *from;
        int to[VIGIL_ROLES]; /* MAIN, WAL, JOURNAL */
        bool others_may_write;
        bool raw;
        bool flush;
        uint64_t wal_cap;
};

/** Body of the worker, a child_fn. Answers {"error", "why", "method", "main", "wal", "commits", "unreadable", "salt0", "salt1",
 * "page_size", "recover_wal", "hot", "super_at"}, all integers, and "super" in hex; "method" indexes capture_methods. */
int capture_work(int answer_fd, void *userdata);

extern const char *const capture_methods[];
