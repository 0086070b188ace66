/* transaction.c - all rows between begin and commit, or none; and how large the file is. */
#include <errno.h>

#include "store/private.h"

int store_begin(struct store *s)
{
        if (s->begun)
                return -EALREADY;
        int r = store_run(s, "BEGIN IMMEDIATE", NULL, 0);
        s->begun = r == 0;
        return r;
}

static void end(struct store *s)
{
        s->begun = false;
        s->failed = 0;
        /* After some errors (a full disk) SQLite has rolled back by itself. */
        if (!sqlite3_get_autocommit(s->db))
                store_run(s, "ROLLBACK", NULL, 0);
}

int store_commit(struct store *s)
{
        if (!s->begun)
                return -EINVAL;
        int r = s->failed ? s->failed : store_run(s, "COMMIT", NULL, 0);
        end(s);
        return r;
}

void store_rollback(struct store *s)
{
        end(s);
}

uint64_t store_bytes(struct store *s)
{
        int64_t pages = 0, size = 0;
        if (store_number(s, "PRAGMA page_count", &pages) < 0 || store_number(s, "PRAGMA page_size", &size) < 0)
                return 0;
        return (uint64_t)pages * (uint64_t)size;
}
