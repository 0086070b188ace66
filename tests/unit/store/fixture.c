/* fixture.c - see fixture.h. */
#include "fixture.h"

#include <check.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];
static pid_t owner;

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
        (void)st, (void)kind, (void)ftw;
        return remove(path);
}

static void remove_root(void)
{
        if (getpid() == owner)
                nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* Before Check forks the tests: a failed one leaves nothing behind. */
static void __attribute__((constructor)) make_root(void)
{
        owner = getpid();
        snprintf(root, sizeof(root), "/var/tmp/vigil-store-XXXXXX");
        if (!mkdtemp(root))
                abort();
        atexit(remove_root);
}

const char *state(void)
{
        static char directory[96];
        if (directory[0] == '\0') {
                snprintf(directory, sizeof(directory), "%s/%d", root, (int)getpid());
                ck_assert_int_eq(mkdir(directory, 0700), 0);
        }
        return directory;
}

const char *in_state(const char *name)
{
        static char paths[8][256];
        static unsigned next;
        char *path = paths[next++ % 8];
        snprintf(path, sizeof(paths[0]), "%s/%s", state(), name);
        return path;
}

struct store *opened(enum store_opened *ret_how)
{
        struct store *s;
        enum store_opened how;
        char *aside;
        ck_assert_int_eq(store_open(state(), false, &s, &how, &aside), 0);
        free(aside);
        if (ret_how)
                *ret_how = how;
        return s;
}

struct store_incident an_incident(const char *id)
{
        return (struct store_incident){.id = id,
                                       .code = "unclean-death",
                                       .severity = "P1",
                                       .status = "firing",
                                       .database = "persistence",
                                       .path = "/srv/app.db",
                                       .summary = "node died in a transaction",
                                       .started_ns = T0};
}

void put_incident(struct store *s, const char *id, const char *status)
{
        struct store_incident i = an_incident(id);
        i.status = status;
        i.resolved_ns = status[0] == 'r' ? T0 + 60 * SECOND : 0;
        ck_assert_int_eq(store_begin(s), 0);
        ck_assert_int_eq(store_put_incident(s, &i), 0);
        ck_assert_int_eq(store_commit(s), 0);
}

const json_t *incident_of(struct store *s, const char *id, json_t **ret_document)
{
        ck_assert_int_eq(store_incidents(s, &(struct store_query){.id = id}, ret_document), 0);
        const json_t *list = json_object_get(*ret_document, "incidents");
        ck_assert_uint_eq(json_array_size(list), 1);
        return json_array_get(list, 0);
}

struct sqlite3 *other(const char *sql)
{
        sqlite3 *db;
        ck_assert_int_eq(sqlite3_open(in_state("vigil.db"), &db), SQLITE_OK);
        ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        return db;
}

void shell(const char *sql, char *ret, size_t size)
{
        sqlite3 *db;
        sqlite3_stmt *stmt;
        ck_assert_int_eq(sqlite3_open(in_state("vigil.db"), &db), SQLITE_OK);
        ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
        int rc = sqlite3_step(stmt);
        if (ret) {
                ck_assert_int_eq(rc, SQLITE_ROW);
                const unsigned char *text = sqlite3_column_text(stmt, 0);
                snprintf(ret, size, "%s", text ? (const char *)text : "(null)");
        }
        ck_assert(rc == SQLITE_ROW || rc == SQLITE_DONE);
        sqlite3_finalize(stmt);
        sqlite3_close(db);
}

long long shell_number(const char *sql)
{
        char text[64];
        shell(sql, text, sizeof(text));
        return atoll(text);
}
