/* test_read_only.c - the store is asked while no daemon runs, and not a byte of it changes. */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

/* Not the ctime: as root, SQLite gives the journal its own owner once more. */
static int64_t changed_at(const char *name)
{
        struct stat st;
        ck_assert_int_eq(stat(in_state(name), &st), 0);
        return st.st_mtim.tv_sec * SECOND + st.st_mtim.tv_nsec;
}

static void a_store_with_an_incident(void)
{
        struct store *s = opened(NULL);
        put_incident(s, "i-1", "firing");
        store_close(s);
}

START_TEST(questions_are_answered_and_rows_are_refused)
{
        a_store_with_an_incident();
        int64_t before = changed_at("vigil.db"), journal = changed_at("vigil.db-journal");
        struct store *s;
        json_t *d;
        ck_assert_int_eq(store_open_to_read(state(), 2000, &s), 0);
        incident_of(s, "i-1", &d);
        json_decref(d);
        ck_assert_int_eq(store_put_metric(s, "error", 1, NULL, T0), -EROFS);
        store_close(s);
        ck_assert_int_eq(changed_at("vigil.db"), before);
        ck_assert_int_eq(changed_at("vigil.db-journal"), journal);
}
END_TEST

START_TEST(what_is_no_store_is_said_to_be_none_and_stays)
{
        struct store *s;
        ck_assert_int_eq(store_open_to_read(state(), 2000, &s), -ENOENT);
        shell("CREATE TABLE mine(x)", NULL, 0);
        ck_assert_int_eq(store_open_to_read(state(), 2000, &s), -EUCLEAN);
        ck_assert_int_eq(truncate(in_state("vigil.db"), 100), 0);
        ck_assert_int_eq(store_open_to_read(state(), 2000, &s), -EUCLEAN);
        ck_assert_int_eq(access(in_state("vigil.db"), F_OK), 0);
}
END_TEST

START_TEST(a_newer_version_is_not_read)
{
        struct store *s;
        a_store_with_an_incident();
        shell("PRAGMA user_version = 99", NULL, 0);
        ck_assert_int_eq(store_open_to_read(state(), 2000, &s), -EPROTONOSUPPORT);
}
END_TEST

/* A writer that is killed when its transaction has reached the file leaves a hot journal. */
START_TEST(a_transaction_that_was_cut_off_is_left_to_the_daemon)
{
        a_store_with_an_incident();
        pid_t child = fork();
        if (child == 0) {
                other("PRAGMA cache_size=2; BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n "
                      "WHERE i<2000)"
                      " INSERT INTO events SELECT i, i, 'exit', 'app', json_quote(hex(randomblob(200))) FROM n");
                kill(getpid(), SIGKILL);
        }
        int status = 0;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        int64_t before = changed_at("vigil.db");
        struct store *s;
        ck_assert_int_eq(store_open_to_read(state(), 2000, &s), -EROFS);
        ck_assert_int_eq(changed_at("vigil.db"), before);
        s = opened(NULL);
        store_close(s);
        ck_assert_int_eq(store_open_to_read(state(), 2000, &s), 0);
        store_close(s);
        ck_assert_int_eq(shell_number("SELECT (SELECT count(*) FROM events) * 10 + (SELECT count(*) FROM alerts)"),
                         1);
}
END_TEST

SUITE("reading the store", questions_are_answered_and_rows_are_refused,
      what_is_no_store_is_said_to_be_none_and_stays, a_newer_version_is_not_read,
      a_transaction_that_was_cut_off_is_left_to_the_daemon)
