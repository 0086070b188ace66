/* test_scratch.c - private directories and what becomes of them. */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/jail.h"
#include "database.h"
#include "engine/private.h"

static int parent_dir(void)
{
        const char *dir = place("parent");
        ck_assert(mkdir(dir, 0700) == 0 || errno == EEXIST);
        int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        return fd;
}

START_TEST(nobody_else_can_enter_and_nothing_stays)
{
        struct scratch s;
        struct stat st;
        int parent = parent_dir();
        ck_assert_int_eq(scratch_make(parent, &s), 0);
        ck_assert_int_eq(fstat(s.dir, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0700);
        close(scratch_create(&s, SCRATCH_DB));
        close(scratch_create(&s, SCRATCH_WAL));
        ck_assert_int_eq(scratch_create(&s, SCRATCH_WAL), -EEXIST);
        scratch_remove(&s);
        ck_assert_int_eq(rmdir(place("parent")), 0);
        close(parent);
}
END_TEST

START_TEST(only_directories_of_the_dead_are_swept)
{
        struct scratch alive, second;
        int parent = parent_dir();
        ck_assert_int_eq(scratch_make(parent, &alive), 0);
        pid_t pid = fork();
        if (pid == 0) {
                struct scratch dead;
                if (scratch_make(parent, &dead) == 0 && scratch_create(&dead, SCRATCH_DB) >= 0)
                        raise(SIGKILL);
                _exit(1);
        }
        child_end(pid, SIGKILL);
        ck_assert_int_eq(scratch_make(parent, &second), 0);
        struct stat st;
        ck_assert_int_eq(fstatat(parent, alive.name, &st, 0), 0);
        scratch_remove(&alive);
        scratch_remove(&second);
        ck_assert_int_eq(rmdir(place("parent")), 0);
        close(parent);
}
END_TEST

static int recover_in_a_jail(int answer_fd, void *userdata)
{
        const struct scratch *s = userdata;
        sqlite3 *db;
        if (jail_enter(NULL, NULL, (int[]){s->dir, -1}) < 0)
                return 1;
        int rc = private_open(s, &db);
        dprintf(answer_fd, "{\"rc\":%d}\n", rc);
        sqlite3_close(db);
        return 0;
}

/* Where there is no Landlock, a worker has a file tree of its own, without /proc. */
START_TEST(a_copy_recovers_in_a_jail)
{
        struct scratch s;
        int parent = parent_dir();
        const char *path = place("a.db");
        if (!jail_available())
                return;
        db_make(path, "wal", 10);
        db_killed_after(path, "insert into t values(1001, 'x')");
        ck_assert_int_eq(scratch_make(parent, &s), 0);
        ck_assert_int_eq(renameat(AT_FDCWD, path, s.dir, SCRATCH_DB), 0);
        ck_assert_int_eq(renameat(AT_FDCWD, with(path, "-wal"), s.dir, SCRATCH_WAL), 0);

        struct child_options options = {.deadline_ms = 30000};
        struct child_result r;
        ck_assert_int_eq(child_run(&options, (int[]){s.dir, -1}, recover_in_a_jail, &s, &r), 0);
        ck_assert_int_eq(json_integer_value(json_object_get(r.answer, "rc")), SQLITE_OK);
        child_result_done(&r);
        ck_assert_int_eq(faccessat(s.dir, SCRATCH_WAL, F_OK, 0), -1);
        ck_assert_int_eq(renameat(s.dir, SCRATCH_DB, AT_FDCWD, path), 0);
        ck_assert_int_eq(db_ask(path, "select count(*) from t"), 11);
        scratch_remove(&s);
        close(parent);
}
END_TEST

SUITE("scratch", nobody_else_can_enter_and_nothing_stays, only_directories_of_the_dead_are_swept,
      a_copy_recovers_in_a_jail)
