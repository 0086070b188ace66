/* memory.h - what a daemon must still know when a process dies: bounded, whatever comes. Layer: daemon.
 *
 * Everything is kept as records, re-headed as made by user space (cpu VIGIL_CPU_USER, time kept), so that an episode composed of
 * them has no holes in its sequence numbers; holes of the real stream are counted here and told in the episode's VIGIL_STATS. */
#pragma once

#include "bpf/abi.h"
#include "sensor/sensor.h"

#define MEMORY_PROCESSES                                                                                           \
        4096                /* living, and those of the last minute; as long as argv and exe are, not 2 KiB each */
#define MEMORY_SIGNALS 1024 /* VIGIL_SIGNAL and VIGIL_OOM of the last 60 s */
#define MEMORY_RECENT  (2u << 20) /* bytes of raw records: the last seconds, for the evidence */
#define MEMORY_MARKS   64         /* (time, counters of loss): from when on something may be missing */

struct memory;
struct memory *memory_new(const struct vigil_session *session, bool redact_argv); /* NULL: out of memory */
void memory_free(struct memory *m);

/** What became of a record. */
enum memory_news { MEMORY_NOTHING, MEMORY_IN_USE, MEMORY_DEATH, MEMORY_DEATH_PART, MEMORY_TROUBLE, MEMORY_PATHOP };
/**
 * Takes one record of the stream, valid or not. @param ret_db  the database it speaks of; 0: none
 * @return enum memory_news; -ENOMEM. MEMORY_IN_USE: a process began to use a database: its state may be dirty from now on.
 */
int memory_take(struct memory *m, const struct vigil_hdr *record, uint32_t *ret_db);

/** A database came under watch (its VIGIL_DATABASE record also comes by itself) or was swept. */
void memory_forget_database(struct memory *m, uint32_t db);
/** The counters now; noted when one of them has grown. */
void memory_statistics(struct memory *m, const struct vigil_stats *now);
/** Drops what is older than its time. Call each second. */
void memory_age(struct memory *m, uint64_t now_ns);
size_t memory_bytes(const struct memory *m);
