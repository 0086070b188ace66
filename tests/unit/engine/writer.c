/* writer.c - constant writers. */
#include "writer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "database.h"

static volatile sig_atomic_t asked_to_end;

static void end(int sig)
{
        (void)sig;
        asked_to_end = 1;
}

static void rest(long ms)
{
        nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

void writer_make(const char *path, const char *mode)
{
        char sql[200];
        sqlite3 *db = db_open(path);
        snprintf(sql, sizeof(sql),
                 "pragma journal_mode=%s; create table a(id integer primary key, v blob);"
                 "create table b(id integer primary key, v blob); create table load(v blob)",
                 mode);
        db_exec(db, sql);
        sqlite3_close(db);
}

static void must(sqlite3 *db, const char *sql)
{
        int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
        if (rc != SQLITE_OK) {
                fprintf(stderr, "writer: %s: %s\n", sql, sqlite3_errmsg(db));
                _exit(rc == SQLITE_BUSY ? 3 : 4);
        }
}

static void run(const char *path, const char *setup, long pause_ms)
{
        sqlite3 *db;
        signal(SIGTERM, end);
        if (sqlite3_open(path, &db) != SQLITE_OK)
                _exit(4);
        must(db, setup);
        while (!asked_to_end) {
                must(db, "begin immediate;"
                         "insert into a(v) values(randomblob(3000)); insert into b(v) values(randomblob(10));"
                         "update a set v = randomblob(3000) where id = (select max(id) from a) / 2; commit");
                if (pause_ms)
                        rest(pause_ms);
        }
        if (sqlite3_close(db) != SQLITE_OK)
                _exit(4);
}

void writer_constant(const char *path)
{
        run(path, "pragma synchronous=off; pragma wal_autocheckpoint=20", 0);
}

void writer_with_gaps(const char *path)
{
        run(path, "pragma synchronous=off; pragma wal_autocheckpoint=20", 20);
}

void writer_exclusive(const char *path)
{
        run(path, "pragma locking_mode=exclusive; pragma synchronous=off; pragma wal_autocheckpoint=20", 20);
}

void writer_wait(const char *path, const char *suffix)
{
        struct stat first = {0}, st;
        const char *file = with(path, suffix);
        stat(file, &first);
        for (int i = 0; i < 2000; i++) {
                if (stat(file, &st) == 0 &&
                    (st.st_mtim.tv_nsec != first.st_mtim.tv_nsec || st.st_mtim.tv_sec != first.st_mtim.tv_sec ||
                     st.st_size != first.st_size))
                        return;
                rest(5);
        }
        ck_abort_msg("%s was not written", file);
}

long writer_verify(const char *copy)
{
        sqlite3 *db = db_open(copy);
        ck_assert_int_eq(
                db_int(db, "select count(*) = 1 and max(integrity_check) = 'ok' from pragma_integrity_check"), 1);
        long n = (long)db_int(db, "select count(*) from a");
        ck_assert_int_eq(db_int(db, "select count(*) from b"), n);
        ck_assert_int_eq(db_int(db, "select ifnull(max(id), 0) from a"), n);
        ck_assert_int_eq(db_int(db, "select ifnull(max(id), 0) from b"), n);
        sqlite3_close(db);
        return n;
}
