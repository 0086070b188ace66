/* jobs_query.c - the worker that asks a database: one statement, proved to read only, bounded in rows, memory and time. */
#include "engine/jobs_work.h"

#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engine/deadline.h"
#include "engine/jobs_rows.h"
#include "engine/private.h"
#include "engine/worker.h"

#define HEAP_LIMIT  (256ll << 20)
#define STEPS       1000 /* of SQLite's machine between two looks at the clock */
#define COLUMNS_MAX 200
#define REASON_LEN  200

/* One run: what it asks, and what became of it. */
struct asking {
        const struct jobs_job *job;
        sqlite3 *db;
        sqlite3_stmt *stmt;
        int column[JOB_FIELDS]; /* -1: none */
        bool varies;            /* it calls a function whose value may change by itself */
        int error;              /* 0 or -errno */
        char reason[REASON_LEN];
};

static int fail(struct asking *a, int error, const char *fmt, const char *what)
{
        a->error = error;
        snprintf(a->reason, sizeof(a->reason), fmt, what); // NOLINT: each format takes one text
        return error;
}

static int fail_sqlite(struct asking *a, int rc)
{
        if (rc == SQLITE_INTERRUPT)
                return fail(a, -ETIME, "the query did not end within its deadline%s", "");
        if ((rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED)
                return fail(a, -EAGAIN, "the database is locked%s", "");
        if ((rc & 0xff) == SQLITE_CANTOPEN || (rc & 0xff) == SQLITE_READONLY || (rc & 0xff) == SQLITE_PROTOCOL)
                return fail(a, -EAGAIN, "the database cannot be opened for reading: %s", sqlite3_errmsg(a->db));
        if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB)
                return fail(a, -EAGAIN, "the database cannot be read: %s", sqlite3_errmsg(a->db));
        return fail(a, -EINVAL, "the query fails: %s", sqlite3_errmsg(a->db));
}

/* ---- what is allowed ---- */

/* Functions of SQLite whose value depends on what they are given, and on nothing else: not on the time, not on chance. */
static const char *const constant[] = {"->",           "->>",         "abs",
                                       "avg",          "ceil",        "ceiling",
                                       "char",         "coalesce",    "concat",
                                       "concat_ws",    "count",       "floor",
                                       "format",       "glob",        "hex",
                                       "group_concat", "ifnull",      "iif",
                                       "instr",        "json",        "json_array",
                                       "json_extract", "json_object", "json_type",
                                       "json_valid",   "json_quote",  "json_array_length",
                                       "length",       "like",        "likelihood",
                                       "likely",       "lower",       "ltrim",
                                       "max",          "min",         "nullif",
                                       "printf",       "quote",       "replace",
                                       "round",        "row_number",  "rtrim",
                                       "sign",         "substr",      "substring",
                                       "sum",          "total",       "trim",
                                       "typeof",       "unicode",     "unlikely",
                                       "upper",        NULL};

static bool is_constant(const char *function)
{
        const char *const *at = constant;

        while (*at && strcasecmp(*at, function) != 0)
                at++;
        return *at != NULL;
}

