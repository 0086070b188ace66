/* unindexed.c - committed frames of a WAL that no recovery finds, where the -shm does not count them: with locking_mode EXCLUSIVE there
 * is none, and who opens the database next makes it anew. What was seen of the writing counts them, too. */
#include <errno.h>
#include <stdlib.h>

#include "engine/wal.h"
#include "model/model_private.h"

/* A commit frame of the log stands behind a frame without salts. Without a -shm it must be the last of the account: it was written to
 * its end, and nothing has begun the log anew since. Where there is one, its maker has read the log only up to that frame. */
static uint32_t committed(const struct vigil_db *db, const struct vigil_observed *o, bool recovered)
{
        uint64_t frame = WAL_FRAME_HEADER_LEN + (uint64_t)o->page_size;
        uint64_t frames = db->wal_commit_end > WAL_HEADER_LEN ? (db->wal_commit_end - WAL_HEADER_LEN) / frame : 0;

        if (o->error || !(o->flags & VIGIL_OBS_WAL_BEHIND) || o->flags & VIGIL_OBS_WAL_UNREADABLE ||
            db->wal_commit_end <= o->wal_commit_end)
                return 0;
        return o->flags & VIGIL_OBS_SHM || (frames == o->shm_max_frame && !recovered) ? (uint32_t)frames : 0;
}

static int look_again(struct model_use *u)
{
        const struct vigil_observed *seen = u->observed ? u->observed : u->late;
        uint32_t frames = seen && u->db ? committed(u->db, seen, u->recovered == 1) : 0;

        if (!frames)
                return 0;
        struct vigil_observed *o = model_copy(seen, sizeof(*o));
        if (!o)
                return -ENOMEM;
        o->flags |= VIGIL_OBS_WAL_UNREADABLE;
        o->shm_max_frame = frames;
        free((void *)u->observed);
        u->observed = o;
        return 0;
}

int unindexed_settle(struct model *m)
{
        int r = 0;

        for (size_t i = 0; i < m->ndeaths; i++)
                for (uint32_t k = 0; r == 0 && k < m->death[i]->nuses; k++)
                        r = look_again(&m->death[i]->use[k]);
        return r;
}
