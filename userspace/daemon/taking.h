/* taking.h - what an episode takes out of the memory; for episode.c. Layer: daemon. */
#pragma once

#include "daemon/episode.h"
#include "daemon/memory_private.h"

/* Each leaves what must still wait, and lowers *wait_ms, unless it is 0, to when to ask again. */

/* Deaths that are whole, or have waited long enough: linked, at most EPISODE_DEATHS. */
struct death *take_deaths(struct memory *m, uint64_t now_ns, unsigned *wait_ms);

/* Undoes take_deaths(). */
void put_deaths_back(struct memory *m, struct death *deaths);

/* Troubles of the databases that have one that is due, into @ret, which has room for all.
 * @return how many, or -ENOMEM with nothing taken */
int take_troubles(struct memory *m, uint64_t now_ns, struct trouble *ret, unsigned *wait_ms);
