/* keeper_read.c - the store as questions of the monitor see it: see keeper.h. */
#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/keeper.h"
#include "daemon/keeper_private.h"
#include "daemon/scribe.h"

/* A question of the monitor waits so long for a commit, and is not asked once the child that commits has taken longer than a second:
 * then it is the disk. */
#define READ_PATIENCE_MS 250
#define READ_SILENT_NS   1000000000ull
/* Where it cannot be read, that is tried again after so long. */
#define READ_RETRY_NS 1000000000ull

int keeper_open_to_read(struct keeper *k)
{
        store_close(TAKE_PTR(k->store));
        k->read_ns = clock_boottime_ns() + READ_RETRY_NS;
        k->read_ino = batch_ino(k->dir);
        return store_open_to_read(k->dir, READ_PATIENCE_MS, &k->store);
}

struct store *keeper_store(struct keeper *k)
{
        if (!k->run.id)
                return k->store;
        if (k->writing && scribe_since(k->scribe, SCRIBE_STORE) > READ_SILENT_NS)
                return NULL;
        if (!k->store && clock_boottime_ns() >= k->read_ns)
                (void)keeper_open_to_read(k);
        if (k->store)
                store_set_patience(k->store, READ_PATIENCE_MS);
        return k->store;
}

bool keeper_will_answer(int error)
{
        return error == -EBUSY || error == -EROFS;
}

int keeper_read_error(struct keeper *k, int error)
{
        bool may_be_the_other = error == -EIO || error == -EUCLEAN || error == -EPROTO;

        if (!may_be_the_other || !k->run.id || batch_ino(k->dir) == k->read_ino)
                return error;
        store_close(TAKE_PTR(k->store));
        k->read_ns = 0;
        return -ENODEV;
}
