/* test_child.c - a worker costs one action, never the parent. */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/child.h"
#include "base/cleanup.h"

static const struct child_options plain = {.deadline_ms = 30000};
static const struct child_options confined = {.deadline_ms = 30000, .sandbox = true};

static int say(int fd, void *text)
{
        dprintf(fd, "%s", (const char *)text);
        return 0;
}

static int run_text(const struct child_options *options, const char *text, struct child_result *ret)
{
        return child_run(options, NULL, say, (void *)text, ret);
}

START_TEST(the_last_line_is_the_answer)
{
        struct child_result r;
        ck_assert_int_eq(run_text(&plain, "{\"a\":1}\n{\"a\":2}\n", &r), 0);
        ck_assert_int_eq(json_integer_value(json_object_get(r.answer, "a")), 2);
        child_result_done(&r);
}
END_TEST

START_TEST(an_answer_needs_no_newline)
{
        struct child_result r;
        ck_assert_int_eq(run_text(&plain, "{\"a\":1}", &r), 0);
        ck_assert(json_is_object(r.answer));
        child_result_done(&r);
}
END_TEST

START_TEST(rubbish_is_no_answer)
{
        static const char *const rubbish[] = {
                "", "\n", "[1]\n", "{\"a\":1}\nboom\n", "{\"a\":", "\xff\xfe\n", "{\"a\":1,\"a\":2}\n"};
        for (size_t i = 0; i < sizeof(rubbish) / sizeof(rubbish[0]); i++) {
                struct child_result r;
                ck_assert_int_eq(run_text(&plain, rubbish[i], &r), -EBADMSG);
                ck_assert_ptr_null(r.answer);
                child_result_done(&r);
        }
}
END_TEST

static void sum_up(void *sum, uint64_t done, uint64_t total)
{
        *(uint64_t *)sum += done * 100 + total;
}

START_TEST(progress_is_passed_on_and_is_no_answer)
{
        uint64_t sum = 0;
        struct child_options options = {.deadline_ms = 30000, .on_progress = sum_up, .userdata = &sum};
        struct child_result r;
        ck_assert_int_eq(
                run_text(&options, "{\"done\":1,\"total\":3}\n{\"ok\":true}\n{\"done\":2,\"total\":3}\n", &r), 0);
        ck_assert_uint_eq(sum, 306);
        ck_assert(json_is_true(json_object_get(r.answer, "ok")));
        child_result_done(&r);
}
END_TEST

static _Noreturn int flood(int fd, void *arg)
{
        (void)arg;
        for (;;)
                dprintf(fd, "{\"x\":1}\n");
}

START_TEST(a_flood_is_cut_off)
{
        struct child_options options = {.answer_limit = 1000};
        struct child_result r;
        ck_assert_int_eq(child_run(&options, NULL, flood, NULL, &r), -EMSGSIZE);
        ck_assert(r.flooded);
        ck_assert(WIFSIGNALED(r.status));
        child_result_done(&r);
}
END_TEST

static _Noreturn int hang(int fd, void *arg)
{
        (void)arg;
        dprintf(fd, "{\"early\":true}\n");
        for (;;)
                pause();
}

START_TEST(a_worker_that_hangs_is_killed)
{
        struct child_options options = {.deadline_ms = 50};
        struct child_result r;
        ck_assert_int_eq(child_run(&options, NULL, hang, NULL, &r), -ETIME);
        ck_assert(r.timed_out);
        ck_assert_int_eq(WTERMSIG(r.status), SIGKILL);
        child_result_done(&r);
}
END_TEST

static int crash(int fd, void *arg)
{
        (void)arg;
        dprintf(fd, "{\"ok\":true}\n");
        raise(SIGKILL);
        return 0;
}

START_TEST(an_answer_before_a_crash_is_kept_but_is_no_success)
{
        struct child_result r;
        ck_assert_int_eq(child_run(&plain, NULL, crash, NULL, &r), -ECHILD);
        ck_assert_int_eq(WTERMSIG(r.status), SIGKILL);
        ck_assert(json_is_object(r.answer));
        child_result_done(&r);
}
END_TEST

static int give_up(int fd, void *arg)
{
        (void)arg;
        dprintf(fd, "{}\n");
        return 3;
}

START_TEST(a_status_other_than_zero_is_a_failure)
{
        struct child_result r;
        ck_assert_int_eq(child_run(&plain, NULL, give_up, NULL, &r), -ECHILD);
        ck_assert_int_eq(WEXITSTATUS(r.status), 3);
        child_result_done(&r);
}
END_TEST

