/* evidence_private.h - the parts of sensor_evidence(), for its files only. */
#pragma once

#include "sensor/evidence.h"
#include "sensor/internal.h"
#include "sensor/proclocks.h"

/** The locks of the host, read when somebody waits, once for all. */
struct lock_list {
        struct proc_lock *lock;
        size_t n;
        uint64_t ns; /* when they were read; 0: not yet */
        bool cut;    /* or not readable: what is not in it may be held all the same */
};
void lock_list_done(struct lock_list *l);

/** The waits of @p o, which is that of @p e->id, with their holders. */
void evidence_waits(struct sensor *s, struct process_evidence *e, const struct obstacle *o, struct lock_list *l);

/** From the maps: account, waits with their holders, the sync in flight, who stopped it. */
void evidence_kernel(struct sensor *s, struct process_evidence *e);

/** From procfs: threads, counters, cgroup. `sync` and `wait` must be filled: they say which thread tells most.
 * @return 0; -ESRCH it has ended, or its number is another's */
int evidence_proc(struct sensor *s, struct process_evidence *e);

/** What it waits for, if it sleeps; `state` and `tid` must be filled. */
void evidence_sleep_fill(struct process_evidence *e);

/** What thread @p tid of process @p tgid sleeps for. SLEEP_NONE: it runs, or that cannot be read.
 * @param ret_socket   inode of the socket it waits on; untouched where it does not, or NULL
 * @param ret_endless  it waits for another thread, for as long as that takes; NULL */
enum sleep_kind evidence_thread_sleep(uint32_t tgid, uint32_t tid, uint64_t *ret_socket, bool *ret_endless);

/** The process of this number is still @p id, and has not ended. */
bool evidence_lives(const struct vigil_ident *id);

/** The name of the living process @p id, whose number and start are known, into its comm. */
void evidence_comm(struct vigil_ident *id);
