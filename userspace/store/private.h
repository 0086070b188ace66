/* private.h - what the files of this stage share: the connection, statements, values. Layer: store. */
#pragma once

#include <sqlite3.h>

#include "store/store.h"

#define STORE_STATEMENTS 64        /* kept prepared; further ones are prepared anew each time */
#define STORE_ROW_BYTES  (8 << 20) /* no value is longer: a document is a few KiB */

struct store {
        sqlite3 *db;
        bool begun;           /* between store_begin() and its end */
        int failed;           /* first error since store_begin() that makes the whole transaction void; 0: none */
        int64_t seen;         /* data_version at the last store_poll_alerts(); -1: none yet */
        uint64_t deadline_ns; /* of the question at hand */
        size_t nkept;
        struct {
                const char *sql; /* found again by its address: statements are literals */
                sqlite3_stmt *stmt;
        } kept[STORE_STATEMENTS];
};

/** -errno of an SQLite result code; 0 for OK, ROW and DONE. */
int store_error(sqlite3 *db, int rc);

/* ---- values: what is bound to the parameters of a statement, in their order ---- */

enum value_kind { VALUE_TEXT, VALUE_INT, VALUE_REAL, VALUE_TIME, VALUE_JSON, VALUE_BLOB };
struct value {
        enum value_kind kind;
        union {
                const void *p; /* NULL: NULL */
                int64_t n;
                double r;
        };
        size_t size; /* of a blob */
};
/* clang-format off */
#define V_TEXT(x)    {.kind = VALUE_TEXT, .p = (const char *){x}}   /* bytes that are not UTF-8 become U+FFFD */
#define V_INT(x)     {.kind = VALUE_INT, .n = (x)}
#define V_REAL(x)    {.kind = VALUE_REAL, .r = (x)}
#define V_TIME(x)    {.kind = VALUE_TIME, .n = (x)}                 /* ns since the epoch as datetime() writes it; 0: NULL */
#define V_JSON(x)    {.kind = VALUE_JSON, .p = (const json_t *){x}} /* compact text; NULL: an empty object */
#define V_BLOB(x, s) {.kind = VALUE_BLOB, .p = (x), .size = (s)}
/* clang-format on */

/** The statement of the literal @p sql with @p n values bound, ready for store_next(). End it with store_done().
 * @return 0, -ENOMEM or -errno of SQLite */
int store_ask(struct store *s, const char *sql, const struct value *values, size_t n, sqlite3_stmt **ret);
/** @return 1: a row is there, 0: no more, or -errno. In a transaction an error makes it void. */
int store_next(struct store *s, sqlite3_stmt *stmt);
void store_done(struct store *s, sqlite3_stmt *stmt);
/** Runs a statement that gives no rows. @return 0 or -errno */
int store_run(struct store *s, const char *sql, const struct value *values, size_t n);

#define VALUES(...)                                                                                                \
        (const struct value[]){__VA_ARGS__}, sizeof((const struct value[]){__VA_ARGS__}) / sizeof(struct value)
#define RUN(s, sql, ...)      store_run(s, sql, VALUES(__VA_ARGS__))
#define ASK(s, sql, ret, ...) store_ask(s, sql, VALUES(__VA_ARGS__), ret)

/** Text of a column, "" for NULL; valid until the next step. */
const char *store_text(sqlite3_stmt *stmt, int column);
/** The JSON object of a column; an empty one where somebody wrote something else. NULL: out of memory. */
json_t *store_object(sqlite3_stmt *stmt, int column);
/** The first column of the first row. @return 0, -ENOENT: no row, or -errno */
int store_number(struct store *s, const char *sql, int64_t *ret);

/** "YYYY-MM-DD HH:MM:SS" in UTC, as SQLite's datetime() writes it. */
#define STORE_TIME_LEN 24
void store_time(char ret[STORE_TIME_LEN], int64_t ns);
/** Nanoseconds since the epoch, now. */
int64_t store_now(void);