START_TEST(other_children_are_left_alone)
{
        pid_t other = fork();
        if (other == 0)
                _exit(7);
        struct child_result r;
        ck_assert_int_eq(run_text(&plain, "{}\n", &r), 0);
        child_result_done(&r);
        int status;
        ck_assert_int_eq(waitpid(other, &status, 0), other);
        ck_assert_int_eq(WEXITSTATUS(status), 7);
}
END_TEST

/* Bit per descriptor 3..34 that is open. */
static int list_descriptors(int fd, void *arg)
{
        (void)arg;
        unsigned int open_fds = 0;
        for (int i = 3; i < 35; i++)
                if (i != fd && fcntl(i, F_GETFD) >= 0)
                        open_fds |= 1U << (i - 3);
        dprintf(fd, "{\"open\":%u}\n", open_fds);
        return 0;
}

START_TEST(only_the_listed_descriptors_reach_the_worker)
{
        int secret = fcntl(0, F_DUPFD, 20), kept = fcntl(0, F_DUPFD, 22), secret2 = fcntl(0, F_DUPFD, 24);
        ck_assert(secret >= 20 && kept >= 22 && secret2 >= 24);
        struct child_result r;
        ck_assert_int_eq(child_run(&plain, (int[]){kept, -1}, list_descriptors, NULL, &r), 0);
        ck_assert_int_eq(json_integer_value(json_object_get(r.answer, "open")), 1LL << (kept - 3));
        child_result_done(&r);
}
END_TEST

/* Both: killed at once with SIGSYS. */
static int use_network(int fd, void *arg)
{
        (void)arg;
        dprintf(fd, "{\"socket\":%d}\n", socket(AF_UNIX, SOCK_STREAM, 0));
        return 0;
}

static int use_exec(int fd, void *arg)
{
        (void)arg;
        (void)fd;
        execl("/bin/true", "true", (char *)NULL);
        return 0;
}

START_TEST(a_confined_worker_dies_of_network_and_programs)
{
        static const child_fn bad[] = {use_network, use_exec};
        for (size_t i = 0; i < 2; i++) {
                struct child_result r;
                ck_assert_int_eq(child_run(&confined, NULL, bad[i], NULL, &r), -ECHILD);
                ck_assert(WIFSIGNALED(r.status));
                ck_assert_int_eq(WTERMSIG(r.status), SIGSYS);
                child_result_done(&r);
        }
}
END_TEST

static int look_around(int fd, void *arg)
{
        (void)arg;
        void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        int no_code = code == MAP_FAILED;
        int no_kill = kill(getppid(), 0) < 0;
        struct rlimit core;
        getrlimit(RLIMIT_CORE, &core);
        dprintf(fd, "{\"no_code\":%d,\"no_kill\":%d,\"core\":%d}\n", no_code, no_kill, (int)core.rlim_max);
        return 0;
}

START_TEST(a_confined_worker_has_no_code_of_its_own_no_victims_no_core)
{
        struct child_result r;
        ck_assert_int_eq(child_run(&confined, NULL, look_around, NULL, &r), 0);
        ck_assert_int_eq(json_integer_value(json_object_get(r.answer, "no_code")), 1);
        ck_assert_int_eq(json_integer_value(json_object_get(r.answer, "no_kill")), 1);
        ck_assert_int_eq(json_integer_value(json_object_get(r.answer, "core")), 0);
        child_result_done(&r);
}
END_TEST

static int effective_capabilities(int fd, void *path)
{
        char line[256];
        unsigned long long caps = ~0ULL;
        _cleanup_fclose_ FILE *f = fopen("/proc/self/status", "re");
        while (f && fgets(line, sizeof(line), f))
                if (sscanf(line, "CapEff: %llx", &caps) == 1)
                        break;
        int other = open(path, O_RDONLY | O_CLOEXEC), write_other = open(path, O_WRONLY | O_CLOEXEC);
        dprintf(fd, "{\"caps\":%llu,\"uid\":%d,\"read\":%d,\"write\":%d}\n", caps, (int)geteuid(), other >= 0,
                write_other >= 0);
        return 0;
}

static json_int_t answer(const struct child_result *r, const char *key)
{
        return json_integer_value(json_object_get(r->answer, key));
}

