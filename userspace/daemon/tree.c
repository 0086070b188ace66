/* tree.c - see tree.h. */
#include "daemon/tree.h"

#include <errno.h>
#include <fts.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

static FTS *walk_of(const char *path)
{
        char *const roots[] = {(char *)path, NULL};

        return fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
}

uint64_t tree_bytes(const char *path)
{
        FTS *walk = walk_of(path);
        uint64_t sum = 0;

        if (!walk)
                return 0;
        for (FTSENT *e; (e = fts_read(walk));)
                if (e->fts_info == FTS_F)
                        sum += (uint64_t)e->fts_statp->st_size;
        fts_close(walk);
        return sum;
}

int tree_remove(const char *path)
{
        FTS *walk = walk_of(path);
        int r = walk ? 0 : -errno;

        for (FTSENT *e; walk && (e = fts_read(walk));) {
                if (e->fts_info == FTS_D)
                        continue; /* when all below it has gone */
                int failed = e->fts_info == FTS_DP ? rmdir(e->fts_accpath) : unlink(e->fts_accpath);
                if (failed && r == 0)
                        r = -errno;
        }
        if (walk)
                fts_close(walk);
        return r;
}
