/* evidence_private.h - the parts of sensor_evidence(), for its files only. */
#pragma once

#include "sensor/evidence.h"
#include "sensor/internal.h"

/** From the maps: account, waits with their holders, the sync in flight, who stopped it. */
void evidence_kernel(struct sensor *s, struct process_evidence *e);

/** From procfs: threads, counters, cgroup. `sync` and `wait` must be filled: they say which thread tells most.
 * @return 0; -ESRCH it has ended, or its number is another's */
int evidence_proc(struct process_evidence *e);

/** The name of the living process @p id, whose number and start are known, into its comm. */
void evidence_comm(struct vigil_ident *id);
