/* read_only.c - the store is asked while no daemon runs: nothing of it is changed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "store/aside.h"
#include "store/private.h"
#include "store/schema.h"

#define PATIENCE_MS 2000

static int identify(struct store *s)
{
        int64_t id = 0, version = 0;
        int r = store_number(s, "PRAGMA application_id", &id);
        if (r == 0)
                r = store_number(s, "PRAGMA user_version", &version);
        if (r < 0)
                return r;
        if (id != SCHEMA_APPLICATION_ID)
                return -EUCLEAN;
        return version == STORE_VERSION ? 0 : -EPROTONOSUPPORT;
}

int store_open_to_read(const char *dir, struct store **ret)
{
        _cleanup_free_ char *path = NULL;
        struct store *s = calloc(1, sizeof(*s));
        if (!s || asprintf(&path, "%s/%s", dir, STORE_FILE) < 0) {
                free(s);
                return -ENOMEM;
        }
        s->seen = -1;
        int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
        int rc = sqlite3_open_v2(path, &s->db, flags, NULL);
        int r = store_error(s->db, rc);
        if (r == 0) {
                sqlite3_busy_timeout(s->db, PATIENCE_MS);
                sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
                sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, STORE_ROW_BYTES);
                r = identify(s);
        }
        if (r < 0) {
                store_close(s);
                return r;
        }
        *ret = s;
        return 0;
}
