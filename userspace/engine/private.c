/* private.c - SQLite on a private copy. */
#include "engine/private.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEAP_LIMIT (512LL << 20)

/* SQLite resolves links to make a path absolute. Ours is meant as it stands. */
static int path_as_it_is(sqlite3_vfs *vfs, const char *name, int size, char *ret)
{
        (void)vfs;
        return snprintf(ret, (size_t)size, "%s", name) < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

static const char *vfs_name(void)
{
        static sqlite3_vfs vfs;
        if (!vfs.zName) {
                vfs = *sqlite3_vfs_find(NULL);
                vfs.zName = "vigil-private";
                vfs.pNext = NULL;
                vfs.xFullPathname = path_as_it_is;
                vfs.mxPathname = PATH_MAX; /* 512 in the one it is made from */
                if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
                        return NULL;
        }
        return vfs.zName;
}

static int harden(sqlite3 *db)
{
        sqlite3_hard_heap_limit64(HEAP_LIMIT);
        sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
        sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
        /* Exclusive: the log is read without a -shm. The cache's size needs the schema, which is read here. */
        static const char settings[] =
                "pragma locking_mode=exclusive; pragma synchronous=off; pragma mmap_size=268435456;"
                "pragma temp_store=memory; pragma cache_size=-65536";
        int rc = sqlite3_exec(db, settings, NULL, NULL, NULL);
        /* No damage: a function that may not be called by a schema that is not trusted, as json_valid() of SQLite 3.38 to 3.40
         * in a CHECK. It is the sandbox that keeps us from harm. */
        if (rc == SQLITE_CORRUPT && strstr(sqlite3_errmsg(db), "unsafe use of")) {
                sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1, NULL);
                rc = sqlite3_exec(db, settings, NULL, NULL, NULL);
        }
        return rc;
}

/* The worker may have no right to walk the real path, so it goes through the descriptor. Where it lives in a file tree of its
 * own (base/jail.h) there is no /proc, but the real path is open to it. */
static int path_to(const struct scratch *s, char *ret, size_t size)
{
        snprintf(ret, size, "/proc/self/fd/%d/" SCRATCH_DB, s->dir);
        if (access(ret, F_OK) == 0)
                return 0;
        return snprintf(ret, size, "%s/" SCRATCH_DB, s->path) < (int)size ? 0 : -1;
}

int private_open(const struct scratch *s, sqlite3 **ret)
{
        char path[PATH_MAX];
        *ret = NULL;
        if (path_to(s, path, sizeof(path)) < 0)
                return SQLITE_CANTOPEN;
        const char *vfs = vfs_name();
        if (!vfs)
                return SQLITE_ERROR;
        int rc = sqlite3_open_v2(path, ret, SQLITE_OPEN_READWRITE | SQLITE_OPEN_PRIVATECACHE, vfs);
        if (rc == SQLITE_OK)
                rc = harden(*ret);
        /* The first read transaction recovers. */
        if (rc == SQLITE_OK)
                rc = sqlite3_exec(*ret, "pragma schema_version", NULL, NULL, NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_wal_checkpoint_v2(*ret, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        return rc;
}

/* A path as a URI: everything that could mean something there is written as its hex code. @return 0, or -1: too long */
static int uri_of(const char *path, char *ret, size_t size)
{
        static const char tail[] = "?mode=ro&immutable=1";
        size_t n = (size_t)snprintf(ret, size, "file:");
        for (; *path && n + sizeof(tail) + 3 <= size; path++) {
                unsigned char c = (unsigned char)*path;
                if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
                    c == '.')
                        ret[n++] = *path;
                else
                        n += (size_t)snprintf(ret + n, size - n, "%%%02x", c);
        }
        if (*path)
                return -1;
        memcpy(ret + n, tail, sizeof(tail));
        return 0;
}

int private_open_finished(const char *path, sqlite3 **ret)
{
        char uri[3 * PATH_MAX];
        *ret = NULL;
        const char *vfs = vfs_name();
        if (!vfs || uri_of(path, uri, sizeof(uri)) < 0)
                return SQLITE_CANTOPEN;
        int rc = sqlite3_open_v2(uri, ret, SQLITE_OPEN_READONLY | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_URI, vfs);
        return rc == SQLITE_OK ? harden(*ret) : rc;
}
