/* test_procinfo.c - what /proc says of a process. */
#include "suite.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor/procinfo.h"

START_TEST(a_name_may_hold_anything)
{
        struct procinfo_stat s;

        ck_assert_int_eq(procinfo_parse_stat(
                                 "4711 (a) b (c) S 12 4711 1 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2", &s),
                         0);
        ck_assert_uint_eq(s.pid, 4711);
        ck_assert_uint_eq(s.ppid, 12);
        ck_assert_uint_eq(s.group, 4711);
        ck_assert_str_eq(s.comm, "a) b (c");
        ck_assert_int_eq(s.state, 'S');
        ck_assert_uint_eq(s.ticks, 987654);
        ck_assert_uint_eq(s.image, 0); /* it does not say */
        ck_assert(!procinfo_is_over(&s));
        s.state = 'Z';
        ck_assert(procinfo_is_over(&s));
        s.threads = 2; /* its first thread has ended, and another goes on */
        ck_assert(!procinfo_is_over(&s));
        ck_assert_int_eq(procinfo_parse_stat("4711 (a S 12", &s), -EBADMSG);
        ck_assert_int_eq(procinfo_parse_stat("", &s), -EBADMSG);
        ck_assert_int_eq(procinfo_parse_stat("4711 (a) S 12 4711", &s), -EBADMSG);
}
END_TEST

START_TEST(the_cgroup_that_says_most_is_taken)
{
        char path[PROCINFO_CGROUP];

        procinfo_parse_cgroup("0::/system.slice/batch.service\n", path);
        ck_assert_str_eq(path, "/system.slice/batch.service");
        procinfo_parse_cgroup("5:memory:/x/y/z/memory\n1:name=systemd:/system.slice/batch.service\n0::/\n", path);
        ck_assert_str_eq(path, "/system.slice/batch.service");
        procinfo_parse_cgroup("rubbish", path);
        ck_assert_str_eq(path, "");
}
END_TEST

START_TEST(of_this_process_everything_is_known)
{
        struct procinfo_stat stat;
        struct procinfo p;

        ck_assert_int_eq(procinfo_stat((uint32_t)getpid(), &stat), 0);
        ck_assert_int_eq(procinfo_read(&stat, PROCINFO_ALL, &p), 0);
        ck_assert_uint_eq(p.stat.ppid, (uint32_t)getppid());
        ck_assert_uint_eq(p.uid, getuid());
        ck_assert_ptr_nonnull(strstr(p.cmdline, "procinfo"));
        ck_assert_ptr_nonnull(strstr(p.exe, "procinfo"));
        ck_assert_uint_eq(procinfo_ticks(procinfo_start_ns(p.stat.ticks)), p.stat.ticks);
        ck_assert_int_eq(procinfo_read(&stat, 0, &p), 0);
        ck_assert_ptr_nonnull(strstr(p.cmdline, "procinfo"));
        ck_assert_str_eq(p.exe, "");
        ck_assert(procinfo_is_still(&stat));
        stat.ticks--; /* another one that had the number */
        ck_assert(!procinfo_is_still(&stat));
}
END_TEST

START_TEST(an_exec_is_seen_by_the_image)
{
        struct procinfo_stat mine, childs = {0};

        ck_assert_int_eq(procinfo_stat((uint32_t)getpid(), &mine), 0);
        ck_assert_uint_ne(mine.image, 0);
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                if (procinfo_stat((uint32_t)getpid(), &childs) == 0 && childs.image == mine.image)
                        execlp("sleep", "sleep", "60", NULL);
                _exit(1);
        }
        for (int i = 0; i < 10000 && (strcmp(childs.comm, "sleep") != 0 || childs.image == mine.image); i++) {
                usleep(1000);
                ck_assert_int_eq(procinfo_stat((uint32_t)pid, &childs), 0);
        }
        ck_assert_str_eq(childs.comm, "sleep");
        ck_assert_uint_ne(childs.image, mine.image);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
}
END_TEST

static int count(uint32_t pid, void *userdata)
{
        if (pid == (uint32_t)getpid())
                ++*(int *)userdata;
        return 0;
}

START_TEST(each_process_is_told_once_and_one_that_is_gone_is_none)
{
        struct procinfo_stat s;
        int n = 0;

        ck_assert_int_eq(procinfo_each(count, &n), 0);
        ck_assert_int_eq(n, 1);
        ck_assert_int_eq(procinfo_stat(4194304, &s), -ESRCH);
}
END_TEST

START_TEST(the_number_of_a_process_is_that_of_its_own_namespace)
{
        uint32_t pid = 7;

        ck_assert_int_eq(procinfo_parse_own_pid("Name:\tpython3\nNSpid:\t4711\t310\t31\nNSsid:\t1\n", &pid), 0);
        ck_assert_uint_eq(pid, 31);
        ck_assert_int_eq(procinfo_parse_own_pid("Name:\tpython3\nNSpid:\t4711\n", &pid), 0);
        ck_assert_uint_eq(pid, 4711);
        ck_assert_int_eq(procinfo_parse_own_pid("Name:\tpython3\nNSpid:\t\nNSsid:\t1\n", &pid), -EBADMSG);
        ck_assert_int_eq(procinfo_parse_own_pid("Name:\tpython3\n", &pid), -EBADMSG);
        ck_assert_uint_eq(pid, 4711);
        ck_assert_int_eq(procinfo_own_pid((uint32_t)getpid(), &pid), 0);
        ck_assert_uint_eq(pid, (uint32_t)getpid());
}
END_TEST

SUITE("procinfo", the_number_of_a_process_is_that_of_its_own_namespace, a_name_may_hold_anything,
      the_cgroup_that_says_most_is_taken, of_this_process_everything_is_known, an_exec_is_seen_by_the_image,
      each_process_is_told_once_and_one_that_is_gone_is_none)
