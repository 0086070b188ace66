/* test_snapshot_live.c - copies of databases that are written meanwhile. */
#include "suite.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "database.h"
#include "taking.h"
#include "writer.h"

/* Copies while the writer writes; it must not notice, and every copy must be one instant. */
static void copies_under(const char *mode, void (*writer)(const char *path), const char *written,
                         const char *method, int copies)
{
        const char *path = place("busy.db");
        long last = -1;
        writer_make(path, mode);
        pid_t pid = process_start(writer, path);
        writer_wait(path, written);
        for (int i = 0; i < copies; i++) {
                char name[16];
                snprintf(name, sizeof(name), "copy%d", i);
                struct snapshot_result r = taken(path, name);
                ck_assert(!method || strcmp(r.method, method) == 0);
                long n = writer_verify(copy_path(name));
                ck_assert_int_ge(n, last);
                last = n;
        }
        writer_wait(path, written); /* it still goes on */
        child_end(pid, SIGTERM);
        ck_assert_int_gt(last, 0);
        ck_assert_int_ge(writer_verify(path), last);
}

START_TEST(copies_under_a_constant_wal_writer_are_consistent_and_unnoticed)
{
        copies_under("wal", writer_constant, "-wal", "read-transaction", 15);
}
END_TEST

START_TEST(copies_between_rollback_transactions_are_consistent_and_unnoticed)
{
        copies_under("delete", writer_with_gaps, "", NULL, 8);
}
END_TEST

START_TEST(copies_of_a_wal_held_exclusively_are_consistent_and_unnoticed)
{
        copies_under("wal", writer_exclusive, "-wal", NULL, 8);
}
END_TEST

START_TEST(a_rollback_writer_that_leaves_no_gap_is_left_alone_and_told)
{
        const char *path = place("busy.db");
        struct snapshot_options impatient = {.others_may_write = true, .deadline_ms = 700};
        struct snapshot_result r;
        writer_make(path, "delete");
        sqlite3 *db = db_open(path); /* large enough that a copy takes longer than the writer rests */
        db_exec(db, "insert into load values(zeroblob(30000000))");
        sqlite3_close(db);
        pid_t pid = process_start(writer_constant, path);
        setpriority(PRIO_PROCESS, (id_t)pid, -20); /* on a busy host it would rest whenever others run */
        writer_wait(path, "");
        ck_assert_int_eq(take(path, "copy", &impatient, &r), -EBUSY);
        ck_assert_uint_gt(r.attempts, 0);
        ck_assert_str_eq(r.method, "none");
        ck_assert_ptr_nonnull(strstr(r.reason, "during every attempt"));
        ck_assert_int_eq(left_there(), 0);
        child_end(pid, SIGTERM);
}
END_TEST

static void stuck_in_a_rollback_transaction(const char *path)
{
        sqlite3 *db = db_open(path);
        db_exec(db, "pragma cache_size=5; begin; update t set v = randomblob(400)");
        spill(with(path, "-ready"), "", 0);
        pause();
}

static void stuck_in_a_wal_transaction(const char *path)
{
        sqlite3 *db = db_open(path);
        db_exec(db,
                "pragma cache_size=5; insert into t values(1001, 'x'); begin; update t set v = randomblob(400)");
        spill(with(path, "-ready"), "", 0);
        pause();
}

static void copy_while_stuck(const char *mode, void (*stuck)(const char *path), int64_t rows)
{
        const char *path = place("stuck.db");
        db_make(path, mode, 200);
        pid_t pid = process_start(stuck, path);
        for (int i = 0; i < 2000 && size_of(with(path, "-ready")) < 0; i++)
                usleep(5000);
        taken(path, "copy");
        ck_assert_int_eq(db_ask(copy_path("copy"), "select count(*) from t where length(v) <> 400"), rows);
        child_end(pid, SIGKILL);
}

START_TEST(a_transaction_stuck_half_way_does_not_stop_the_copy)
{
        copy_while_stuck("delete", stuck_in_a_rollback_transaction, 200);
}
END_TEST

START_TEST(a_wal_transaction_stuck_half_way_does_not_stop_the_copy)
{
        copy_while_stuck("wal", stuck_in_a_wal_transaction, 201);
}
END_TEST

/* Scenario 64. */
START_TEST(wal_growth_cap_gives_the_locks_back)
{
        const char *path = place("busy.db");
        struct snapshot_options capped = {.others_may_write = true, .deadline_ms = 20000, .wal_cap = 1};
        struct snapshot_result r;
        writer_make(path, "wal");
        sqlite3 *db = db_open(path);
        db_exec(db, "insert into load values(zeroblob(150000000))");
        sqlite3_close(db);
        pid_t pid = process_start(writer_constant, path);
        writer_wait(path, "-wal");
        ck_assert_int_eq(take(path, "copy", &capped, &r), -EBUSY);
        ck_assert_ptr_nonnull(strstr(r.reason, "cap"));
        ck_assert_int_eq(left_there(), 0);
        child_end(pid, SIGTERM);
        /* Closed as the last one, with everything checkpointed: nobody held a lock. */
        ck_assert_int_eq(size_of(with(path, "-wal")), -1);
}
END_TEST

static void copy_for_ever(const char *path)
{
        struct snapshot_options slow = taking_defaults;
        struct snapshot_result r;
        spill(with(path, "-started"), "", 0);
        for (int i = 0;; i++) {
                char name[16];
                snprintf(name, sizeof(name), "copy%d", i);
                take(path, name, &slow, &r);
                unlink(copy_path(name));
        }
}

START_TEST(a_vigil_that_is_killed_leaves_no_lock_and_nothing_that_stays)
{
        const char *path = place("busy.db");
        writer_make(path, "wal");
        sqlite3 *db = db_open(path);
        db_exec(db, "insert into load values(zeroblob(20000000)); pragma wal_checkpoint(truncate)");
        for (int i = 0; i < 5; i++) {
                pid_t pid = process_start(copy_for_ever, path);
                for (int k = 0; k < 2000 && size_of(with(path, "-started")) < 0; k++)
                        usleep(1000);
                usleep(20000 + 7000 * (useconds_t)i); /* anywhere inside a copy */
                child_end(pid, SIGKILL);
                unlink(with(path, "-started"));
        }
        taken(path, "last");
        ck_assert_int_le(left_there(), 6); /* and copies that were finished but not yet unlinked */
        DIR *d = opendir(place("copies"));
        for (struct dirent *e; (e = readdir(d));)
                ck_assert_ptr_null(strstr(e->d_name, ".vigil"));
        closedir(d);
        /* A TRUNCATE checkpoint needs every lock that a copy takes. */
        db_exec(db, "insert into a(v) values(1)");
        ck_assert_int_eq(db_int(db, "pragma wal_checkpoint(truncate)"), 0);
        sqlite3_close(db);
        ck_assert_int_eq(size_of(with(path, "-wal")), -1);
}
END_TEST

SUITE("snapshot_live", copies_under_a_constant_wal_writer_are_consistent_and_unnoticed,
      copies_between_rollback_transactions_are_consistent_and_unnoticed,
      copies_of_a_wal_held_exclusively_are_consistent_and_unnoticed,
      a_rollback_writer_that_leaves_no_gap_is_left_alone_and_told,
      a_transaction_stuck_half_way_does_not_stop_the_copy, a_wal_transaction_stuck_half_way_does_not_stop_the_copy,
      wal_growth_cap_gives_the_locks_back, a_vigil_that_is_killed_leaves_no_lock_and_nothing_that_stays)