START_TEST(root_keeps_reading_and_nothing_else)
{
        if (geteuid() != 0)
                return;
        char path[] = "/tmp/vigil-child-XXXXXX";
        _cleanup_close_ int file = mkstemp(path);
        ck_assert_int_eq(fchown(file, 65534, 65534), 0);
        const char *const paths[] = {path, "/proc", NULL};
        struct child_options options = {.deadline_ms = 30000, .sandbox = true, .writable = paths};
        struct child_result r;
        ck_assert_int_eq(child_run(&options, NULL, effective_capabilities, path, &r), 0);
        ck_assert_int_eq(answer(&r, "caps"), 4); /* 1 << CAP_DAC_READ_SEARCH */
        ck_assert_int_eq(answer(&r, "read"), 1);
        ck_assert_int_eq(answer(&r, "write"), 0);
        child_result_done(&r);

        options.set_ids = true;
        options.uid = options.gid = 65534;
        ck_assert_int_eq(child_run(&options, NULL, effective_capabilities, path, &r), 0);
        ck_assert_int_eq(answer(&r, "uid"), 65534);
        ck_assert_int_eq(answer(&r, "caps"), 0);
        ck_assert_int_eq(answer(&r, "write"), 1);
        child_result_done(&r);
        unlink(path);
}
END_TEST

START_TEST(a_worker_that_cannot_be_confined_is_not_run)
{
        struct child_result r;
        ck_assert_int_eq(child_run(&confined, (int[]){STDOUT_FILENO, -1}, say, (void *)"{\"ran\":1}", &r), -ECHILD);
        ck_assert_int_eq(WEXITSTATUS(r.status), CHILD_NO_SANDBOX);
        ck_assert_int_eq(answer(&r, "sandbox"), -EINVAL);
        ck_assert_ptr_null(json_object_get(r.answer, "ran"));
        child_result_done(&r);
}
END_TEST

static void ignore_it(int sig)
{
        (void)sig;
}

static int look_at_signals(int fd, void *arg)
{
        (void)arg;
        sigset_t blocked;
        struct sigaction term, usr1;
        sigprocmask(SIG_SETMASK, NULL, &blocked);
        sigaction(SIGTERM, NULL, &term);
        sigaction(SIGUSR1, NULL, &usr1);
        dprintf(fd, "{\"blocked\":%d,\"default\":%d,\"group\":%d}\n", !sigisemptyset(&blocked),
                term.sa_handler == SIG_DFL && usr1.sa_handler == SIG_DFL, getpgrp() == getpid());
        return 0;
}

START_TEST(a_worker_has_default_signals_and_a_group_of_its_own)
{
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, NULL);
        signal(SIGTERM, SIG_IGN);
        signal(SIGUSR1, ignore_it);
        struct child_result r;
        ck_assert_int_eq(child_run(&plain, NULL, look_at_signals, NULL, &r), 0);
        ck_assert_int_eq(answer(&r, "blocked"), 0);
        ck_assert_int_eq(answer(&r, "default"), 1);
        ck_assert_int_eq(answer(&r, "group"), 1);
        child_result_done(&r);
}
END_TEST

static int answer_slowly(int fd, void *arg)
{
        (void)arg;
        for (int i = 0; i < 20; i++) {
                dprintf(fd, "{\"done\":%d,\"total\":20}\n", i);
                usleep(2000);
        }
        dprintf(fd, "{\"ok\":1}\n");
        return 0;
}

START_TEST(signals_of_the_parent_do_not_end_the_wait)
{
        sigaction(SIGALRM, &(struct sigaction){.sa_handler = ignore_it}, NULL);
        ualarm(500, 500);
        struct child_result r;
        int status = child_run(&plain, NULL, answer_slowly, NULL, &r);
        ualarm(0, 0);
        ck_assert_int_eq(status, 0);
        ck_assert_int_eq(answer(&r, "ok"), 1);
        child_result_done(&r);
}
END_TEST

static _Noreturn int hold_pipe(int fd, void *arg)
{
        dprintf(*(int *)arg, "%d\n", (int)getpid());
        hang(fd, NULL);
}

START_TEST(a_worker_dies_with_its_parent)
{
        int ends[2];
        ck_assert_int_eq(pipe(ends), 0);
        pid_t parent = fork();
        if (parent == 0) {
                struct child_result r;
                child_run(&confined, (int[]){ends[1], -1}, hold_pipe, &ends[1], &r);
                _exit(0);
        }
        close(ends[1]);
        char pid[32] = "";
        ck_assert_int_gt(read(ends[0], pid, sizeof(pid) - 1), 0);
        kill(parent, SIGKILL);
        ck_assert_int_eq(waitpid(parent, NULL, 0), parent);
        /* The worker holds the other end until it is dead. */
        ck_assert_int_eq(read(ends[0], pid, sizeof(pid)), 0);
}
END_TEST

