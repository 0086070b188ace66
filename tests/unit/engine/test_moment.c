/* test_moment.c - what makes a database look another one, and what does not. */
#include "engine/moment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "database.h"
#include "suite.h"

static const char *path;

/* As soon as its last write is older than a tick of the clock. */
static struct moment taken(void)
{
        struct moment m;
        int r = -EAGAIN;

        for (int i = 0; i < 5000 && (r = moment_take(path, &m)) == -EAGAIN; i++)
                usleep(1000);
        ck_assert_int_eq(r, 0);
        return m;
}

static bool is_as(const struct moment *before)
{
        const struct moment now = taken();

        return moment_same(before, &now);
}

static sqlite3 *begin(const char *mode)
{
        path = place("app.db");
        db_make(path, mode, 3);
        sqlite3 *db = db_open(path);
        db_exec(db, "update t set v = 'b' where id = 1");
        return db;
}

static void everything_but_commits_leaves_it(const char *mode)
{
        sqlite3 *db = begin(mode);
        const struct moment before = taken();

        ck_assert(is_as(&before));
        db_int(db, "select count(*) from t");
        db_ask(path, "select count(*) from t");
        ck_assert(is_as(&before));
        db_exec(db, "update t set v = 'c' where id = 1");
        ck_assert(!is_as(&before));
        const struct moment after = taken();
        sqlite3 *other = db_open(path);
        db_exec(other, "update t set v = 'd' where id = 1"); /* as long as the one before */
        ck_assert(!is_as(&after));
        sqlite3_close(other);
        sqlite3_close(db);
}

START_TEST(in_wal_mode_each_commit_makes_another_one_and_a_reader_does_not)
{
        everything_but_commits_leaves_it("wal");
}
END_TEST

START_TEST(with_a_rollback_journal_it_is_the_same)
{
        everything_but_commits_leaves_it("delete");
}
END_TEST

static struct timespec mtime_of(const char *name)
{
        struct stat st;

        ck_assert_int_eq(stat(name, &st), 0);
        return st.st_mtim;
}

static void set_mtime(const char *name, struct timespec mtime)
{
        const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, mtime};

        ck_assert_int_eq(utimensat(AT_FDCWD, name, times, 0), 0);
}

/* As after a restore, or by a clock that was set back to the very moment. */
START_TEST(a_time_that_is_set_back_hides_no_commit)
{
        for (int i = 0; i < 2; i++) {
                sqlite3 *db = begin(i ? "wal" : "delete");
                const char *wal = with(path, "-wal");
                const struct moment before = taken();
                struct timespec main_time = mtime_of(path), wal_time = i ? mtime_of(wal) : main_time;
                db_exec(db, "update t set v = 'c' where id = 1");
                set_mtime(path, main_time);
                if (i)
                        set_mtime(wal, wal_time);
                ck_assert(!is_as(&before));
                sqlite3_close(db);
                unlink(path);
        }
}
END_TEST

START_TEST(a_file_that_is_replaced_by_its_equal_is_another_one)
{
        sqlite3 *db = begin("delete");
        const struct moment before = taken();
        struct timespec time = mtime_of(path);
        size_t n;
        uint8_t *bytes = slurp(path, &n);

        spill(with(path, ".new"), bytes, n);
        set_mtime(with(path, ".new"), time);
        ck_assert_int_eq(rename(with(path, ".new"), path), 0);
        ck_assert(!is_as(&before));
        free(bytes);
        sqlite3_close(db);
}
END_TEST

/* A store through a mapping moves the times of a file only when the page was clean before. */
START_TEST(a_store_through_a_mapping_is_seen_by_what_was_stored)
{
        sqlite3 *db = begin("delete");
        int fd = open(path, O_RDWR | O_CLOEXEC);
        unsigned char *page = mmap(NULL, 512, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        ck_assert(page != MAP_FAILED);
        page[27]++; /* the change counter; the page is dirty from now on */
        const struct moment before = taken();
        page[27]++;
        ck_assert(!is_as(&before));
        munmap(page, 512);
        close(fd);
        sqlite3_close(db);
}
END_TEST

START_TEST(within_the_tick_of_a_write_nothing_is_known)
{
        sqlite3 *db = begin("delete");
        struct timespec ahead;
        struct moment m;

        clock_gettime(CLOCK_REALTIME, &ahead);
        ahead.tv_sec++;
        ahead.tv_nsec = 1;
        set_mtime(path, ahead);
        ck_assert_int_eq(moment_take(path, &m), -EAGAIN);
        sqlite3_close(db);
}
END_TEST

START_TEST(what_is_no_database_or_must_be_recovered_is_not_known)
{
        struct moment m;

        path = place("none.db");
        ck_assert_int_eq(moment_take(path, &m), -ENOENT);
        spill(path,
              "no database, but as long as the header of one is: 100 bytes, and so on, and so on, and so on, until "
              "here.",
              104);
        ck_assert_int_eq(moment_take(path, &m), -EOPNOTSUPP);
        path = place("dead.db");
        db_make(path, "wal", 3);
        db_killed_after(path, "update t set v = 'x'");
        unlink(with(path, "-shm"));
        int r = -EAGAIN;
        for (int i = 0; i < 5000 && (r = moment_take(path, &m)) == -EAGAIN; i++)
                usleep(1000);
        ck_assert_int_eq(r, -EOPNOTSUPP);
}
END_TEST

SUITE("moment", in_wal_mode_each_commit_makes_another_one_and_a_reader_does_not,
      with_a_rollback_journal_it_is_the_same, a_time_that_is_set_back_hides_no_commit,
      a_file_that_is_replaced_by_its_equal_is_another_one, a_store_through_a_mapping_is_seen_by_what_was_stored,
      within_the_tick_of_a_write_nothing_is_known, what_is_no_database_or_must_be_recovered_is_not_known)
