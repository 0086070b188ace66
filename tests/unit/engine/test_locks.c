/* test_locks.c - a reader's locks that nobody notices and nothing cancels. */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "database.h"
#include "engine/engine.h"
#include "engine/locks.h"

static struct engine_files open_files(const char *path)
{
        struct engine_files f;
        ck_assert_int_eq(engine_files_open(path, engine_sqlite.companions, &f), 0);
        return f;
}

static void hold_a_connection(const char *path)
{
        sqlite3 *db = db_open(path);
        db_int(db, "select count(*) from t");
        spill(with(path, "-ready"), "", 0);
        pause();
}

static void hold_a_rollback_transaction(const char *path)
{
        sqlite3 *db = db_open(path);
        db_exec(db, "begin immediate");
        spill(with(path, "-ready"), "", 0);
        pause();
}

static pid_t held(void (*fn)(const char *path), const char *path)
{
        pid_t pid = process_start(fn, path);
        for (int i = 0; i < 2000 && size_of(with(path, "-ready")) < 0; i++)
                usleep(5000);
        return pid;
}

START_TEST(a_wal_connection_of_another_process_is_seen)
{
        const char *path = place("a.db");
        db_make(path, "wal", 10);
        struct engine_files f = open_files(path);
        ck_assert_int_eq(locks_in_use(&f), 0);
        ck_assert_int_eq(locks_wal_in_use(&f), 0);
        engine_files_close(&f);

        pid_t pid = held(hold_a_connection, path);
        f = open_files(path);
        ck_assert_int_eq(locks_in_use(&f), 1);
        ck_assert_int_eq(locks_wal_in_use(&f), 1);
        child_end(pid, SIGKILL);
        ck_assert_int_eq(locks_in_use(&f), 0);
        ck_assert_int_eq(locks_wal_in_use(&f), 0);
        engine_files_close(&f);
}
END_TEST

START_TEST(a_rollback_transaction_is_seen)
{
        const char *path = place("a.db");
        db_make(path, "delete", 10);
        pid_t pid = held(hold_a_rollback_transaction, path);
        struct engine_files f = open_files(path);
        ck_assert_int_eq(locks_in_use(&f), 1);
        child_end(pid, SIGKILL);
        ck_assert_int_eq(locks_in_use(&f), 0);
        engine_files_close(&f);
}
END_TEST

/* Another process tries @p sql without waiting. @return its result code */
static int tried(const char *path, const char *sql)
{
        pid_t pid = fork();
        if (pid == 0) {
                sqlite3 *db;
                sqlite3_open(path, &db);
                sqlite3_stmt *stmt = NULL;
                int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
                if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
                        rc = sqlite3_column_int(stmt, 0); /* pragma wal_checkpoint: 1 is busy */
                _exit(rc == SQLITE_DONE ? 0 : rc);
        }
        int status;
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        return WEXITSTATUS(status);
}

START_TEST(a_pin_stops_checkpoints_and_nothing_else)
{
        const char *path = place("a.db");
        db_make(path, "wal", 10);
        pid_t pid = held(hold_a_connection, path);
        struct engine_files f = open_files(path);
        ck_assert_int_eq(locks_pin(&f), 0);
        const char *before = hash_of(path);

        ck_assert_int_eq(tried(path, "insert into t values(1001, 'x')"), 0);
        ck_assert_int_eq(tried(path, "select 0 from t where id = 1001"), 0);
        ck_assert_int_eq(tried(path, "pragma wal_checkpoint(passive)"), 0);
        ck_assert_str_eq(hash_of(path), before);
        ck_assert_int_eq(tried(path, "pragma wal_checkpoint(truncate)"), 1);
        ck_assert_str_eq(hash_of(path), before);

        locks_unpin(&f);
        ck_assert_int_eq(tried(path, "pragma wal_checkpoint(truncate)"), 0);
        ck_assert_str_ne(hash_of(path), before);
        child_end(pid, SIGKILL);
        engine_files_close(&f);
}
END_TEST

/* The last application to close must not take the log away under a pin. */
START_TEST(a_pin_keeps_the_log_when_the_last_connection_closes)
{
        const char *path = place("a.db");
        db_make(path, "wal", 10);
        sqlite3 *db = db_open(path);
        db_exec(db, "insert into t values(1001, 'x')");
        pid_t pid = fork(); /* the pin must be another process's: SQLite cannot see a lock of its own */
        if (pid == 0) {
                struct engine_files f = open_files(path);
                if (locks_pin(&f) != 0)
                        _exit(1);
                spill(with(path, "-ready"), "", 0);
                pause();
        }
        for (int i = 0; i < 2000 && size_of(with(path, "-ready")) < 0; i++)
                usleep(5000);
        const char *before = hash_of(path);
        ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
        ck_assert_int_gt(size_of(with(path, "-wal")), 0);
        ck_assert_str_eq(hash_of(path), before);
        child_end(pid, SIGKILL);
        ck_assert_int_eq(db_ask(path, "select count(*) from t"), 11);
}
END_TEST

/* Scenario 62. */
START_TEST(watchdog_selfcancel)
{
        const char *path = place("a.db");
        db_make(path, "wal", 10);
        pid_t pid = held(hold_a_connection, path);
        struct engine_files f = open_files(path);
        ck_assert_int_eq(locks_pin(&f), 0);
        /* What drops every POSIX lock of a process. */
        static const char *const suffixes[] = {"", "-wal", "-shm"};
        for (int i = 0; i < 3; i++)
                close(open(with(path, suffixes[i]), O_RDWR | O_CLOEXEC));
        ck_assert_int_eq(tried(path, "insert into t values(1001, 'x')"), 0);
        ck_assert_int_eq(tried(path, "pragma wal_checkpoint(truncate)"), 1);
        engine_files_close(&f);
        ck_assert_int_eq(tried(path, "pragma wal_checkpoint(truncate)"), 0);
        child_end(pid, SIGKILL);
}
END_TEST

START_TEST(an_exclusive_user_cannot_be_pinned)
{
        const char *path = place("a.db");
        db_make(path, "wal", 10);
        sqlite3 *db = db_open(path);
        db_exec(db, "pragma locking_mode=exclusive; insert into t values(1001, 'x')");
        /* There is no -shm; the main file alone must say no. */
        struct engine_files f = open_files(path);
        ck_assert_int_eq(locks_wal_in_use(&f), 0);
        ck_assert_int_eq(locks_in_use(&f), 1);
        ck_assert_int_eq(locks_pin(&f), -EAGAIN);
        _exit(0); /* closing f would drop SQLite's locks; nothing is left to show */
}
END_TEST

SUITE("locks", a_wal_connection_of_another_process_is_seen, a_rollback_transaction_is_seen,
      a_pin_stops_checkpoints_and_nothing_else, a_pin_keeps_the_log_when_the_last_connection_closes,
      watchdog_selfcancel, an_exclusive_user_cannot_be_pinned)
