/* test_restore.c - the old database or the new one, and nothing in between. */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fixture.h"
#include "respond/backup.h"
#include "respond/restore.h"

static char id[256];

static void back_up(const char *database, bool known, enum check_method check)
{
        ck_assert(mkdir(place("scratch"), 0700) == 0 || errno == EEXIST);
        struct backup_options o = {.database = database,
                                   .directory = place("b"),
                                   .check = check,
                                   .known_sqlite = known,
                                   .scratch = place("scratch")};
        struct backup_result r;
        int err = backup_create(&o, &r);
        ck_assert_msg(err == 0 || err == -EUCLEAN, "%s", r.reason);
        strcpy(id, r.id);
        backup_result_done(&r);
}

/* A database of 10 rows, backed up as `id`. */
static void have_backup(const char *mode)
{
        make_database(place("app.db"), mode, 10);
        back_up(place("app.db"), false, CHECK_QUICK);
}

static struct restore_options options_to(const char *to, bool force)
{
        return (struct restore_options){.directory = place("b"),
                                        .id = id,
                                        .to = to,
                                        .force = force,
                                        .check = CHECK_QUICK,
                                        .scratch = place("scratch")};
}

static struct restore_result restored(const char *to, bool force)
{
        struct restore_options o = options_to(to, force);
        struct restore_result r;
        int err = backup_restore(&o, &r);
        ck_assert_msg(err == 0 && r.done, "%s", r.reason);
        ck_assert_int_eq(temporaries_in(place("")), 0);
        return r;
}

static void refused(const char *to, bool force, int expected, const char *why)
{
        struct restore_options o = options_to(to, force);
        struct restore_result r;
        const char *before = state_of(to);
        int err = backup_restore(&o, &r);
        ck_assert_msg(err == expected, "%s: %s", strerror(-err), r.reason);
        ck_assert(!r.done && !r.verified);
        ck_assert_msg(strstr(r.reason, why) != NULL, "%s", r.reason);
        ck_assert_str_eq(state_of(to), before);
        ck_assert_int_eq(temporaries_in(place("")), 0);
        restore_result_done(&r);
}

START_TEST(a_backup_becomes_a_database_where_there_was_none)
{
        have_backup("wal");
        struct restore_result r = restored(place("new.db"), false);
        ck_assert(r.verified && !r.replaced);
        ck_assert_int_eq(ask(place("new.db"), "select count(*) from t"), 10);
        restore_result_done(&r);
}
END_TEST

START_TEST(what_is_there_is_replaced_only_with_force)
{
        have_backup("delete");
        ask(place("app.db"), "insert into t values(77, x'00') returning id");
        refused(place("app.db"), false, -EEXIST, "--force");
        struct restore_result r = restored(place("app.db"), true);
        ck_assert(r.verified && r.replaced && !r.warned);
        ck_assert_int_eq(ask(place("app.db"), "select count(*) from t"), 10);
        restore_result_done(&r);
}
END_TEST

START_TEST(a_backup_of_another_database_is_told_when_it_replaces_one)
{
        have_backup("delete");
        struct restore_result r = restored(place("app.db"), true);
        ck_assert_uint_eq(r.n_notes, 0);
        restore_result_done(&r);
        make_database(place("real.db"), "delete", 3);
        r = restored(place("real.db"), true);
        ck_assert_uint_eq(r.n_notes, 1);
        ck_assert(!r.warned && strstr(r.notes[0], "a backup of ") && strstr(r.notes[0], "/app.db"));
        restore_result_done(&r);
}
END_TEST

