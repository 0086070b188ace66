/* read_only.c - the store is asked: nothing of it is changed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "store/aside.h"
#include "store/private.h"
#include "store/schema.h"

static pid_t reader;

/* SQLite as root gives a journal that it merely looks into the owner of its database. That is a write: on a disk that hangs, a
 * question would hang, too. Whoever writes is another process, and is not concerned. */
static int give_nothing(int fd, uid_t uid, gid_t gid)
{
        return getpid() == reader ? 0 : fchown(fd, uid, gid);
}

static void only_read(void)
{
        sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

        if (!reader && vfs && vfs->iVersion >= 3 && vfs->xSetSystemCall)
                vfs->xSetSystemCall(vfs, "fchown", (sqlite3_syscall_ptr)give_nothing);
        reader = getpid();
}

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

int store_open_to_read(const char *dir, unsigned patience_ms, struct store **ret)
{
        _cleanup_free_ char *path = NULL;
        struct store *s = calloc(1, sizeof(*s));
        if (!s || asprintf(&path, "%s/%s", dir, STORE_FILE) < 0) {
                free(s);
                return -ENOMEM;
        }
        s->seen = -1;
        only_read();
        int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
        int rc = sqlite3_open_v2(path, &s->db, flags, NULL);
        int r = store_error(s->db, rc);
        if (r == 0) {
                store_set_patience(s, patience_ms);
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
