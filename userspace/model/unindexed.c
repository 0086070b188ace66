/* unindexed.c - committed frames of a WAL that no recovery finds, where no -shm counts them: with locking_mode EXCLUSIVE the index is
 * in the memory of who died. What was seen of the writing counts them, too. */
#include <errno.h>
#include <stdlib.h>

#include "engine/wal.h"
#include "model/model_private.h"

/* The last commit of the account is the one that stands behind the frame without salts: it was written to its end, and nothing has
 * begun the log anew since. */
static bool lacks_commits(const struct model_use *u)
{
        const struct vigil_observed *o = u->observed;

        if (!o || o->error || !(o->flags & VIGIL_OBS_WAL_BEHIND) || !u->db || u->recovered)
                return false;
        uint64_t frame = WAL_FRAME_HEADER_LEN + (uint64_t)o->page_size;
        return u->db->wal_commit_end == WAL_HEADER_LEN + o->shm_max_frame * frame;
}

static int mark(struct model_use *u)
{
        struct vigil_observed *o = model_copy(u->observed, sizeof(*o));

        if (!o)
                return -ENOMEM;
        o->flags |= VIGIL_OBS_WAL_UNREADABLE;
        free((void *)u->observed);
        u->observed = o;
        return 0;
}

int unindexed_settle(struct model *m)
{
        int r = 0;

        for (size_t i = 0; i < m->ndeaths; i++)
                for (uint32_t k = 0; r == 0 && k < m->death[i]->nuses; k++)
                        if (lacks_commits(&m->death[i]->use[k]))
                                r = mark(&m->death[i]->use[k]);
        return r;
}