START_TEST(owner_and_mode_of_the_replaced_file_stay)
{
        struct stat st;
        have_backup("delete");
        ck_assert_int_eq(chmod(place("app.db"), 0640), 0);
        if (geteuid() == 0)
                ck_assert_int_eq(chown(place("app.db"), 1234, 4321), 0);
        struct restore_result r = restored(place("app.db"), true);
        ck_assert_int_eq(stat(place("app.db"), &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0640);
        if (geteuid() == 0)
                ck_assert(st.st_uid == 1234 && st.st_gid == 4321);
        restore_result_done(&r);
}
END_TEST

START_TEST(access_lists_and_labels_stay)
{
        char value[8] = "";
        have_backup("delete");
        if (setxattr(place("app.db"), "user.label", "secret", 6, 0) < 0)
                return;
        struct restore_result r = restored(place("app.db"), true);
        ck_assert_int_eq(getxattr(place("app.db"), "user.label", value, sizeof(value)), 6);
        ck_assert_str_eq(value, "secret");
        restore_result_done(&r);
}
END_TEST

START_TEST(a_second_name_of_the_old_file_is_told)
{
        have_backup("delete");
        ck_assert_int_eq(link(place("app.db"), place("other")), 0);
        struct restore_result r = restored(place("app.db"), true);
        ck_assert(r.warned && strstr(r.notes[0], "hard link"));
        restore_result_done(&r);
}
END_TEST

START_TEST(an_old_wal_does_not_get_into_the_new_database)
{
        have_backup("wal");
        killed_after(place("app.db"), "insert into t values(77, x'00')");
        ck_assert_int_gt(size_of(place("app.db-wal")), 0);
        struct restore_result r = restored(place("app.db"), true);
        ck_assert_int_eq(size_of(place("app.db-wal")), -1);
        ck_assert_int_eq(size_of(place("app.db-shm")), -1);
        ck_assert_int_eq(ask(place("app.db"), "select count(*) from t"), 10);
        restore_result_done(&r);
}
END_TEST

START_TEST(an_old_hot_journal_does_not_get_into_the_new_database)
{
        make_database(place("app.db"), "delete", 300);
        back_up(place("app.db"), false, CHECK_QUICK);
        killed_after(place("app.db"), "begin; update t set v = zeroblob(500)");
        ck_assert_int_gt(size_of(place("app.db-journal")), 0);
        struct restore_result r = restored(place("app.db"), true);
        ck_assert_int_eq(size_of(place("app.db-journal")), -1);
        ck_assert_int_eq(ask(place("app.db"), "select count(*) from t where v = zeroblob(500)"), 0);
        restore_result_done(&r);
}
END_TEST

START_TEST(a_damaged_old_database_is_replaced_with_a_note)
{
        have_backup("wal");
        killed_after(place("app.db"), "insert into t values(77, x'00')");
        static const char rubbish[] = "no database any more, but long enough to have had a header, which has one "
                                      "hundred bytes, and then some more";
        write_file(place("app.db"), rubbish, sizeof(rubbish));
        struct restore_result r = restored(place("app.db"), true);
        ck_assert_uint_gt(r.n_notes, 0);
        ck_assert_int_eq(size_of(place("app.db-wal")), -1);
        ck_assert_int_eq(ask(place("app.db"), "select count(*) from t"), 10);
        restore_result_done(&r);
}
END_TEST

START_TEST(companions_without_a_main_file_are_moved_and_not_lost)
{
        have_backup("wal");
        killed_after(place("app.db"), "insert into t values(77, x'00')");
        ck_assert_int_eq(unlink(place("app.db")), 0);
        struct restore_result r = restored(place("app.db"), false);
        ck_assert_ptr_nonnull(strstr(names_in(place("")), "app.db.stale-"));
        ck_assert_int_eq(size_of(place("app.db-wal")), -1);
        ck_assert_int_eq(size_of(place("app.db-shm")), -1);
        ck_assert_int_eq(ask(place("app.db"), "select count(*) from t"), 10);
        restore_result_done(&r);
}
END_TEST

/* A process that holds the database open until it is killed. */
static pid_t opener(const char *path, const char *sql)
{
        int ready[2];
        char byte;
        ck_assert_int_eq(pipe(ready), 0);
        pid_t pid = fork();
        if (pid == 0) {
                sqlite3 *db;
                sqlite3_open(path, &db);
                sqlite3_exec(db, sql, NULL, NULL, NULL);
                if (write(ready[1], "x", 1) == 1)
                        pause();
                _exit(1);
        }
        close(ready[1]);
        ck_assert_int_eq(read(ready[0], &byte, 1), 1);
        close(ready[0]);
        return pid;
}

static void end(pid_t pid)
{
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
}

START_TEST(a_database_that_is_open_is_never_replaced)
{
        static const char *const uses[] = {"select * from t", "begin; delete from t", "begin exclusive"};
        have_backup("delete");
        for (size_t i = 0; i < 3; i++) {
                pid_t pid = opener(place("app.db"), uses[i]);
                refused(place("app.db"), true, -EBUSY, text("pid %d", (int)pid));
                end(pid);
        }
        struct restore_result r = restored(place("app.db"), true);
        restore_result_done(&r);
}
END_TEST

START_TEST(a_database_that_is_open_in_wal_mode_is_never_replaced)
{
        have_backup("wal");
        pid_t pid = opener(place("app.db"), "select * from t");
        refused(place("app.db"), true, -EBUSY, text("pid %d", (int)pid));
        end(pid);
}
END_TEST

START_TEST(a_missing_main_file_that_somebody_still_has_open_is_not_replaced)
{
        have_backup("wal");
        pid_t pid = opener(place("app.db"), "select * from t");
        ck_assert_int_eq(unlink(place("app.db")), 0);
        refused(place("app.db"), false, -EBUSY, "open");
        end(pid);
}
END_TEST

START_TEST(evidence_and_unverified_copies_need_force)
{
        make_database(place("app.db"), "delete", 10);
        back_up(place("app.db"), false, CHECK_NONE);
        refused(place("new.db"), false, -EPERM, "never verified");
        struct restore_result r = restored(place("new.db"), true);
        ck_assert(r.verified);
        restore_result_done(&r);
        damage(place("app.db"));
        back_up(place("app.db"), false, CHECK_QUICK);
        refused(place("second.db"), false, -EPERM, "evidence");
        r = restored(place("second.db"), true);
        ck_assert(!r.verified && r.warned);
        restore_result_done(&r);
}
END_TEST

START_TEST(a_copy_that_has_rotted_is_refused_even_with_force)
{
        have_backup("delete");
        int fd = open(text("%s/%s.db", place("b"), id), O_RDWR | O_CLOEXEC);
        ck_assert_int_eq(pwrite(fd, "XXXXXXXX", 8, 5000), 8); /* in a random blob: not all of them stand there */
        close(fd);
        refused(place("app.db"), true, -EUCLEAN, "changed");
}
END_TEST

START_TEST(what_is_no_file_is_not_replaced)
{
        have_backup("delete");
        ck_assert_int_eq(mkdir(place("directory"), 0700), 0);
        struct restore_options o = options_to(place("directory"), true);
        struct restore_result r;
        ck_assert_int_eq(backup_restore(&o, &r), -EISDIR);
        restore_result_done(&r);
        ck_assert_int_eq(mkfifo(place("fifo"), 0600), 0);
        o.to = place("fifo");
        ck_assert_int_eq(backup_restore(&o, &r), -EINVAL);
        restore_result_done(&r);
        o.to = text("%s/%s.db", place("b"), id);
        ck_assert_int_eq(backup_restore(&o, &r), -EINVAL);
        restore_result_done(&r);
        o.to = place("missing/app.db");
        ck_assert_int_eq(backup_restore(&o, &r), -ENOENT);
        restore_result_done(&r);
        o.to = place("new.db");
        o.id = "../../etc/passwd";
        ck_assert_int_eq(backup_restore(&o, &r), -ENOENT);
        restore_result_done(&r);
}
END_TEST

START_TEST(a_symbolic_link_stays_and_its_target_is_replaced)
{
        struct stat st;
        have_backup("delete");
        ck_assert_int_eq(symlink("app.db", place("link.db")), 0);
        struct restore_result r = restored(place("link.db"), true);
        ck_assert_str_eq(r.path, place("app.db"));
        ck_assert_int_eq(lstat(place("link.db"), &st), 0);
        ck_assert(S_ISLNK(st.st_mode));
        restore_result_done(&r);
}
END_TEST

SUITE("restore", a_backup_becomes_a_database_where_there_was_none, what_is_there_is_replaced_only_with_force,
      a_backup_of_another_database_is_told_when_it_replaces_one, owner_and_mode_of_the_replaced_file_stay,
      access_lists_and_labels_stay, a_second_name_of_the_old_file_is_told,
      an_old_wal_does_not_get_into_the_new_database, an_old_hot_journal_does_not_get_into_the_new_database,
      a_damaged_old_database_is_replaced_with_a_note, companions_without_a_main_file_are_moved_and_not_lost,
      a_database_that_is_open_is_never_replaced, a_database_that_is_open_in_wal_mode_is_never_replaced,
      a_missing_main_file_that_somebody_still_has_open_is_not_replaced, evidence_and_unverified_copies_need_force,
      a_copy_that_has_rotted_is_refused_even_with_force, what_is_no_file_is_not_replaced,
      a_symbolic_link_stays_and_its_target_is_replaced)
