/* memory.h - what a daemon must still know when a process dies: bounded, whatever comes. Layer: daemon.
 *
 * Records go in (memory_take()), and when somebody has died or storage has failed, an episode comes out (episode.h). Nothing
 * here grows with the time the watch lasts: the living are kept, and of the past what a verdict may still need. */
#pragma once

#include "bpf/abi.h"
#include "sensor/sensor.h"

#define MEMORY_PROCESSES 4096       /* living, and those of the last minute; the oldest dead make room */
#define MEMORY_TEXT      (4u << 20) /* bytes of their argv, exe and cgroups; beyond, argv is cut short */
#define MEMORY_SIGNALS   1024       /* VIGIL_SIGNAL of the last minute; of VIGIL_OOM a quarter */
#define MEMORY_DEATHS    2048       /* not yet taken by an episode; more are told as lost */
#define MEMORY_ORPHANS   256        /* databases at a death whose own record has not come */
#define MEMORY_TROUBLES  1024       /* not yet taken by an episode; of more than that the account tells */
#define MEMORY_PROBES    64
#define MEMORY_RECENT    (1u << 20) /* bytes of what happened last, for the evidence */
#define MEMORY_MARKS     64         /* moments between which something was lost */

#define MEMORY_KEPT_NS (60ull * 1000000000) /* how long the past is kept */

struct memory;

/** @param session  how every episode begins; copied. @param redact_argv  no argument of any process is kept.
 * @return NULL: out of memory */
struct memory *memory_new(const struct vigil_session *session, bool redact_argv);
void memory_free(struct memory *m);

/** What a record means for the daemon. */
enum memory_news {
        MEMORY_NOTHING,
        MEMORY_IN_USE,     /* a process opened the database: its state may be dirty from now on */
        MEMORY_DEATH,      /* a participant died, or replaced itself by exec */
        MEMORY_DEATH_PART, /* and this is a database as it left it */
        MEMORY_TROUBLE,    /* an operation failed, or a write-back error */
        MEMORY_REMOVAL, /* a file of the database was taken from somebody who relied on it; it may be in use, too */
};

/**
 * Takes one record of the stream, valid or not; nothing of the record itself is kept. Give it every one, those of the canary
 * too: their numbers prove that nothing was lost. VIGIL_PROBE (sensor_probes(), once after the canary) becomes part of each
 * episode, VIGIL_STATS is memory_statistics().
 *
 * @param ret_db  the database it speaks of; 0: none, or more than one
 * @return enum memory_news; -ENOMEM
 */
int memory_take(struct memory *m, const struct vigil_hdr *record, uint32_t *ret_db);

/** There is nothing more to come: what waits for it waits no longer. */
void memory_ends(struct memory *m);

/** The database is no longer watched: nothing more is told of it. */
void memory_forget_database(struct memory *m, uint32_t db);

/** The counters of sensor_statistics() now: what has grown was lost since the last call. Call each second. */
void memory_statistics(struct memory *m, const struct vigil_stats *now);
/** Numbers of records that are missing since the last memory_statistics(). One may still wait in the other ring: poll again
 * before believing that it is lost. */
uint64_t memory_missing(const struct memory *m);

/** Records from before @p ns were numbered for somebody else, who has taken some of them: none of those is missing here. */
void memory_begin_at(struct memory *m, uint64_t ns);

/** Gives @p note each note that has changed since it was given last: what must be known of database @p id by another memory that
 * begins where this one ends; 0: of all. Their size is the same each time, at most SENSOR_NOTE_BYTES. @return 0, or as @p note */
int memory_notes(struct memory *m, int (*note)(unsigned id, const void *bytes, size_t n, void *userdata),
                 void *userdata);
/** Takes SENSOR_NOTE_BYTES of such a note; zeros are none. */
void memory_remember(struct memory *m, unsigned id, const void *note);

/** Drops what is older than MEMORY_KEPT_NS. Call each second. */
void memory_age(struct memory *m, uint64_t now_ns);

/** Deaths that no episode has taken. */
size_t memory_deaths(const struct memory *m);

/** How full it is: for status. */
struct memory_use {
        size_t bytes;     /* without what is fixed */
        size_t processes; /* kept */
        size_t waiting;   /* deaths that no episode has taken */
        uint64_t dropped; /* deaths, parts of deaths, troubles and removals beyond a bound */
};
struct memory_use memory_use(const struct memory *m);
