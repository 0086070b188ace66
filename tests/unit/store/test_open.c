/* test_open.c - whatever lies under the name vigil.db, a store is opened or it is said why not, and nothing is lost. */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "store/private.h"
#include "store/schema.h"
#include "version_1.h"

static char *aside;

static int try_open(struct store **ret, enum store_opened *ret_how)
{
        aside = NULL;
        return store_open(state(), false, ret, ret_how, &aside);
}

static void write_file(const char *name, const void *data, size_t n)
{
        int fd = open(in_state(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        ck_assert_int_eq(write(fd, data, n), (ssize_t)n);
        close(fd);
}

/* Noise over bytes of vigil.db. */
static void spoil(off_t offset, size_t n)
{
        char noise[8192];
        for (size_t i = 0; i < sizeof(noise); i++)
                noise[i] = (char)(i * 167 + 13);
        int fd = open(in_state("vigil.db"), O_WRONLY | O_CLOEXEC);
        ck_assert_int_eq(pwrite(fd, noise, n, offset), (ssize_t)n);
        close(fd);
}

static void a_store_with_an_incident(void)
{
        struct store *s = opened(NULL);
        put_incident(s, "i-1", "firing");
        store_close(s);
}

/* The file is set aside, a new one takes its place and works; the old one keeps its bytes. */
static void assert_set_aside(void)
{
        struct stat before, after;
        struct store *s;
        enum store_opened how;
        ck_assert_int_eq(stat(in_state("vigil.db"), &before), 0);
        ck_assert_int_eq(try_open(&s, &how), 0);
        ck_assert_int_eq(how, STORE_SET_ASIDE);
        ck_assert_ptr_nonnull(aside);
        ck_assert_int_eq(stat(aside, &after), 0);
        ck_assert_uint_eq(before.st_ino, after.st_ino);
        ck_assert_int_eq(before.st_size, after.st_size);
        put_incident(s, "i-2", "firing");
        ck_assert_int_eq(shell_number("SELECT count(*) FROM alerts"), 1);
        store_close(s);
        free(aside);
}

START_TEST(a_new_store_is_for_its_owner_alone_and_of_our_version)
{
        struct stat st;
        enum store_opened how;
        struct store *s = opened(&how);
        ck_assert_int_eq(how, STORE_NEW);
        ck_assert_int_eq(stat(in_state("vigil.db"), &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        ck_assert_int_eq(stat(in_state("vigil.db-journal"), &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        ck_assert_int_eq(shell_number("PRAGMA user_version"), STORE_VERSION);
        ck_assert_int_eq(shell_number("PRAGMA application_id"), SCHEMA_APPLICATION_ID);
        ck_assert_int_eq(shell_number("PRAGMA auto_vacuum"), 2);
        store_close(s);
        s = opened(&how);
        ck_assert_int_eq(how, STORE_AS_IT_WAS);
        store_close(s);
}
END_TEST

START_TEST(every_commit_reaches_the_disk_before_it_returns)
{
        struct store *s = opened(NULL);
        int64_t synchronous = 0;
        ck_assert_int_eq(store_number(s, "PRAGMA synchronous", &synchronous), 0);
        ck_assert_int_eq(synchronous, 2);
        sqlite3_stmt *row;
        ck_assert_int_eq(store_ask(s, "PRAGMA journal_mode", NULL, 0, &row), 0);
        ck_assert_int_eq(store_next(s, row), 1);
        ck_assert_str_eq(store_text(row, 0), "persist");
        store_done(s, row);
        store_close(s);
}
END_TEST

START_TEST(what_is_no_database_is_set_aside)
{
        char noise[20000];
        memset(noise, 'x', sizeof(noise));
        write_file("vigil.db", noise, sizeof(noise));
        assert_set_aside();
}
END_TEST

START_TEST(a_truncated_store_is_set_aside)
{
        a_store_with_an_incident();
        ck_assert_int_eq(truncate(in_state("vigil.db"), 4096 * 3 + 100), 0);
        assert_set_aside();
}
END_TEST

START_TEST(noise_in_the_first_page_sets_aside)
{
        a_store_with_an_incident();
        spoil(100, 4000);
        assert_set_aside();
}
END_TEST

START_TEST(noise_over_half_a_page_of_a_table_sets_aside)
{
        a_store_with_an_incident();
        spoil((shell_number("SELECT rootpage FROM sqlite_schema WHERE name='alerts'") - 1) * 4096, 2048);
        assert_set_aside();
}
END_TEST

START_TEST(a_table_that_is_missing_sets_aside)
{
        a_store_with_an_incident();
        shell("DROP TABLE metrics", NULL, 0);
        assert_set_aside();
}
END_TEST

START_TEST(a_store_that_a_check_accused_is_set_aside_with_its_journal)
{
        struct store *s;
        enum store_opened how;
        char path[300];
        a_store_with_an_incident();
        ck_assert_int_eq(store_open(state(), true, &s, &how, &aside), 0);
        ck_assert_int_eq(how, STORE_SET_ASIDE);
        snprintf(path, sizeof(path), "%s-journal", aside);
        ck_assert_int_eq(access(path, F_OK), 0);
        free(aside);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM alerts"), 0);
        store_close(s);
}
END_TEST

START_TEST(damaged_stores_do_not_pile_up_without_end)
{
        char name[64], oldest[64];
        for (int i = 0; i < 9; i++) {
                snprintf(name, sizeof(name), "vigil.db.corrupt-2026010%dT000000Z", i);
                write_file(name, "x", 1);
        }
        snprintf(oldest, sizeof(oldest), "vigil.db.corrupt-20260106T000000Z");
        write_file("vigil.db", "this is no database", 19);
        assert_set_aside();
        ck_assert_int_eq(access(in_state(name), F_OK), 0);
        ck_assert_int_eq(access(in_state(oldest), F_OK), 0);
        ck_assert_int_ne(access(in_state("vigil.db.corrupt-20260105T000000Z"), F_OK), 0);
}
END_TEST

START_TEST(a_newer_version_is_refused_and_left_alone)
{
        struct stat before, after;
        struct store *s;
        enum store_opened how;
        a_store_with_an_incident();
        shell("PRAGMA user_version = 99", NULL, 0);
        ck_assert_int_eq(stat(in_state("vigil.db"), &before), 0);
        ck_assert_int_eq(try_open(&s, &how), -EPROTONOSUPPORT);
        ck_assert_int_eq(stat(in_state("vigil.db"), &after), 0);
        ck_assert_int_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM alerts"), 1);
}
END_TEST

START_TEST(the_database_of_another_program_is_left_alone)
{
        struct store *s;
        enum store_opened how;
        shell("CREATE TABLE mine(x)", NULL, 0);
        ck_assert_int_eq(try_open(&s, &how), -EEXIST);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM sqlite_schema"), 1);
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
        struct store *s;
        enum store_opened how;
        ck_assert_int_eq(mkdir(in_state("vigil.db"), 0700), 0);
        ck_assert_int_eq(try_open(&s, &how), -EISDIR);
        ck_assert_int_eq(rmdir(in_state("vigil.db")), 0);
        ck_assert_int_eq(mkfifo(in_state("vigil.db"), 0600), 0);
        ck_assert_int_eq(try_open(&s, &how), -EINVAL);
        ck_assert_int_eq(store_open(in_state("nowhere"), false, &s, &how, &aside), -ENOENT);
}
END_TEST

START_TEST(a_store_in_wal_mode_becomes_one_with_a_journal_again)
{
        char mode[16];
        a_store_with_an_incident();
        shell("PRAGMA journal_mode = WAL", mode, sizeof(mode));
        ck_assert_str_eq(mode, "wal");
        struct store *s = opened(NULL);
        put_incident(s, "i-2", "firing");
        store_close(s);
        shell("PRAGMA journal_mode", mode, sizeof(mode));
        ck_assert_str_eq(mode, "delete");
        ck_assert_int_eq(shell_number("SELECT count(*) FROM alerts"), 2);
}
END_TEST

START_TEST(a_migration_is_done_whole_or_not_at_all)
{
        static const char *const good[] = {"CREATE TABLE a(x)", "ALTER TABLE a ADD y; INSERT INTO a VALUES(1, 2)"};
        static const char *const bad[] = {"CREATE TABLE a(x)", "CREATE TABLE b(x)", "CREATE TABLE b(x)"};
        sqlite3 *db = other("SELECT 1");
        ck_assert_int_eq(schema_migrate(db, good, 0, 1), SQLITE_OK);
        ck_assert_int_eq(shell_number("PRAGMA user_version"), 1);
        ck_assert_int_eq(schema_migrate(db, bad, 1, 3), SQLITE_ERROR);
        ck_assert_int_eq(shell_number("PRAGMA user_version"), 1);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM sqlite_schema"), 1);
        ck_assert_int_eq(schema_migrate(db, good, 1, 2), SQLITE_OK);
        ck_assert_int_eq(shell_number("SELECT y FROM a"), 2);
        sqlite3_close(db);
}
END_TEST

START_TEST(a_store_of_the_first_version_is_brought_along)
{
        enum store_opened how;
        sqlite3_close(other(version_1_store));
        ck_assert_int_eq(shell_number("PRAGMA user_version"), 1);
        struct store *s = opened(&how);
        ck_assert_int_eq(how, STORE_MIGRATED);
        ck_assert_int_eq(shell_number("PRAGMA user_version"), STORE_VERSION);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM alerts WHERE id='i-1' AND status='firing'"), 1);
        ck_assert_int_eq(shell_number("SELECT count FROM summaries"), 3);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM metrics"), 1);
        const struct store_baseline b = {
                .database = "persistence", .file = "wal", .op = "sync", .learned = "x", .size = 1};
        ck_assert_int_eq(store_put_baseline(s, &b), 0);
        put_incident(s, "i-2", "firing");
        store_close(s);
        s = opened(&how);
        ck_assert_int_eq(how, STORE_AS_IT_WAS);
        store_close(s);
}
END_TEST

SUITE("opening the store", a_new_store_is_for_its_owner_alone_and_of_our_version,
      every_commit_reaches_the_disk_before_it_returns, what_is_no_database_is_set_aside,
      a_truncated_store_is_set_aside, noise_in_the_first_page_sets_aside,
      noise_over_half_a_page_of_a_table_sets_aside, a_table_that_is_missing_sets_aside,
      a_store_that_a_check_accused_is_set_aside_with_its_journal, damaged_stores_do_not_pile_up_without_end,
      a_newer_version_is_refused_and_left_alone, the_database_of_another_program_is_left_alone,
      what_is_no_file_is_refused, a_store_in_wal_mode_becomes_one_with_a_journal_again,
      a_migration_is_done_whole_or_not_at_all, a_store_of_the_first_version_is_brought_along)
