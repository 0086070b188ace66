/* test_scribe.c - what is written by children: one of a kind, never waited for, finished also when the daemon is gone. */
#include "daemon/scribe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"

static char dir[] = "/tmp/vigil-test-scribe-XXXXXX";
static char go[64], done[64], lock[64];

static void remove_all(void)
{
        unlink(go);
        unlink(done);
        unlink(lock);
        rmdir(dir);
}

static void make_dir(void)
{
        ck_assert_ptr_nonnull(mkdtemp(dir));
        atexit(remove_all);
        snprintf(go, sizeof(go), "%s/go", dir);
        snprintf(done, sizeof(done), "%s/done", dir);
        snprintf(lock, sizeof(lock), "%s/lock", dir);
}

static void touch(const char *path)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        close(fd);
}

/* Half a minute at most. */
static bool appears(const char *path)
{
        for (int i = 0; i < 3000 && access(path, F_OK) < 0; i++)
                usleep(10000);
        return access(path, F_OK) == 0;
}

/* As one that hangs in a sync: until the file is there. */
static int hang(int answer_fd, void *arg)
{
        (void)arg;
        if (!appears(go))
                return 1;
        touch(done);
        return scribe_tell(answer_fd, 0);
}

static int tell(int answer_fd, void *arg)
{
        return scribe_tell(answer_fd, *(int *)arg);
}

static int die(int answer_fd, void *arg)
{
        (void)answer_fd, (void)arg;
        raise(SIGKILL);
        return 0;
}

static void on_done(void *userdata, int error, const json_t *answer)
{
        (void)answer;
        *(int *)userdata = error;
}

START_TEST(one_that_hangs_stands_nobody_and_has_no_second_beside_it)
{
        struct scribe *s = NULL;
        int hung = 1, other = 1, none = 0;

        make_dir();
        ck_assert_int_eq(scribe_new(-1, &s), 0);
        ck_assert_int_eq(scribe_start(s, SCRIBE_STATE, hang, NULL, on_done, &hung), 0);
        ck_assert_int_eq(scribe_start(s, SCRIBE_STATE, hang, NULL, on_done, &hung), -EALREADY);
        ck_assert_int_eq(scribe_start(s, SCRIBE_STORE, tell, &none, on_done, &other), 0);
        ck_assert(scribe_wait(s, SCRIBE_STORE, 20000));
        ck_assert_int_eq(other, 0);
        ck_assert(!scribe_wait(s, SCRIBE_STATE, 50));
        ck_assert_int_eq(hung, 1);
        ck_assert_uint_gt(scribe_since(s, SCRIBE_STATE), 0);
        touch(go);
        ck_assert(scribe_wait(s, SCRIBE_STATE, 20000));
        ck_assert_int_eq(hung, 0);
        ck_assert_uint_eq(scribe_since(s, SCRIBE_STATE), 0);
        scribe_free(s);
}
END_TEST

/* Fails unless the one that hung is done. */
static int follow(int answer_fd, void *arg)
{
        (void)arg;
        return scribe_tell(answer_fd, access(done, F_OK) < 0 ? -EBUSY : 0);
}

START_TEST(what_is_begun_behind_one_that_hangs_waits_for_it_and_no_more_than_there_is_room_for)
{
        struct scribe *s = NULL;
        int error[1 + SCRIBE_BEHIND + 1];

        make_dir();
        ck_assert_int_eq(scribe_new(-1, &s), 0);
        for (int i = 0; i <= 1 + SCRIBE_BEHIND; i++) {
                error[i] = 1;
                ck_assert_int_eq(
                        scribe_start_behind(s, SCRIBE_RECORDING, i ? follow : hang, NULL, on_done, &error[i]),
                        i <= SCRIBE_BEHIND ? 0 : -EALREADY);
        }
        ck_assert(!scribe_wait(s, SCRIBE_RECORDING, 50));
        ck_assert_int_eq(error[1], 1);
        ck_assert_int_eq(scribe_start(s, SCRIBE_RECORDING, follow, NULL, on_done, &error[0]), -EALREADY);
        touch(go);
        ck_assert(scribe_wait(s, SCRIBE_RECORDING, 20000));
        for (int i = 0; i <= SCRIBE_BEHIND; i++)
                ck_assert_int_eq(error[i], 0);
        ck_assert_int_eq(error[1 + SCRIBE_BEHIND], 1);
        ck_assert_uint_eq(scribe_since(s, SCRIBE_RECORDING), 0);
        scribe_free(s);
}
END_TEST

static int tell_name(int answer_fd, void *arg)
{
        char name[16];

        (void)arg;
        prctl(PR_GET_NAME, name);
        return dprintf(answer_fd, "{\"error\":0, \"name\":\"%s\"}\n", name) < 0;
}

static void on_named(void *userdata, int error, const json_t *answer)
{
        (void)error;
        snprintf(userdata, 16, "%s", json_string_value(json_object_get(answer, "name")));
}

START_TEST(ps_tells_what_it_is_for)
{
        struct scribe *s = NULL;
        char name[16] = "", own[16], before[16];

        prctl(PR_GET_NAME, before);
        ck_assert_int_eq(scribe_new(-1, &s), 0);
        ck_assert_int_eq(scribe_start(s, SCRIBE_STATE, tell_name, NULL, on_named, name), 0);
        ck_assert(scribe_wait(s, SCRIBE_STATE, 20000));
        ck_assert_str_eq(name, "vigil-state");
        prctl(PR_GET_NAME, own);
        ck_assert_str_eq(own, before);
        scribe_free(s);
}
END_TEST

START_TEST(its_error_is_told_and_its_death_is_no_success)
{
        struct scribe *s = NULL;
        int error = 0, full = -ENOSPC;

        ck_assert_int_eq(scribe_new(-1, &s), 0);
        ck_assert_int_eq(scribe_start(s, SCRIBE_STATE, tell, &full, on_done, &error), 0);
        ck_assert(scribe_wait(s, SCRIBE_STATE, 20000));
        ck_assert_int_eq(error, -ENOSPC);
        ck_assert_int_eq(scribe_start(s, SCRIBE_STATE, die, NULL, on_done, &error), 0);
        ck_assert(scribe_wait(s, SCRIBE_STATE, 20000));
        ck_assert_int_eq(error, -ECHILD);
        scribe_free(s);
}
END_TEST

/* A daemon that begins a piece of work and is killed. */
static void begin_and_die(void)
{
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                struct scribe *s = NULL;
                int error, fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
                if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || scribe_new(fd, &s) < 0 ||
                    scribe_start(s, SCRIBE_STORE, hang, NULL, on_done, &error) < 0)
                        _exit(1);
                raise(SIGKILL);
        }
        int status;
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status));
}

START_TEST(it_outlives_the_daemon_and_holds_its_lock_until_it_is_done)
{
        make_dir();
        begin_and_die();
        int fd = open(lock, O_RDWR | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), -1);
        ck_assert_int_eq(errno, EWOULDBLOCK);
        touch(go);
        ck_assert(appears(done));
        ck_assert_int_eq(flock(fd, LOCK_EX), 0);
        close(fd);
}
END_TEST

SUITE("scribe", one_that_hangs_stands_nobody_and_has_no_second_beside_it, ps_tells_what_it_is_for,
      what_is_begun_behind_one_that_hangs_waits_for_it_and_no_more_than_there_is_room_for,
      its_error_is_told_and_its_death_is_no_success, it_outlives_the_daemon_and_holds_its_lock_until_it_is_done)
