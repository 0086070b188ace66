/* episode.h - one burst of deaths or storage errors, judged as a stream of its own. Layer: daemon.
 *
 * The model knows one stream that ends; a watch does not end. So each burst becomes a short stream, composed of what the memory
 * kept: session, probes, databases, processes, signals, the deaths or the failed operations, what the files look like, who
 * lives, the accounts, the losses since the oldest of its processes began to take part. Model and verdicts are those of `vigil
 * exec`; the ids of certificates are those that any other watch of the same death gives. */
#pragma once

#include "daemon/memory.h"
#include "detect/detect.h"

#define EPISODE_DEATHS  256               /* at most; the rest is the next episode */
#define EPISODE_WAIT_NS (20ull * 1000000) /* so long a death waits for its databases to be told of */
#define EPISODE_PAUSE_NS                                                                                           \
        (1000ull * 1000000) /* so long troubles wait after others of their kind on the same database … */
#define EPISODE_PAUSE_MAX_NS                                                                                       \
        (60ull * 1000000000) /* … and as long as they go on, each time twice as long, up to this */

struct episode;

/**
 * Takes the deaths that are whole and the troubles that are due out of the memory; what was taken of a database is in it, once it
 * has waited for what may go with it, and when somebody dies who relied on it.
 *
 * @param ret_wait_ms  with 0: when to ask again; 0: nothing waits
 * @return 1 with @p ret set; 0 nothing yet; -ENOMEM. @p m must outlive the episode.
 */
int episode_begin(struct memory *m, uint64_t now_ns, struct episode **ret, unsigned *ret_wait_ms);

/** Databases whose files somebody should look at: those that a dead process wrote, held or had open. Kernel ids; valid as long
 * as the episode. @return how many */
size_t episode_looks(const struct episode *e, const uint32_t **ret_dbs);
/** What had been done to one of them when it was looked at; before episode_observed(). @return 0 or -ENOMEM */
int episode_account(struct episode *e, const struct vigil_db *account);
/** What they look like now; of a database that nobody looked at, the account alone tells. The header may be zero, `id` is
 * filled in. @return 0 or -ENOMEM */
int episode_observed(struct episode *e, uint32_t db, const struct vigil_observed *o);

/** Adds a VIGIL_LIVE or VIGIL_LEDGER record; one that is of no database of the episode is left out. Of errors in an account
 * that an earlier episode has told of, nothing is told again. @return 0 or -ENOMEM */
int episode_add(struct episode *e, const struct vigil_hdr *record);

/**
 * Ends the stream: living participants, accounts and counters, as the kernel has them now. Poll right before, and while
 * memory_missing() says so, up to three times more: who has died meanwhile is taken for somebody who outlived these deaths.
 *
 * @param s  NULL: what episode_add() and memory_statistics() were given is all there is
 * @return 0; -errno: something could not be read or kept. What there is can be judged all the same, and should be.
 */
int episode_complete(struct episode *e, struct sensor *s);

/** Model and verdicts of a complete episode; valid as long as the episode. @return 0 or -ENOMEM */
int episode_judge(struct episode *e, const struct detection **ret);

/** It died before this episode, which needs only what its files looked like: its certificate is no news. */
bool episode_is_past(const struct episode *e, const struct vigil_ident *id);
/** Whether a finding on database @p db is to be told: what was taken is told once, and not before it has waited. */
bool episode_is_news(const struct episode *e, uint32_t db, const struct finding *f);
/** It was told. @return true: it was one of a file that was taken */
bool episode_told(const struct episode *e, uint32_t db, const struct finding *f);

/** Writes what happened last to its databases, and the episode, as a recording: `vigil replay` gives the same certificates and
 * findings. @return 0 or -errno as recording_create() and recording_append() */
int episode_record(const struct episode *e, const char *path);

/** Keeps it in the directory of an incident: the first one as recording.vigil, whatever comes later, the newest one alone, as
 * recording-last.vigil. Each is there whole or not at all. @return 0 or -errno as episode_record() */
int episode_keep(const struct episode *e, const char *directory);

void episode_free(struct episode *e);
