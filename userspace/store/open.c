/* open.c - vigil.db is opened, made, migrated or set aside. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "store/aside.h"
#include "store/private.h"
#include "store/schema.h"

#define OPEN_PATIENCE_MS 2000

/* temp_store: a monitor needs no other writable directory. journal_size_limit: what the journal keeps allocated after a large
 * transaction; it is also what lets a full disk take the next small one. */
static const char settings[] = "PRAGMA synchronous = FULL;"
                               "PRAGMA journal_size_limit = 1048576;"
                               "PRAGMA cache_size = -1024;"
                               "PRAGMA temp_store = MEMORY;";

/* The file exists afterwards, 0600, or it existed. SQLite gives the journal the same mode. */
static int make_file(int dirfd, bool *ret_made)
{
        struct stat st;
        if (faccessat(dirfd, ".", W_OK | X_OK, AT_EACCESS) < 0)
                return -errno;
        int fd = openat(dirfd, STORE_FILE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0) {
                *ret_made = true;
                int r = fsync(dirfd) < 0 ? -errno : 0;
                close(fd);
                return r;
        }
        if (errno != EEXIST)
                return -errno;
        /* Not opened here: to close a descriptor would take the locks of another connection of this process. */
        if (fstatat(dirfd, STORE_FILE, &st, 0) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
        return faccessat(dirfd, STORE_FILE, R_OK | W_OK, AT_EACCESS) < 0 ? -errno : 0;
}

/* @return 0 with the version, 0 for an empty file, or -errno */
static int identify(struct store *s, int *ret_version)
{
        int64_t id = 0, version = 0, tables = 0;
        int r = store_number(s, "PRAGMA application_id", &id);
        if (r == 0)
                r = store_number(s, "PRAGMA user_version", &version);
        if (r == 0)
                r = store_number(s, "SELECT count(*) FROM sqlite_schema", &tables);
        if (r < 0)
                return r;
        if (id != SCHEMA_APPLICATION_ID && (id || version || tables))
                return -EEXIST;
        if (version > STORE_VERSION)
                return -EPROTONOSUPPORT;
        if (version < 0 || (id == SCHEMA_APPLICATION_ID && version == 0))
                return -EUCLEAN;
        *ret_version = (int)version;
        return 0;
}

/* Somebody in a shell may have turned the file to WAL; while he is still there, it cannot be turned back. */
static int set_journal(struct store *s)
{
        sqlite3_stmt *stmt = NULL;
        int r = store_ask(s, "PRAGMA journal_mode = PERSIST", NULL, 0, &stmt);
        if (r < 0)
                return r;
        r = store_next(s, stmt);
        if (r == 1)
                r = strcmp(store_text(stmt, 0), "persist") == 0 ? 0 : -EBUSY;
        store_done(s, stmt);
        return r;
}

static int prepare_file(struct store *s, enum store_opened *ret_how)
{
        int version = 0, rc = SQLITE_OK;
        int r = identify(s, &version);
        if (r == 0)
                r = set_journal(s);
        if (r < 0)
                return r;
        rc = sqlite3_exec(s->db, settings, NULL, NULL, NULL);
        if (rc == SQLITE_OK && version < STORE_VERSION)
                rc = schema_migrate(s->db, schema_steps, version, STORE_VERSION);
        if (rc != SQLITE_OK)
                return store_error(s->db, rc);
        rc = schema_verify(s->db);
        if (rc != SQLITE_OK)
                return (rc & 0xff) == SQLITE_ERROR ? -EUCLEAN : store_error(s->db, rc);
        *ret_how = version == 0 ? STORE_NEW : version < STORE_VERSION ? STORE_MIGRATED : STORE_AS_IT_WAS;
        return 0;
}

static int connect_file(const char *path, struct store **ret, enum store_opened *ret_how)
{
        struct store *s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->seen = -1;
        int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
        int rc = sqlite3_open_v2(path, &s->db, flags, NULL);
        int r = store_error(s->db, rc);
        if (r == 0) {
                sqlite3_busy_timeout(s->db, OPEN_PATIENCE_MS);
                sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
                sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, STORE_ROW_BYTES);
                r = sqlite3_db_readonly(s->db, "main") == 1 ? -EROFS : prepare_file(s, ret_how);
        }
        if (r < 0) {
                store_close(s);
                return r;
        }
        sqlite3_busy_timeout(s->db, 0);
        *ret = s;
        return 0;
}

/* One attempt: the file as it is, or a new one. */
static int open_once(int dirfd, const char *path, struct store **ret, enum store_opened *ret_how)
{
        bool made = false;
        int r = make_file(dirfd, &made);
        if (r < 0)
                return r;
        r = connect_file(path, ret, ret_how);
        if (r < 0 && made) {
                /* A disk that is full already leaves no empty file behind. */
                unlinkat(dirfd, STORE_FILE, 0);
                unlinkat(dirfd, STORE_FILE "-journal", 0);
        }
        return r;
}

int store_open(const char *dir, bool checked_corrupt, struct store **ret, enum store_opened *ret_how,
               char **ret_aside)
{
        _cleanup_close_ int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dirfd < 0)
                return -errno;
        _cleanup_free_ char *path = NULL, *name = NULL, *aside = NULL;
        if (asprintf(&path, "%s/%s", dir, STORE_FILE) < 0)
                return -ENOMEM;
        enum store_opened how = STORE_AS_IT_WAS;
        int r = checked_corrupt ? -EUCLEAN : open_once(dirfd, path, ret, &how);
        if (r == -EUCLEAN) {
                r = aside_set(dirfd, &name);
                if (r < 0 && r != -ENOENT)
                        return r;
                if (name && asprintf(&aside, "%s/%s", dir, name) < 0)
                        return -ENOMEM;
                r = open_once(dirfd, path, ret, &how);
                how = name ? STORE_SET_ASIDE : how;
        }
        if (r < 0)
                return r;
        *ret_how = how;
        *ret_aside = TAKE_PTR(aside);
        return 0;
}

void store_set_patience(struct store *s, unsigned ms)
{
        sqlite3_busy_timeout(s->db, (int)ms);
}

void store_close(struct store *s)
{
        if (!s)
                return;
        for (size_t i = 0; i < s->nkept; i++)
                sqlite3_finalize(s->kept[i].stmt);
        sqlite3_close(s->db);
        free(s);
}
