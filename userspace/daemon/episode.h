/* episode.h - one burst of deaths or storage errors, judged as a stream of its own. Layer: daemon. */
#pragma once

#include "daemon/memory.h"
#include "detect/detect.h"

struct episode;

/** Deaths and troubles that came since the last call and are whole: every VIGIL_EXIT_DB of a death is there, or 20 ms have
 * passed. @return 1 with @p ret set, 0 nothing yet (ask again in @p ret_wait_ms), -ENOMEM */
int episode_begin(struct memory *m, uint64_t now_ns, struct episode **ret, unsigned *ret_wait_ms);
/** Databases that somebody should look at before it is judged: (db, who died), those that left something behind. */
size_t episode_looks(const struct episode *e, const uint32_t **ret_dbs);
void episode_observed(struct episode *e, uint32_t db, const struct vigil_observed *o); /* for every death on it */
/** Adds living participants and accounts of its databases, counters since the earliest death began to take part, the end. */
int episode_complete(struct episode *e, struct sensor *s);
/** Model and verdicts; valid as long as the episode. @return 0 or -ENOMEM */
int episode_judge(struct episode *e, const struct detection **ret);
/** Writes the last seconds and this episode as a recording that vigil replay takes. @return 0 or -errno */
int episode_record(const struct episode *e, const char *path);
void episode_free(struct episode *e);
