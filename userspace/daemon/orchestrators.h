/* orchestrators.h - the processes that run jobs: found by the rules of the configuration, followed through fork, seen to end.
 * Layer: daemon.
 *
 * A member is known by number and start. Descendants of a member are members, and stay it when their parent ends. What ends is
 * seen at once (pidfd) for the first ORCHESTRATOR_WATCHED living members of all, and by the next scan for the others. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "config/orchestrator.h"
#include "daemon/belongs.h"
#include "model/care.h"

struct daemon;
struct orchestrators;

#define ORCHESTRATOR_MEMBERS 1024 /* of one: living and dead; more are counted */
#define ORCHESTRATOR_WATCHED 256
#define ORCHESTRATOR_DEAD    256 /* of one; the longest dead are forgotten */
#define ORCHESTRATOR_STARTS  32  /* moments of restarts that are kept */

/** So many restarts within this time are a crash loop. */
#define CRASH_LOOP_RESTARTS 3
#define CRASH_LOOP_NS       (5ull * 60 * 1000000000)

/** A process of an orchestrator. Times are ns of CLOCK_BOOTTIME. */
struct member {
        struct vigil_ident id; /* start_ns 0: not exactly known yet */
        uint64_t ticks;        /* of its start: always known */
        uint64_t ended_ns;     /* when that was seen; 0: it lives */
        uint32_t ppid;         /* when it was met */
        uint32_t group;        /* process group, then */
        uint32_t own_pid;      /* in its own PID namespace: in ours id.tgid; 0: not known */
        int pidfd;             /* -1: none */
        bool root;             /* the rule found it, not its parent */
};

struct orchestrator {
        const struct config_orchestrator *of; /* borrowed from daemon.config */
        char *name;
        struct member *member; /* in no order */
        size_t n, living;
        uint64_t left_out;                      /* processes that found no place at the last scan */
        char care[CARE_LEN];                    /* who starts it again; "": not known */
        bool ever;                              /* a member has been seen since the daemon began */
        uint64_t last_end_ns;                   /* of a root */
        unsigned unreplaced;                    /* roots that ended and nobody has taken the place of */
        uint64_t restarts;                      /* in all */
        uint64_t start_ns[ORCHESTRATOR_STARTS]; /* of the newest restarts, a ring */
        struct job_table *jobs;                 /* of daemon/jobs.c; never touched here */
};

int orchestrators_new(struct orchestrators **ret); /* -ENOMEM or -errno */
void orchestrators_free(struct orchestrators *s);

/**
 * Takes over what daemon.config says now: what keeps its name keeps its members, unless its rule has changed.
 * @param gone  called for each that is no longer there, before it is freed; and may be NULL
 * @return 0 or -ENOMEM: everything is as before
 */
int orchestrators_apply(struct daemon *d, void (*gone)(struct daemon *d, struct orchestrator *o));

/** Readable when a member has ended. */
int orchestrators_fd(const struct orchestrators *s);

/** Takes note of who has ended. @return of how many orchestrators, since the last call; `ended` of each is set */
bool orchestrators_turn(struct daemon *d, void (*ended)(struct daemon *d, struct orchestrator *o));

/** Looks at every process of the host. Calls @p ended as orchestrators_turn(). Some milliseconds. */
void orchestrators_scan(struct daemon *d, void (*ended)(struct daemon *d, struct orchestrator *o));

size_t orchestrators_count(const struct orchestrators *s);
struct orchestrator *orchestrators_at(const struct orchestrators *s, size_t i);

/** The living member with that number, else the one that ended last; NULL: none. */
const struct member *orchestrator_member(const struct orchestrator *o, uint32_t pid);

/** A process of it lives, or lived, in another PID namespace than ours: it calls itself by another number. */
bool orchestrator_is_contained(const struct orchestrator *o);

/** Restarts within CRASH_LOOP_NS before @p now, at most ORCHESTRATOR_STARTS. */
unsigned orchestrator_restarts(const struct orchestrator *o, uint64_t now);

/** For vigil.jobs/1: processes, restarts, crash loop. New reference. */
json_t *orchestrator_json(const struct orchestrator *o, uint64_t now);
