/* leftover.c - see leftover.h. */
#include "daemon/leftover.h"

/* Who holds one of these is in a write transaction, a checkpoint or a recovery: what looks unfinished is his. */
#define AT_WORK                                                                                                    \
        (VIGIL_LOCK_RESERVED | VIGIL_LOCK_PENDING | VIGIL_LOCK_EXCLUSIVE | VIGIL_LOCK_WAL_WRITE |                  \
         VIGIL_LOCK_WAL_CKPT | VIGIL_LOCK_WAL_RECOVER)

static bool has(const struct vigil_observed *o, uint32_t flag)
{
        return (o->flags & flag) != 0;
}

bool leftover_tells(const struct vigil_observed *o, const struct leftover_users *u, const char **ret)
{
        if (o->error || !has(o, VIGIL_OBS_MAIN) || !has(o, VIGIL_OBS_SQLITE) || u->locks & AT_WORK || u->known)
                return false;
        if (has(o, VIGIL_OBS_JOURNAL_HOT) && !has(o, VIGIL_OBS_JOURNAL_STALE)) {
                *ret = "a transaction was cut short while nobody watched";
                return true;
        }
        bool unfinished = o->wal_tail_frames > 0 || has(o, VIGIL_OBS_WAL_TORN);
        if (has(o, VIGIL_OBS_WAL_HEADER) && unfinished && (u->n == 0 || u->writer_gone)) {
                *ret = u->writer_gone
                               ? "a write transaction ended without a commit while nobody watched, and its "
                                 "process is gone"
                               : "a write transaction was cut short while nobody watched, or its process died "
                                 "after a rollback";
                return true;
        }
        return false;
}
