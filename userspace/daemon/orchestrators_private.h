/* orchestrators_private.h - shared by orchestrators.c and orchestrators_scan.c. Layer: daemon. */
#pragma once

#include "daemon/orchestrators.h"
#include "sensor/procinfo.h"

/* A process of the host, as the last scan found it. */
struct host_process {
        struct procinfo_stat stat;
        uint64_t member;    /* a bit for each orchestrator: it is a member */
        bool judged;        /* its rules have been looked at since it became what it is */
        uint64_t judged_ns; /* CLOCK_BOOTTIME: when they were */
};

struct orchestrators {
        struct orchestrator *one;
        size_t n;
        int epoll;
        unsigned watched;
        struct host_process *host; /* by number, ascending */
        size_t nhost;
        uint64_t all_ns; /* when all of them were read last; 0: not yet */
};

/** The process is a member from now on; one that is already stays as it is. */
void orchestrator_add(struct daemon *d, struct orchestrator *o, const struct procinfo_stat *p, bool root);
/** A descendant of a root of @p o that was not met before its parent ended: no root itself, and nobody's replacement. Not seen of one
 * that has left the process group. */
bool orchestrator_is_left_behind(const struct orchestrator *o, const struct procinfo_stat *p);
/** It is one already; its name is kept as it is now. */
bool orchestrator_known(struct orchestrator *o, const struct procinfo_stat *p);
/** Takes note of members that have ended: those with a pidfd, with @p others all. @return there are such */
bool orchestrator_end_dead(struct orchestrators *s, struct orchestrator *o, bool others);
/** The starts that could not be read so far. */
void orchestrator_identify(struct daemon *d, struct orchestrator *o);
/** Gives each process of @p list, by number ascending, the bits of those whose living member it is: after a reload nothing else knows
 * of one whose parent has ended, and what it forks would be nobody's. */
void orchestrators_recall(const struct orchestrators *s, struct host_process *list, size_t n);
/** Calls @p ended for each whose place in @p changed is set. */
void orchestrators_tell(struct daemon *d, const bool *changed,
                        void (*ended)(struct daemon *d, struct orchestrator *o));
