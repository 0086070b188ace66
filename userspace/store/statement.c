/* statement.c - statements: prepared once, bound by value, their errors told as -errno. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "store/private.h"

static const struct {
        int rc, error;
} errors[] = {
        {SQLITE_OK, 0},
        {SQLITE_ROW, 0},
        {SQLITE_DONE, 0},
        {SQLITE_BUSY, -EBUSY},
        {SQLITE_LOCKED, -EBUSY},
        {SQLITE_FULL, -ENOSPC},
        {SQLITE_READONLY, -EROFS},
        {SQLITE_CORRUPT, -EUCLEAN},
        {SQLITE_NOTADB, -EUCLEAN},
        {SQLITE_NOMEM, -ENOMEM},
        {SQLITE_CONSTRAINT, -EINVAL},
        {SQLITE_MISMATCH, -EINVAL},
        {SQLITE_TOOBIG, -E2BIG},
        {SQLITE_INTERRUPT, -ETIME},
        {SQLITE_PERM, -EACCES},
        {SQLITE_AUTH, -EACCES},
        {SQLITE_ERROR, -EPROTO}, /* no such table or column: somebody changed the schema under us */
};

int store_error(sqlite3 *db, int rc)
{
        for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
                if ((rc & 0xff) == errors[i].rc)
                        return errors[i].error;
        /* Of a failed write, errno is gone by now: SQLite has rolled back since. */
        int system = (rc & 0xff) == SQLITE_CANTOPEN && db ? sqlite3_system_errno(db) : 0;
        return system > 0 ? -system : -EIO;
}

/* One bad value concerns its row; after anything else, SQLite may have rolled back already, and what follows would be committed
 * without what went before. */
static int note(struct store *s, int r)
{
        if (r < 0 && s->begun && !s->failed && r != -EINVAL && r != -E2BIG && r != -ETIME)
                s->failed = r;
        return r;
}

void store_time(char ret[STORE_TIME_LEN], int64_t ns)
{
        time_t seconds = (time_t)(ns / 1000000000);
        struct tm tm;
        if (!gmtime_r(&seconds, &tm) || strftime(ret, STORE_TIME_LEN, "%Y-%m-%d %H:%M:%S", &tm) == 0)
                strcpy(ret, "1970-01-01 00:00:00");
}

int64_t store_now(void)
{
        return (int64_t)clock_boottime_ns() + clock_realtime_offset_ns();
}

static int bind_text(sqlite3_stmt *stmt, int i, const char *text)
{
        size_t n = strlen(text);
        if (text_is_utf8(text, n))
                return sqlite3_bind_text64(stmt, i, text, n, SQLITE_TRANSIENT, SQLITE_UTF8);
        json_t *clean = text_json(text, n);
        if (!clean)
                return SQLITE_NOMEM;
        int rc = sqlite3_bind_text64(stmt, i, json_string_value(clean), json_string_length(clean), SQLITE_TRANSIENT,
                                     SQLITE_UTF8);
        json_decref(clean);
        return rc;
}

static int bind_json(sqlite3_stmt *stmt, int i, const json_t *json)
{
        char *text = json ? json_dumps(json, JSON_COMPACT) : strdup("{}");
        return text ? sqlite3_bind_text64(stmt, i, text, strlen(text), free, SQLITE_UTF8) : SQLITE_NOMEM;
}

static int bind_time(sqlite3_stmt *stmt, int i, int64_t ns)
{
        char text[STORE_TIME_LEN];
        if (ns == 0)
                return sqlite3_bind_null(stmt, i);
        store_time(text, ns);
        return sqlite3_bind_text(stmt, i, text, -1, SQLITE_TRANSIENT);
}

static int bind(sqlite3_stmt *stmt, int i, const struct value *v)
{
        switch (v->kind) {
        case VALUE_TEXT:
                return v->p ? bind_text(stmt, i, v->p) : sqlite3_bind_null(stmt, i);
        case VALUE_INT:
                return sqlite3_bind_int64(stmt, i, v->n);
        case VALUE_REAL:
                return sqlite3_bind_double(stmt, i, v->r);
        case VALUE_TIME:
                return bind_time(stmt, i, v->n);
        case VALUE_JSON:
                return bind_json(stmt, i, v->p);
        case VALUE_BLOB:
                return sqlite3_bind_blob64(stmt, i, v->p, v->size, SQLITE_TRANSIENT);
        }
        return SQLITE_MISUSE;
}

static int prepare(struct store *s, const char *sql, sqlite3_stmt **ret)
{
        for (size_t i = 0; i < s->nkept; i++)
                if (s->kept[i].sql == sql) {
                        *ret = s->kept[i].stmt;
                        return SQLITE_OK;
                }
        int rc = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);
        if (rc == SQLITE_OK && s->nkept < STORE_STATEMENTS) {
                s->kept[s->nkept].sql = sql;
                s->kept[s->nkept++].stmt = *ret;
        }
        return rc;
}

void store_done(struct store *s, sqlite3_stmt *stmt)
{
        for (size_t i = 0; i < s->nkept; i++)
                if (s->kept[i].stmt == stmt) {
                        sqlite3_reset(stmt);
                        sqlite3_clear_bindings(stmt);
                        return;
                }
        sqlite3_finalize(stmt);
}

int store_ask(struct store *s, const char *sql, const struct value *values, size_t n, sqlite3_stmt **ret)
{
        if (s->failed)
                return s->failed;
        sqlite3_stmt *stmt = NULL;
        int rc = prepare(s, sql, &stmt);
        for (size_t i = 0; i < n && rc == SQLITE_OK; i++)
                rc = bind(stmt, (int)i + 1, &values[i]);
        if (rc != SQLITE_OK) {
                int r = note(s, store_error(s->db, rc));
                store_done(s, stmt);
                return r;
        }
        *ret = stmt;
        return 0;
}

int store_next(struct store *s, sqlite3_stmt *stmt)
{
        int rc = sqlite3_step(stmt);
        return rc == SQLITE_ROW ? 1 : note(s, store_error(s->db, rc));
}

int store_run(struct store *s, const char *sql, const struct value *values, size_t n)
{
        sqlite3_stmt *stmt = NULL;
        int r = store_ask(s, sql, values, n, &stmt);
        if (r < 0)
                return r;
        r = store_next(s, stmt);
        store_done(s, stmt);
        return r < 0 ? r : 0;
}

const char *store_text(sqlite3_stmt *stmt, int column)
{
        const char *text = (const char *)sqlite3_column_text(stmt, column);
        return text ? text : "";
}

json_t *store_object(sqlite3_stmt *stmt, int column)
{
        json_t *o = json_loads(store_text(stmt, column), JSON_ALLOW_NUL, NULL);
        if (json_is_object(o))
                return o;
        json_decref(o);
        return json_object();
}

int store_number(struct store *s, const char *sql, int64_t *ret)
{
        sqlite3_stmt *stmt = NULL;
        int r = store_ask(s, sql, NULL, 0, &stmt);
        if (r < 0)
                return r;
        r = store_next(s, stmt);
        if (r == 1)
                *ret = sqlite3_column_int64(stmt, 0);
        store_done(s, stmt);
        return r == 1 ? 0 : r == 0 ? -ENOENT : r;
}
