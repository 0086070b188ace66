/* test_orchestrators.c - who is a member stays one. */
#include "suite.h"

#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/orchestrators_private.h"

START_TEST(a_member_whose_parent_has_ended_stays_one_after_a_reload)
{
        struct member member[] = {
                {.id = {.tgid = 10}, .ticks = 100},
                {.id = {.tgid = 20}, .ticks = 200, .ended_ns = 1},
                {.id = {.tgid = 30}, .ticks = 300},
        };
        struct orchestrator one[2] = {{0}, {.member = member, .n = 3}};
        const struct orchestrators s = {.one = one, .n = 2};
        struct host_process list[] = {
                {.stat = {.pid = 10, .ppid = 1, .ticks = 100}},
                {.stat = {.pid = 20, .ppid = 1, .ticks = 200}},
                {.stat = {.pid = 30, .ppid = 1, .ticks = 301}}, /* the number is another's by now */
                {.stat = {.pid = 40, .ppid = 10, .ticks = 400}},
        };

        orchestrators_recall(&s, list, 4);
        ck_assert_uint_eq(list[0].member, 2);
        ck_assert_uint_eq(list[1].member, 0);
        ck_assert_uint_eq(list[2].member, 0);
        ck_assert_uint_eq(list[3].member, 0); /* that is inherited */
}
END_TEST

static struct member child(bool with_pidfd)
{
        struct procinfo_stat stat;
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0)
                for (;;)
                        pause();
        ck_assert_int_eq(procinfo_stat((uint32_t)pid, &stat), 0);
        return (struct member){
                .id = {.tgid = (uint32_t)pid}, .ticks = stat.ticks, .pidfd = with_pidfd ? pidfd_open(pid, 0) : -1};
}

static void end(const struct member *m)
{
        kill((pid_t)m->id.tgid, SIGKILL);
        waitpid((pid_t)m->id.tgid, NULL, 0);
}

START_TEST(the_end_of_one_looks_at_no_proc_of_the_others)
{
        struct member member[] = {child(true), child(true), child(false)};
        struct orchestrator one = {.member = member, .n = 3, .living = 3};
        struct orchestrators s = {.one = &one, .n = 1, .epoll = -1, .watched = 2};

        ck_assert(!orchestrator_end_dead(&s, &one, true));
        end(&member[0]);
        end(&member[2]);
        ck_assert(orchestrator_end_dead(&s, &one, false));
        ck_assert_uint_ne(member[0].ended_ns, 0);
        ck_assert_uint_eq(member[1].ended_ns, 0);
        ck_assert_uint_eq(member[2].ended_ns, 0); /* seen by the next look at all */
        ck_assert(orchestrator_end_dead(&s, &one, true));
        ck_assert_uint_ne(member[2].ended_ns, 0);
        ck_assert_uint_eq(one.living, 1);
        end(&member[1]);
}
END_TEST

static struct procinfo_stat stat_of(pid_t pid)
{
        struct procinfo_stat stat;

        ck_assert_int_eq(procinfo_stat((uint32_t)pid, &stat), 0);
        return stat;
}

static pid_t sleeper(void)
{
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0)
                for (;;)
                        pause();
        return pid;
}

/* A process that has a child, and leads a group of its own if it is to. */
static pid_t parent_of_one(bool leads, pid_t *child)
{
        int ends[2];

        ck_assert_int_eq(pipe(ends), 0);
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                if (leads)
                        setpgid(0, 0);
                *child = sleeper();
                if (write(ends[1], child, sizeof(*child)) < 0)
                        _exit(1);
                for (;;)
                        pause();
        }
        ck_assert_int_eq(read(ends[0], child, sizeof(*child)), sizeof(*child));
        close(ends[0]);
        close(ends[1]);
        return pid;
}

static void kill_and_wait(pid_t pid)
{
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
}

static void lose_a_parent(bool leads)
{
        struct member root = {.root = true, .pidfd = -1};
        const struct orchestrator one = {.member = &root, .n = 1};
        pid_t orphan;

        pid_t pid = parent_of_one(leads, &orphan);
        const struct procinfo_stat was = stat_of(pid);
        root.id.tgid = was.pid;
        root.ticks = was.ticks;
        root.ppid = was.ppid;
        root.group = was.group;
        ck_assert_int_eq(root.group == root.id.tgid, leads);
        kill_and_wait(pid);
        pid_t anew = sleeper();
        root.ended_ns = clock_boottime_ns(); /* noticed late: both are there */

        const struct procinfo_stat left = stat_of(orphan), fresh = stat_of(anew);
        ck_assert_uint_ne(left.ppid, was.pid);
        ck_assert(orchestrator_is_left_behind(&one, &left));
        ck_assert(!orchestrator_is_left_behind(&one, &fresh));

        /* Nor is somebody who has taken nothing from it but the number of its group, long after. */
        root.ended_ns = procinfo_start_ns(left.ticks) - 1;
        ck_assert(!orchestrator_is_left_behind(&one, &left));
        kill(orphan, SIGKILL);
        kill_and_wait(anew);
}

START_TEST(who_has_lost_its_parent_replaces_nobody_and_who_is_begun_anew_does)
{
        lose_a_parent(false);
        lose_a_parent(true);
}
END_TEST

SUITE("orchestrators", a_member_whose_parent_has_ended_stays_one_after_a_reload,
      the_end_of_one_looks_at_no_proc_of_the_others,
      who_has_lost_its_parent_replaces_nobody_and_who_is_begun_anew_does)