static int allocate(int fd, void *arg)
{
        (void)arg;
        void *p = mmap(NULL, 512UL << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        dprintf(fd, "{\"got\":%d}\n", p != MAP_FAILED);
        return 0;
}

START_TEST(memory_is_limited_or_said_not_to_be)
{
        struct child_options options = {.deadline_ms = 30000, .sandbox = true, .memory_limit = 256UL << 20};
        struct child_result r;
        ck_assert_int_eq(child_run(&options, NULL, allocate, NULL, &r), 0);
        bool unlimited = r.unconfined && strstr(r.unconfined, "memory limit");
        ck_assert_int_eq(answer(&r, "got"), unlimited);
        child_result_done(&r);
}
END_TEST

/* Until it is over, asleep in between: how an event loop drives it. */
static int drive(struct child *c, struct child_result *ret)
{
        for (int wait; !child_turn(c, &wait);) {
                struct pollfd fd = {.fd = child_fd(c), .events = POLLIN};
                poll(&fd, 1, wait);
        }
        return child_finish(c, ret);
}

/* One that nothing wakes until it is killed does not make its parent wait. */
START_TEST(two_children_at_a_time_answer_each_for_itself)
{
        struct child *slow, *quick;
        struct child_result r;
        int wait;
        ck_assert_int_eq(child_start(&plain, NULL, hang, NULL, &slow), 0);
        ck_assert_int_eq(child_start(&plain, NULL, say, (void *)"{\"me\":1}\n", &quick), 0);
        ck_assert_int_eq(drive(quick, &r), 0);
        ck_assert_int_eq(json_integer_value(json_object_get(r.answer, "me")), 1);
        child_result_done(&r);

        ck_assert(!child_turn(slow, &wait));
        ck_assert_int_gt(wait, 0);
        child_kill(slow);
        ck_assert_int_eq(drive(slow, &r), -ECHILD);
        ck_assert_int_eq(WTERMSIG(r.status), SIGKILL);
        ck_assert(!r.timed_out);
        child_result_done(&r);
}
END_TEST

START_TEST(finishing_a_child_at_work_kills_it)
{
        struct child *c;
        struct child_result r;
        ck_assert_int_eq(child_start(&plain, NULL, hang, NULL, &c), 0);
        ck_assert_int_eq(child_finish(c, &r), -ECHILD);
        ck_assert_int_eq(WTERMSIG(r.status), SIGKILL);
        child_result_done(&r);
        ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

START_TEST(a_child_that_hangs_ends_in_the_turn_after_its_deadline)
{
        struct child_options options = {.deadline_ms = 50};
        struct child *c;
        struct child_result r;
        ck_assert_int_eq(child_start(&options, NULL, hang, NULL, &c), 0);
        ck_assert_int_eq(drive(c, &r), -ETIME);
        ck_assert(r.timed_out);
        child_result_done(&r);
}
END_TEST

static _Noreturn int chatter(int fd, void *arg)
{
        (void)arg;
        for (;;)
                dprintf(fd, "{\"done\":1,\"total\":2}\n");
}

START_TEST(a_child_that_never_stops_talking_does_not_keep_its_parent)
{
        struct child *c;
        struct child_result r;
        int wait;
        ck_assert_int_eq(child_start(&plain, NULL, chatter, NULL, &c), 0);
        struct pollfd fd = {.fd = child_fd(c), .events = POLLIN};
        ck_assert_int_eq(poll(&fd, 1, -1), 1);
        ck_assert(!child_turn(c, &wait));
        ck_assert_int_eq(child_finish(c, &r), -ECHILD);
        child_result_done(&r);
}
END_TEST

SUITE("child", the_last_line_is_the_answer, an_answer_needs_no_newline, rubbish_is_no_answer,
      progress_is_passed_on_and_is_no_answer, a_flood_is_cut_off, a_worker_that_hangs_is_killed,
      an_answer_before_a_crash_is_kept_but_is_no_success, a_status_other_than_zero_is_a_failure,
      other_children_are_left_alone, only_the_listed_descriptors_reach_the_worker,
      a_confined_worker_dies_of_network_and_programs, a_confined_worker_has_no_code_of_its_own_no_victims_no_core,
      root_keeps_reading_and_nothing_else, a_worker_that_cannot_be_confined_is_not_run,
      a_worker_has_default_signals_and_a_group_of_its_own, signals_of_the_parent_do_not_end_the_wait,
      a_worker_dies_with_its_parent, memory_is_limited_or_said_not_to_be,
      two_children_at_a_time_answer_each_for_itself, finishing_a_child_at_work_kills_it,
      a_child_that_hangs_ends_in_the_turn_after_its_deadline,
      a_child_that_never_stops_talking_does_not_keep_its_parent)
