/* memory_private.h - what memory.c keeps, for it and for episode.c. Layer: daemon. */
#pragma once

#include "daemon/losses.h"
#include "daemon/memory.h"
#include "daemon/people.h"
#include "daemon/removals.h"
#include "model/gaps.h"

/* A participant that is gone, and its databases as they come in. */
struct death {
        struct death *next;
        struct vigil_exit_db *part[VIGIL_USES]; /* of proc.use[i]; NULL: has not come */
        struct vigil_proc proc;
};

struct trouble {
        union {
                struct vigil_hdr hdr;
                struct vigil_op op;
                struct vigil_wberr wberr;
        };
        uint32_t db;
};

/* What has been told of the errors of one database: accounts are cumulative, findings are not. */
struct told {
        uint64_t account_ns; /* errors up to here are told */
        uint64_t trouble_ns; /* when troubles of it were last judged */
        uint64_t pause_ns;   /* how long the same ones wait from then on */
        uint32_t kinds;      /* of those that were judged since the last quiet time: a bit each */
        struct {
                uint64_t sync_errors;
                uint32_t wb_errors;
                uint32_t flags; /* LIED, SWALLOWED */
        } file[VIGIL_ROLES];
        bool changed; /* since it was noted */
};

/* What happened last, raw: two halves, of which the older is thrown away when the newer is full. */
struct recent {
        unsigned char *half[2];
        size_t used[2];
        unsigned newer;
};

struct memory {
        struct vigil_session session;
        bool redact_argv;
        struct gaps gaps;
        struct losses losses;
        struct people people;
        struct recent recent;

        struct vigil_database *database[VIGIL_MAX_DBS]; /* NULL: not known */
        struct told *told[VIGIL_MAX_DBS];               /* NULL: nothing */
        struct removals *removals[VIGIL_MAX_DBS];       /* NULL: none */
        struct past *past[REMOVALS_PAST];               /* NULL: none; each of another database */
        size_t npasts;                                  /* that made room for another */
        uint64_t removals_dropped;                      /* before they were judged */
        bool ending;                                    /* nothing waits any more */

        struct vigil_probe *probe;
        size_t nprobes;
        struct vigil_signal *signal; /* rings: the newest is number n - 1 */
        uint64_t nsignals;
        struct vigil_oom *oom;
        uint64_t nooms;

        struct death *first, **last;
        size_t ndeaths;
        struct vigil_exit_db *orphan[MEMORY_ORPHANS];
        size_t norphans;
        struct trouble *trouble;
        size_t ntroubles;
        uint64_t begin_ns;      /* records that are older were numbered for somebody else */
        uint64_t noted_loss_ns; /* the last moment of `losses` that was noted; 0: none */
        bool told_changed;      /* of some database, since it was noted */
        uint64_t deaths_dropped;
        uint64_t troubles_dropped;
};

#define MEMORY_OOMS (MEMORY_SIGNALS / 4)

static inline bool same_ident(const struct vigil_ident *a, const struct vigil_ident *b)
{
        return a->start_ns == b->start_ns && a->tgid == b->tgid;
}

/* Every database of it has come. */
bool memory_death_is_whole(const struct death *d);
void memory_death_free(struct death *d);

/* What was told of database @db. NULL: out of memory. */
struct told *memory_told(struct memory *m, uint32_t db);
