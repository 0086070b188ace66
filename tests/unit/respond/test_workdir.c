/* test_workdir.c - private directories, and what becomes of those whose owner died. */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "respond/workdir.h"

static int make_dir(void)
{
        ck_assert_int_eq(mkdir(place("d"), 0700), 0);
        int fd = open(place("d"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        return fd;
}

/* An owner that is killed while it works: files and a directory with files are left. */
static void leave_one(int dir)
{
        pid_t pid = fork();
        if (pid == 0) {
                struct workdir w;
                if (workdir_new(dir, &w) < 0)
                        _exit(1);
                close(openat(w.fd, "copy.db", O_CREAT | O_WRONLY, 0600));
                mkdirat(w.fd, "evidence", 0700);
                close(openat(w.fd, "evidence/x", O_CREAT | O_WRONLY, 0600));
                raise(SIGKILL);
        }
        int status;
        waitpid(pid, &status, 0);
        ck_assert(WIFSIGNALED(status));
}

START_TEST(only_its_owner_can_enter_it_and_it_goes_with_its_content)
{
        int dir = make_dir();
        struct workdir w;
        struct stat st;
        ck_assert_int_eq(workdir_new(dir, &w), 0);
        ck_assert_int_eq(fstat(w.fd, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0700);
        write_file(text("%s/%s/x", place("d"), w.name), "x", 1);
        workdir_done(&w);
        ck_assert_str_eq(names_in(place("d")), "");
        workdir_done(&w);
        close(dir);
}
END_TEST

START_TEST(what_a_killed_owner_left_is_swept)
{
        int dir = make_dir();
        leave_one(dir);
        ck_assert_int_eq(temporaries_in(place("d")), 1);
        ck_assert_int_eq(workdir_sweep(dir, NULL), 1);
        ck_assert_str_eq(names_in(place("d")), "");
        close(dir);
}
END_TEST

START_TEST(what_a_living_owner_works_on_stays)
{
        int dir = make_dir();
        struct workdir w;
        ck_assert_int_eq(workdir_new(dir, &w), 0);
        ck_assert_int_eq(workdir_sweep(dir, NULL), 0);
        ck_assert_int_eq(temporaries_in(place("d")), 1);
        workdir_done(&w);
        close(dir);
}
END_TEST

START_TEST(a_directory_without_a_lock_was_left_between_two_steps_and_is_swept)
{
        int dir = make_dir();
        ck_assert_int_eq(mkdir(place("d/.vigil-1-0123abcd"), 0700), 0);
        write_file(place("d/.vigil-1-0123abcd/copy.db"), "x", 1);
        ck_assert_int_eq(workdir_sweep(dir, NULL), 1);
        ck_assert_str_eq(names_in(place("d")), "");
        close(dir);
}
END_TEST

START_TEST(whatever_is_not_exactly_ours_stays)
{
        int dir = make_dir();
        ck_assert_int_eq(mkdir(place("d/.vigil-notes"), 0700), 0);
        ck_assert_int_eq(mkdir(place("d/.vigil-1-0123abcde"), 0700), 0);
        ck_assert_int_eq(mkdir(place("target"), 0700), 0);
        write_file(place("target/precious"), "x", 1);
        ck_assert_int_eq(symlink("../target", place("d/.vigil-2-0123abcd")), 0);
        write_file(place("d/.vigil-3-0123abcd"), "a file", 6);
        ck_assert_int_eq(workdir_sweep(dir, NULL), 0);
        ck_assert_int_eq(temporaries_in(place("d")), 4);
        ck_assert_int_eq(size_of(place("target/precious")), 1);
        close(dir);
}
END_TEST

START_TEST(a_link_inside_is_removed_and_not_followed)
{
        int dir = make_dir();
        struct workdir w;
        ck_assert_int_eq(mkdir(place("target"), 0700), 0);
        write_file(place("target/precious"), "x", 1);
        ck_assert_int_eq(workdir_new(dir, &w), 0);
        ck_assert_int_eq(symlinkat("../../target", w.fd, "link"), 0);
        workdir_done(&w);
        ck_assert_str_eq(names_in(place("d")), "");
        ck_assert_int_eq(size_of(place("target/precious")), 1);
        close(dir);
}
END_TEST

START_TEST(another_users_directory_is_left_alone)
{
        int dir = make_dir();
        if (geteuid() != 0)
                return;
        ck_assert_int_eq(mkdir(place("d/.vigil-1-0123abcd"), 0700), 0);
        ck_assert_int_eq(chown(place("d/.vigil-1-0123abcd"), 1, 1), 0);
        ck_assert_int_eq(workdir_sweep(dir, NULL), 0);
        close(dir);
}
END_TEST

SUITE("workdir", only_its_owner_can_enter_it_and_it_goes_with_its_content, what_a_killed_owner_left_is_swept,
      what_a_living_owner_works_on_stays, a_directory_without_a_lock_was_left_between_two_steps_and_is_swept,
      whatever_is_not_exactly_ours_stays, a_link_inside_is_removed_and_not_followed,
      another_users_directory_is_left_alone)