static int authorize(void *userdata, int action, const char *a, const char *b, const char *c, const char *d)
{
        struct asking *asking = userdata;

        (void)a;
        (void)c;
        (void)d;
        switch (action) {
        case SQLITE_SELECT:
        case SQLITE_READ:
        case SQLITE_RECURSIVE:
                return SQLITE_OK;
        case SQLITE_FUNCTION: /* those of views are asked for, too */
                asking->varies = asking->varies || !b || !is_constant(b);
                return b && strcasecmp(b, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
        default:
                return SQLITE_DENY;
        }
}

static int on_progress(void *userdata)
{
        const struct asking *a = userdata;

        return deadline_over(a->job->deadline);
}

static int confine(struct asking *a)
{
        sqlite3_hard_heap_limit64(HEAP_LIMIT);
        sqlite3_limit(a->db, SQLITE_LIMIT_ATTACHED, 0);
        sqlite3_limit(a->db, SQLITE_LIMIT_COLUMN, COLUMNS_MAX);
        sqlite3_db_config(a->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        sqlite3_db_config(a->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(a->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        sqlite3_db_config(a->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
        int rc = sqlite3_busy_timeout(a->db, 0);
        if (rc == SQLITE_OK) /* a sort must not look for a directory to write to */
                rc = sqlite3_exec(a->db, "pragma temp_store=memory", NULL, NULL, NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_set_authorizer(a->db, authorize, a);
        sqlite3_progress_handler(a->db, STEPS, on_progress, a);
        return rc == SQLITE_OK ? 0 : fail_sqlite(a, rc);
}

/* ---- opening ---- */

/* A path as a URI: everything that could mean something there is written as its hex code. */
static int uri_of(const char *path, const char *tail, char *ret, size_t size)
{
        size_t n = (size_t)snprintf(ret, size, "file:");

        for (; *path && n + strlen(tail) + 4 <= size; path++) {
                unsigned char c = (unsigned char)*path;
                if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/')
                        ret[n++] = *path;
                else
                        n += (size_t)snprintf(ret + n, size - n, "%%%02x", c);
        }
        if (*path)
                return -ENAMETOOLONG;
        strcpy(ret + n, tail);
        return 0;
}

static int open_database(struct asking *a)
{
        const char *tail = a->job->opening == JOBS_OPEN_WAL ? "?mode=ro&readonly_shm=1" : "?mode=ro&immutable=1";
        char uri[3 * PATH_MAX];
        int rc;

        if (a->job->opening == JOBS_OPEN_COPY) {
                rc = private_open(a->job->scratch, &a->db);
        } else {
                if (uri_of(a->job->path, tail, uri, sizeof(uri)) < 0)
                        return fail(a, -ENAMETOOLONG, "its path is too long%s", "");
                rc = sqlite3_open_v2(uri, &a->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_PRIVATECACHE,
                                     NULL);
        }
        return rc == SQLITE_OK ? confine(a) : fail_sqlite(a, rc);
}

/* ---- the statement ---- */

static int find_column(sqlite3_stmt *stmt, const char *name)
{
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
                const char *has = sqlite3_column_name(stmt, i);
                if (has && strcasecmp(has, name) == 0)
                        return i;
        }
        return -1;
}

static int find_columns(struct asking *a)
{
        for (enum job_field f = 0; f < JOB_FIELDS; f++) {
                const char *given = a->job->source->name[f];

                a->column[f] = given ? find_column(a->stmt, given) : -1;
                if (given && a->column[f] < 0)
                        return fail(a, -EINVAL, "the query gives no column '%.64s'", given);
                for (const char *const *usual = jobs_field_names(f); !given && *usual && a->column[f] < 0; usual++)
                        a->column[f] = find_column(a->stmt, *usual);
        }
        if (a->column[JOB_FIELD_ID] < 0)
                return fail(a, -EINVAL, "the query gives no column 'id'; column-id names another%s", "");
        return 0;
}

static int prepare(struct asking *a)
{
        const char *tail = NULL;
        int rc = sqlite3_prepare_v2(a->db, a->job->source->query, -1, &a->stmt, &tail);

        if (rc == SQLITE_AUTH)
                return fail(a, -EINVAL, "the query is refused, it may only read: %s", sqlite3_errmsg(a->db));
        if (rc != SQLITE_OK)
                return fail_sqlite(a, rc);
        if (!a->stmt || tail[strspn(tail, " \t\r\n;")])
                return fail(a, -EINVAL, "the query is not one statement%s", "");
        if (!sqlite3_stmt_readonly(a->stmt) || sqlite3_column_count(a->stmt) == 0)
                return fail(a, -EINVAL, "the query does not only read%s", "");
        return find_columns(a);
}

static struct job_value value_of(sqlite3_stmt *stmt, int column)
{
        struct job_value v = {.kind = JOB_VALUE_NULL};

        if (column < 0)
                return v;
        switch (sqlite3_column_type(stmt, column)) {
        case SQLITE_INTEGER:
                v.kind = JOB_VALUE_INTEGER;
                v.integer = sqlite3_column_int64(stmt, column);
                break;
        case SQLITE_FLOAT:
                v.kind = JOB_VALUE_REAL;
                v.real = sqlite3_column_double(stmt, column);
                break;
        case SQLITE_TEXT:
                v.kind = JOB_VALUE_TEXT;
                v.text = (const char *)sqlite3_column_text(stmt, column);
                v.length = (size_t)sqlite3_column_bytes(stmt, column);
                if (!v.text)
                        v.kind = JOB_VALUE_OTHER; /* out of memory */
                break;
        case SQLITE_NULL:
                break;
        default:
                v.kind = JOB_VALUE_OTHER;
        }
        return v;
}

static int read_rows(struct asking *a, struct jobs_rows *rows)
{
        struct job_value v[JOB_FIELDS];
        char where[32];
        int rc = SQLITE_DONE;

        for (unsigned n = 1; !rows->more && (rc = sqlite3_step(a->stmt)) == SQLITE_ROW; n++) {
                for (enum job_field f = 0; f < JOB_FIELDS; f++)
                        v[f] = value_of(a->stmt, a->column[f]);
                if (v[JOB_FIELD_ID].kind == JOB_VALUE_TEXT)
                        snprintf(where, sizeof(where), "job %.24s", v[JOB_FIELD_ID].text);
                else
                        snprintf(where, sizeof(where), "row %u", n);
                jobs_rows_add(rows, v, where);
        }
        return rows->more || rc == SQLITE_DONE ? 0 : fail_sqlite(a, rc);
}

int jobs_query_work(int answer_fd, void *userdata)
{
        struct asking a = {.job = userdata};
        struct jobs_rows rows;

        if (jobs_rows_begin(&rows, a.job->source) < 0)
                return 1;
        if (open_database(&a) == 0 && prepare(&a) == 0)
                read_rows(&a, &rows);
        sqlite3_finalize(a.stmt);
        sqlite3_close(a.db);
        if (a.error < 0) /* half of an answer is none */
                json_array_clear(rows.rows);
        rows.lasting = !a.varies;
        return worker_answer(answer_fd, jobs_rows_answer(&rows, a.error, a.reason));
}
