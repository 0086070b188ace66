/* check_work.c - SQLite recovers and checks a private copy, in a confined child. */
#include "engine/check_work.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/check_errors.h"
#include "engine/private.h"
#include "engine/worker.h"

/* SQLite stops after so many errors; those beyond the ones that are kept are only counted. */
#define ASK_FOR "10000"

static const char *const statements[] = {
        [CHECK_QUICK] = "pragma quick_check(" ASK_FOR ")",
        [CHECK_FULL] = "pragma integrity_check(" ASK_FOR ")",
};

/* Result codes that accuse the file; all others mean that the check could not be made. */
static bool accuses(int rc)
{
        return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
}

/* The open descriptors are enough from here on: a check that is killed leaves no copy. */
static void unlink_copy(const struct scratch *s)
{
        static const char *const names[] = {SCRATCH_DB, SCRATCH_WAL, SCRATCH_JOURNAL};
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                unlinkat(s->dir, names[i], 0);
}

/* @return an SQLite result code */
static int run(sqlite3 *db, const char *sql, struct check_errors *errors)
{
        sqlite3_stmt *stmt;
        int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
        if (rc != SQLITE_OK)
                return rc;
        while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
                const char *row = (const char *)sqlite3_column_text(stmt, 0);
                if (row && check_errors_add(errors, row, (size_t)sqlite3_column_bytes(stmt, 0)) < 0) {
                        rc = SQLITE_NOMEM;
                        break;
                }
        }
        sqlite3_finalize(stmt);
        return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int compare_bytes(void *userdata, int n, const void *x, int m, const void *y)
{
        (void)userdata;
        int r = memcmp(x, y, (size_t)(n < m ? n : m));
        return r ? r : n - m;
}

/* SQLite will not even begin without every collation of the schema. A stand-in serves quick_check, which compares no keys. */
static void stand_in(void *used, sqlite3 *db, int encoding, const char *name)
{
        *(bool *)used = true;
        sqlite3_create_collation(db, name, encoding, NULL, compare_bytes);
}

/* What the application defines itself is not here: functions in a CHECK or in an index, collations. quick_check can do without
 * them. @param method  what is asked for, and then what was done */
static int run_as_far_as_possible(sqlite3 *db, enum check_method *method, struct check_errors *errors)
{
        bool used = false;
        sqlite3_collation_needed(db, &used, stand_in);
        int rc = run(db, statements[*method], errors);
        if (accuses(rc) || (rc != SQLITE_ERROR && !(used && *method == CHECK_FULL)))
                return rc;
        *method = CHECK_QUICK;
        json_decref(errors->list);
        *errors = (struct check_errors){0};
        rc = sqlite3_exec(db, "pragma ignore_check_constraints=1", NULL, NULL, NULL);
        return rc == SQLITE_OK ? run(db, statements[CHECK_QUICK], errors) : rc;
}

static sqlite3_int64 ask(sqlite3 *db, const char *sql)
{
        sqlite3_stmt *stmt;
        sqlite3_int64 value = -1;

        if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
                value = sqlite3_column_int64(stmt, 0);
        sqlite3_finalize(stmt);
        return value;
}

/* SQLite takes what is missing of the last page for zeros, and finds no fault with zeros. What stands in a WAL is brought into
 * the copy first: it may hold that page. @return an SQLite result code */
static int check_length(sqlite3 *db, struct check_errors *errors)
{
        sqlite3_file *file = NULL;
        sqlite3_int64 size = 0, pages = ask(db, "pragma page_count"), page_size = ask(db, "pragma page_size");
        char text[128];

        if (sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) != SQLITE_OK ||
            sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || !file ||
            !file->pMethods || file->pMethods->xFileSize(file, &size) != SQLITE_OK)
                return SQLITE_OK; /* a file that cannot be written is not lengthened either */
        if (pages <= 0 || page_size <= 0 || size >= pages * page_size)
                return SQLITE_OK;
        snprintf(text, sizeof(text), "Page %lld: the file ends after %lld of its %lld bytes", size / page_size + 1,
                 size % page_size, page_size);
        return check_errors_add(errors, text, strlen(text)) < 0 ? SQLITE_NOMEM : SQLITE_OK;
}

int check_work(int answer_fd, void *userdata)
{
        const struct check_job *job = userdata;
        struct check_errors errors = {0};
        enum check_method method = job->method;
        char reason[256] = "";
        sqlite3 *db;
        /* Whoever waits for a sign that the worker is running has it now. */
        dprintf(answer_fd, "{\"done\":0,\"total\":0}\n");
        int rc = job->scratch ? private_open(job->scratch, &db) : private_open_finished(job->finished, &db);
        if (job->scratch)
                unlink_copy(job->scratch);
        if (rc == SQLITE_OK)
                rc = run_as_far_as_possible(db, &method, &errors);
        if (rc == SQLITE_OK)
                rc = check_length(db, &errors);

        enum check_outcome outcome = json_array_size(errors.list) > 0 ? CHECK_CORRUPT : CHECK_OK;
        const char *message = rc == SQLITE_OK ? NULL : db ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
        if (message && accuses(rc)) {
                outcome = CHECK_CORRUPT;
                if (check_errors_add(&errors, message, strlen(message)) < 0)
                        return 1;
        } else if (message) {
                outcome = outcome == CHECK_CORRUPT ? CHECK_CORRUPT : CHECK_FAILED;
                snprintf(reason, sizeof(reason), "SQLite cannot check the copy: %.200s", message);
        }
        if (method != job->method && reason[0] == '\0')
                snprintf(reason, sizeof(reason),
                         "integrity_check needs functions or collations of the application; quick_check was made");
        if (check_errors_end(&errors) < 0)
                return 1;
        json_t *text = text_json(reason, strlen(reason));
        sqlite3_close(db);
        return worker_answer(answer_fd, json_pack("{s:i,s:i,s:o,s:o}", "outcome", (int)outcome, "method",
                                                  (int)method, "errors", errors.list, "reason", text));
}
