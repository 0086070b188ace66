/* test_hardship.c - foreign owners, full disks, read-only file systems, missing rights. As root; mounts are made in a
 * namespace of the test's own process and end with it. */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "database.h"
#include "engine/check.h"
#include "engine/inspect.h"
#include "engine/snapshot.h"

#define SOMEBODY 12345

static int take(const char *path, const char *dir, struct snapshot_result *ret)
{
        struct snapshot_options options = {.deadline_ms = 20000};
        int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        int err = snapshot_take(path, fd, "copy", &options, ret);
        close(fd);
        return err;
}

static struct check_result check(const char *path, const char *scratch)
{
        struct check_options o = {.method = CHECK_QUICK, .scratch = scratch};
        struct check_result r;
        ck_assert_int_eq(check_database(path, &o, &r), 0);
        return r;
}

static const char *directory(const char *name, uid_t owner)
{
        const char *dir = place(name);
        ck_assert_int_eq(mkdir(dir, 0700), 0);
        ck_assert_int_eq(chown(dir, owner, owner), 0);
        return dir;
}

static void tmpfs(const char *dir, const char *options)
{
        ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
        ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        ck_assert_int_eq(mount("tmpfs", dir, "tmpfs", 0, options), 0);
}

/* The worker is somebody else than Vigil, and can enter neither of the directories by their paths. */
START_TEST(a_database_of_another_user_is_copied_for_its_owner_and_belongs_to_root)
{
        const char *home = directory("home", SOMEBODY), *backups = directory("backups", 0);
        const char *path = place("home/a.db"), *copy = place("backups/copy");
        struct snapshot_result r;
        struct stat st;
        db_make(path, "wal", 20);
        db_killed_after(path, "insert into t values(1001, 'x')");
        for (int i = 0; i < 3; i++)
                ck_assert_int_eq(chown(with(path, i == 0 ? "" : i == 1 ? "-wal" : "-shm"), SOMEBODY, SOMEBODY), 0);
        ck_assert_int_eq(chmod(path, 0600), 0);
        int err = take(path, backups, &r);
        ck_assert_msg(err == 0, "%s", r.reason);
        ck_assert_int_eq(stat(copy, &st), 0);
        ck_assert_uint_eq(st.st_uid, 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        ck_assert_int_eq(db_ask(copy, "select count(*) from t"), 21);
        ck_assert_int_eq(unlink(copy), 0);
        ck_assert_int_eq(rmdir(backups), 0);

        struct check_result c = check(path, directory("scratch", 0));
        ck_assert_msg(c.outcome == CHECK_OK, "%s", c.reason);
        check_result_done(&c);
        struct vigil_observed o;
        ck_assert_int_eq(inspect_database(&engine_sqlite, path, &o), 0);
        ck_assert_uint_eq(o.wal_commits, 1);
        (void)home;
}
END_TEST

START_TEST(a_database_of_root_in_the_home_of_another_user_is_copied)
{
        directory("home", SOMEBODY);
        const char *path = place("home/a.db");
        struct snapshot_result r;
        db_make(path, "wal", 20);
        db_killed_after(path, "insert into t values(1001, 'x')");
        int err = take(path, directory("backups", SOMEBODY), &r);
        ck_assert_msg(err == 0, "%s", r.reason);
        ck_assert_int_eq(db_ask(place("backups/copy"), "select count(*) from t"), 21);
}
END_TEST

/* Scenario 63: asked for before anything is written. */
START_TEST(enospc_during_backup_leaves_nothing)
{
        const char *path = place("a.db"), *small = directory("small", 0);
        struct snapshot_result r;
        db_make(path, "delete", 2000);
        tmpfs(small, "size=1m");
        ck_assert_int_eq(take(path, small, &r), -ENOSPC);
        ck_assert_ptr_nonnull(strstr(r.reason, "no space"));
        ck_assert_int_eq(rmdir(place("small/copy")), -1);
        ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(a_tenth_of_the_file_system_stays_free)
{
        const char *path = place("a.db"), *dir = directory("dir", 0);
        struct snapshot_result r;
        db_make(path, "delete", 1000); /* about 600 KiB, and a fifth of that for what recovery may add */
        int64_t size = size_of(path);
        char options[64];
        snprintf(options, sizeof(options), "size=%lld", (long long)(size + size / 5 + size / 10));
        tmpfs(dir, options);
        ck_assert_int_eq(take(path, dir, &r), -ENOSPC);
        snprintf(options, sizeof(options), "size=%lld", (long long)(2 * size));
        ck_assert_int_eq(mount("tmpfs", dir, "tmpfs", MS_REMOUNT, options), 0);
        int err = take(path, dir, &r);
        ck_assert_msg(err == 0, "%s", r.reason);
}
END_TEST

/* A file system that fills up while the copy is made. */
START_TEST(a_write_that_fails_is_told_as_such)
{
        const char *path = place("a.db"), *dir = directory("dir", 0);
        struct snapshot_result r;
        sqlite3 *db = db_open(path);
        db_exec(db, "create table t(v); insert into t values(zeroblob(3000000))");
        sqlite3_close(db);
        tmpfs(dir, "size=64m,nr_inodes=4"); /* root directory, private directory, two of three files */
        ck_assert_int_eq(take(path, dir, &r), -ENOSPC);
        ck_assert_ptr_nonnull(strstr(r.reason, "cannot create the copy"));
}
END_TEST

START_TEST(a_check_looks_for_another_directory_when_one_is_full)
{
        const char *path = place("a.db"), *small = directory("small", 0);
        db_make(path, "delete", 2000);
        tmpfs(small, "size=1m");
        struct check_result c = check(path, small);
        ck_assert_int_eq(c.outcome, CHECK_FAILED);
        ck_assert_ptr_nonnull(strstr(c.reason, "no space"));
        check_result_done(&c);
        setenv("TMPDIR", small, 1);
        c = check(path, NULL);
        ck_assert_msg(c.outcome == CHECK_OK, "%s", c.reason);
        check_result_done(&c);
}
END_TEST

START_TEST(a_database_on_a_read_only_file_system_is_copied_and_checked)
{
        const char *dir = directory("dir", 0), *path = place("dir/a.db");
        struct snapshot_result r;
        tmpfs(dir, "size=16m");
        db_make(path, "wal", 50);
        db_killed_after(path, "insert into t values(1001, 'x')");
        ck_assert_int_eq(mount("tmpfs", dir, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
        int err = take(path, directory("backups", 0), &r);
        ck_assert_msg(err == 0, "%s", r.reason);
        ck_assert_int_eq(db_ask(place("backups/copy"), "select count(*) from t"), 51);
        struct check_result c = check(path, place("backups"));
        ck_assert_msg(c.outcome == CHECK_OK, "%s", c.reason);
        check_result_done(&c);
        ck_assert_int_eq(take(path, dir, &r), -EROFS);
}
END_TEST

START_TEST(without_the_right_to_read_it_says_so)
{
        const char *path = place("a.db");
        struct snapshot_result r;
        struct vigil_observed o;
        db_make(path, "delete", 10);
        ck_assert_int_eq(chmod(path, 0), 0);
        ck_assert_int_eq(chmod(place("."), 0755), 0);
        const char *dir = directory("dir", SOMEBODY);
        char above[256]; /* the directory of the program is root's */
        snprintf(above, sizeof(above), "%s/..", place("."));
        ck_assert_int_eq(chmod(above, 0755), 0);
        ck_assert_int_eq(setresgid(SOMEBODY, SOMEBODY, SOMEBODY), 0);
        ck_assert_int_eq(setresuid(SOMEBODY, SOMEBODY, SOMEBODY), 0);
        ck_assert_int_eq(take(path, dir, &r), -EACCES);
        ck_assert_ptr_nonnull(strstr(r.reason, "Permission denied"));
        ck_assert_int_eq(inspect_database(&engine_sqlite, path, &o), -EACCES);
        struct check_result c = check(path, dir);
        ck_assert_int_eq(c.outcome, CHECK_FAILED);
        ck_assert_ptr_nonnull(strstr(c.reason, "Permission denied"));
        check_result_done(&c);
}
END_TEST

START_TEST(a_user_without_rights_copies_what_is_his)
{
        const char *home = directory("home", SOMEBODY), *path = place("home/a.db");
        struct snapshot_result r;
        char above[256];
        snprintf(above, sizeof(above), "%s/..", place("."));
        ck_assert_int_eq(chmod(place("."), 0755), 0);
        ck_assert_int_eq(chmod(above, 0755), 0);
        ck_assert_int_eq(setresgid(SOMEBODY, SOMEBODY, SOMEBODY), 0);
        ck_assert_int_eq(setresuid(SOMEBODY, SOMEBODY, SOMEBODY), 0);
        db_make(path, "wal", 20);
        db_killed_after(path, "insert into t values(1001, 'x')");
        int err = take(path, home, &r);
        ck_assert_msg(err == 0, "%s", r.reason);
        ck_assert_int_eq(db_ask(place("home/copy"), "select count(*) from t"), 21);
}
END_TEST

SUITE("hardship", a_database_of_another_user_is_copied_for_its_owner_and_belongs_to_root,
      a_database_of_root_in_the_home_of_another_user_is_copied, enospc_during_backup_leaves_nothing,
      a_tenth_of_the_file_system_stays_free, a_write_that_fails_is_told_as_such,
      a_check_looks_for_another_directory_when_one_is_full,
      a_database_on_a_read_only_file_system_is_copied_and_checked, without_the_right_to_read_it_says_so,
      a_user_without_rights_copies_what_is_his)
