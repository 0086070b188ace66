/* test_users.c - who has a file open: by descriptor, by lock, and not by ourselves. */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "respond/users.h"

static struct users look(const char *path)
{
        struct users_files files;
        struct users users;
        ck_assert_int_eq(users_files_of(path, &files), 0);
        ck_assert_int_eq(users_look(&files, &users), 0);
        return users;
}

static void *hold(void *fd)
{
        (void)fd;
        pause();
        return NULL;
}

/* A process with the file open; with a first thread that has ended, if asked for. */
static pid_t holder(const char *path, bool leader_gone, bool lock)
{
        int ready[2];
        char byte;
        ck_assert_int_eq(pipe(ready), 0);
        pid_t pid = fork();
        if (pid == 0) {
                struct flock l = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0x40000002, .l_len = 510};
                int fd = open(path, O_RDWR | O_CLOEXEC);
                pthread_t thread;
                if (fd < 0 || (lock && fcntl(fd, F_SETLK, &l) < 0) ||
                    pthread_create(&thread, NULL, hold, NULL) != 0 || write(ready[1], "x", 1) != 1)
                        _exit(1);
                if (leader_gone)
                        pthread_exit(NULL);
                pause();
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

START_TEST(nobody_has_an_idle_file_open_and_we_do_not_count)
{
        write_file(place("x"), "x", 1);
        int fd = open(place("x"), O_RDONLY | O_CLOEXEC);
        ck_assert_uint_eq(look(place("x")).n, 0);
        close(fd);
}
END_TEST

START_TEST(a_process_is_named_by_pid)
{
        char who[100];
        write_file(place("x"), "x", 1);
        pid_t pid = holder(place("x"), false, false);
        struct users u = look(place("x"));
        ck_assert_uint_eq(u.n, 1);
        ck_assert_int_eq(u.named[0].pid, pid);
        users_describe(&u, who, sizeof(who));
        ck_assert_ptr_nonnull(strstr(who, text("(pid %d)", (int)pid)));
        end(pid);
}
END_TEST

START_TEST(a_descriptor_that_cannot_read_is_no_user)
{
        write_file(place("x"), "x", 1);
        int fd = open(place("x"), O_PATH | O_CLOEXEC);
        pid_t pid = fork();
        if (pid == 0) {
                pause();
                _exit(1);
        }
        close(fd);
        ck_assert_uint_eq(look(place("x")).n, 0);
        end(pid);
}
END_TEST

START_TEST(a_companion_counts_as_the_database)
{
        write_file(place("x"), "x", 1);
        write_file(place("x-wal"), "x", 1);
        pid_t pid = holder(place("x-wal"), false, false);
        ck_assert_uint_eq(look(place("x")).n, 1);
        end(pid);
}
END_TEST

START_TEST(a_process_whose_first_thread_has_ended_is_seen)
{
        write_file(place("x"), "x", 1);
        pid_t pid = holder(place("x"), true, false);
        char state[300];
        /* Until the first thread is a zombie. */
        for (int i = 0; i < 1000; i++) {
                int fd = open(text("/proc/%d/stat", (int)pid), O_RDONLY | O_CLOEXEC);
                ssize_t n = read(fd, state, sizeof(state) - 1);
                close(fd);
                state[n > 0 ? n : 0] = '\0';
                if (strstr(state, ") Z "))
                        break;
                usleep(5000);
        }
        ck_assert_ptr_nonnull(strstr(state, ") Z "));
        ck_assert_uint_eq(look(place("x")).n, 1);
        end(pid);
}
END_TEST

START_TEST(many_users_are_counted_and_a_few_named)
{
        pid_t pids[6];
        char who[300], little[8];
        write_file(place("x"), "x", 1);
        for (int i = 0; i < 6; i++)
                pids[i] = holder(place("x"), false, false);
        struct users u = look(place("x"));
        ck_assert_uint_eq(u.n, 6);
        users_describe(&u, who, sizeof(who));
        ck_assert_ptr_nonnull(strstr(who, "and 2 more"));
        users_describe(&u, little, sizeof(little));
        for (int i = 0; i < 6; i++)
                end(pids[i]);
}
END_TEST

START_TEST(a_reader_keeps_the_lock_from_us_and_gives_it_back_with_its_end)
{
        write_file(place("x"), "x", 1);
        pid_t pid = holder(place("x"), false, true);
        int fd = open(place("x"), O_RDWR | O_CLOEXEC);
        ck_assert_int_eq(users_lock_out(fd), -EBUSY);
        end(pid);
        ck_assert_int_eq(users_lock_out(fd), 0);
        close(fd);
}
END_TEST

SUITE("users", nobody_has_an_idle_file_open_and_we_do_not_count, a_process_is_named_by_pid,
      a_descriptor_that_cannot_read_is_no_user, a_companion_counts_as_the_database,
      a_process_whose_first_thread_has_ended_is_seen, many_users_are_counted_and_a_few_named,
      a_reader_keeps_the_lock_from_us_and_gives_it_back_with_its_end)
