#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "hold.h"

static int on_commit(void *arg)
{
        struct driver *d = arg;
        d->commits_pending++;
        return 0;
}

static void on_rollback(void *arg)
{
        struct driver *d = arg;
        d->commits_pending = 0;
}

int driver_open(struct driver *d)
{
        if (d->db)
                return SQLITE_OK;
        int rc = sqlite3_open_v2(d->path, &d->db, d->flags, NULL);
        if (rc != SQLITE_OK)
                return rc;
        sqlite3_busy_timeout(d->db, 30000);
        sqlite3_commit_hook(d->db, on_commit, d);
        sqlite3_rollback_hook(d->db, on_rollback, d);
        return SQLITE_OK;
}

int driver_sql(struct driver *d, const char *sql)
{
        int rc = driver_open(d);
        if (rc != SQLITE_OK)
                return rc;

        rc = sqlite3_exec(d->db, sql, NULL, NULL, NULL);
        /* The hook runs before the commit: only a success of the statement acknowledges it. */
        if (rc == SQLITE_OK)
                d->commits += d->commits_pending;
        d->commits_pending = 0;
        return rc;
}

static int step_open(struct driver *d, char **args, struct steps block)
{
        static const struct {
                const char *name;
                int flags;
        } modes[] = {
                {"rw", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE},
                {"ro", SQLITE_OPEN_READONLY},
                {"uri", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI},
        };
        (void)block;

        for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
                if (strcmp(modes[i].name, args[0]) != 0)
                        continue;
                d->flags = modes[i].flags;
                return driver_open(d);
        }
        return -EINVAL;
}

static int step_close(struct driver *d, char **args, struct steps block)
{
        (void)args;
        (void)block;

        int rc = sqlite3_close(d->db);
        if (rc == SQLITE_OK)
                d->db = NULL;
        return rc;
}

static int step_checkpoint(struct driver *d, char **args, struct steps block)
{
        static const char *const modes[] = {
                [SQLITE_CHECKPOINT_PASSIVE] = "passive",
                [SQLITE_CHECKPOINT_FULL] = "full",
                [SQLITE_CHECKPOINT_RESTART] = "restart",
                [SQLITE_CHECKPOINT_TRUNCATE] = "truncate",
        };
        (void)block;

        int rc = driver_open(d);
        if (rc != SQLITE_OK)
                return rc;
        for (int i = 0; i < 4; i++)
                if (strcmp(modes[i], args[0]) == 0)
                        return sqlite3_wal_checkpoint_v2(d->db, NULL, i, NULL, NULL);
        return -EINVAL;
}

static int step_hold(struct driver *d, char **args, struct steps block)
{
        (void)block;

        int rc = driver_open(d);
        return rc == SQLITE_OK ? hold_at(d->db, args[0], strtoul(args[1], NULL, 10), args[2]) : rc;
}

const struct command data_commands[] = {
        {"@open", 1, STEP_PLAIN, step_open},
        {"@close", 0, STEP_PLAIN, step_close},
        {"@checkpoint", 1, STEP_PLAIN, step_checkpoint},
        {"@hold", 3, STEP_PLAIN, step_hold},
        {NULL, 0, STEP_PLAIN, NULL},
};
