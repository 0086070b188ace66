/* readers.c - see readers.h. */
#include "daemon/readers.h"

#define AT_WORK                                                                                                    \
        (VIGIL_LOCK_RESERVED | VIGIL_LOCK_PENDING | VIGIL_LOCK_EXCLUSIVE | VIGIL_LOCK_WAL_WRITE |                  \
         VIGIL_LOCK_WAL_CKPT | VIGIL_LOCK_WAL_RECOVER)

bool reader_counts(const struct vigil_use *u, uint64_t since_ns)
{
        const uint32_t not_its_own = VIGIL_USE_SEEN_LATE | VIGIL_USE_INHERITED;

        return u->first_ns > since_ns && u->flags & VIGIL_USE_OPENED && u->flags & VIGIL_USE_LOCKED &&
               !(u->flags & not_its_own) && !((u->locks | u->locks_at_end) & AT_WORK);
}

bool reader_could_recover(uint32_t use_flags, const struct vigil_observed *o)
{
        return use_flags & (o->flags & VIGIL_OBS_WAL ? VIGIL_USE_SHM_WRITABLE : VIGIL_USE_MAIN_WRITABLE);
}

bool closer_counts(const struct vigil_use *u, const struct vigil_db *now)
{
        return u->flags & VIGIL_USE_OPENED && u->flags & VIGIL_USE_LOCKED && !(u->flags & VIGIL_USE_INHERITED) &&
               !((u->locks | u->locks_at_end) & AT_WORK) && !now->users;
}

bool reader_is_refuted(const struct vigil_db *then, const struct vigil_db *now)
{
        const uint32_t taken = VIGIL_DB_WAL_TAKEN | VIGIL_DB_JOURNAL_TAKEN | VIGIL_DB_MAIN_TAKEN;

        return now->journal_hot || now->flags & ~then->flags & taken;
}

bool reader_is_confirmed(const struct vigil_observed *o)
{
        return !o->error && o->flags & VIGIL_OBS_MAIN && o->flags & VIGIL_OBS_SQLITE &&
               (!(o->flags & VIGIL_OBS_JOURNAL_HOT) || o->flags & VIGIL_OBS_JOURNAL_STALE);
}

bool closer_is_confirmed(const struct vigil_observed *o)
{
        return reader_is_confirmed(o) && !(o->flags & VIGIL_OBS_WAL);
}
