/* test_statedir.c - one daemon, in a directory of its own. */
#include "daemon/statedir.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor/procinfo.h"
#include "suite.h"

static char base[] = "/tmp/vigil-test-statedir-XXXXXX";
static char dir[64];

static void remove_all(void)
{
        static const char *const names[] = {"lock", "backups", "evidence"};
        char path[128];

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
                remove(path);
        }
        remove(dir);
        remove(base);
}

static void begin(void)
{
        ck_assert_ptr_nonnull(mkdtemp(base));
        snprintf(dir, sizeof(dir), "%s/S", base);
        atexit(remove_all);
}

START_TEST(it_is_made_for_its_owner_alone)
{
        struct statedir s = STATEDIR_NONE;
        char why[STATEDIR_WHY_LEN];
        struct stat st;

        begin();
        ck_assert_msg(statedir_open(dir, &s, why) == 0, "%s", why);
        ck_assert_int_eq(stat(dir, &st), 0);
        ck_assert_int_eq(st.st_mode & 07777, 0700);
        ck_assert_str_eq(s.path, dir);
        ck_assert_int_eq(statedir_make(&s, "evidence"), 0); /* there already */
        statedir_close(&s);
        ck_assert_int_eq(s.dirfd, -1);
}
END_TEST

START_TEST(one_that_was_there_keeps_its_mode_and_what_is_made_in_it_is_for_its_owner_alone)
{
        struct statedir s = STATEDIR_NONE;
        char why[STATEDIR_WHY_LEN];
        struct stat st;

        begin();
        ck_assert_int_eq(mkdir(dir, 0700), 0);
        ck_assert_int_eq(chmod(dir, 0755), 0);
        ck_assert_msg(statedir_open(dir, &s, why) == 0, "%s", why);
        ck_assert_int_eq(stat(dir, &st), 0);
        ck_assert_int_eq(st.st_mode & 07777, 0755);
        ck_assert_int_eq(fstatat(s.dirfd, "backups", &st, 0), 0);
        ck_assert_int_eq(st.st_mode & 07777, 0700);
        ck_assert_int_eq(fstatat(s.dirfd, "evidence", &st, 0), 0);
        ck_assert_int_eq(st.st_mode & 07777, 0700);
        statedir_close(&s);
}
END_TEST

START_TEST(a_second_one_is_refused_until_the_first_has_ended)
{
        struct statedir first = STATEDIR_NONE, second = STATEDIR_NONE;
        char why[STATEDIR_WHY_LEN], pid[16];

        begin();
        ck_assert_int_eq(statedir_open(dir, &first, why), 0);
        ck_assert_int_eq(statedir_open(dir, &second, why), -EWOULDBLOCK);
        snprintf(pid, sizeof(pid), "(pid %d)", getpid());
        ck_assert_msg(strstr(why, pid) != NULL, "%s", why);
        ck_assert_int_eq(second.dirfd, -1);
        statedir_close(&first);
        ck_assert_int_eq(statedir_open(dir, &second, why), 0);
        statedir_close(&second);
}
END_TEST

/* A daemon that is killed, and its child, which holds the lock for some moments more. @return who has died and is not reaped */
static pid_t leave_a_child(void)
{
        pid_t daemon = fork();

        ck_assert_int_ge(daemon, 0);
        if (daemon == 0) {
                struct statedir s = STATEDIR_NONE;
                char why[STATEDIR_WHY_LEN];
                int ready[2];
                char byte;
                if (pipe(ready) < 0 || statedir_open(dir, &s, why) < 0)
                        _exit(1);
                if (fork() == 0) {
                        (void)!write(ready[1], "", 1);
                        usleep(200000);
                        _exit(0);
                }
                if (read(ready[0], &byte, 1) != 1)
                        _exit(1);
                raise(SIGKILL);
        }
        siginfo_t info;
        ck_assert_int_eq(waitid(P_PID, (id_t)daemon, &info, WEXITED | WNOWAIT), 0);
        ck_assert_int_eq(info.si_code, CLD_KILLED);
        return daemon;
}

static void write_lock(const char *text)
{
        char path[80];

        snprintf(path, sizeof(path), "%s/lock", dir);
        FILE *f = fopen(path, "w");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(text, f), 0);
        ck_assert_int_eq(fclose(f), 0);
}

START_TEST(a_child_of_a_dead_one_is_waited_for_also_while_that_is_a_zombie)
{
        struct statedir s = STATEDIR_NONE;
        char why[STATEDIR_WHY_LEN];

        begin();
        pid_t zombie = leave_a_child();
        ck_assert_msg(statedir_open(dir, &s, why) == 0, "%s", why);
        ck_assert_int_eq(waitpid(zombie, NULL, 0), zombie);
        statedir_close(&s);
}
END_TEST

/* The number of the dead one is given to another, here to ourselves: started at another time it is not the one that took the lock. */
START_TEST(whoever_has_the_number_of_a_dead_one_is_not_taken_for_it)
{
        struct statedir s = STATEDIR_NONE;
        struct procinfo_stat self;
        char why[STATEDIR_WHY_LEN], text[64];

        begin();
        ck_assert_int_eq(procinfo_stat((uint32_t)getpid(), &self), 0);
        ck_assert_int_gt(waitpid(leave_a_child(), NULL, 0), 0);
        snprintf(text, sizeof(text), "%d %llu\n", getpid(), (unsigned long long)self.ticks + 1);
        write_lock(text);
        ck_assert_msg(statedir_open(dir, &s, why) == 0, "%s", why);
        statedir_close(&s);
}
END_TEST

/* As an earlier version wrote it. */
START_TEST(a_number_without_a_start_is_whoever_has_it)
{
        struct statedir first = STATEDIR_NONE, second = STATEDIR_NONE;
        char why[STATEDIR_WHY_LEN], text[32];

        begin();
        ck_assert_int_eq(statedir_open(dir, &first, why), 0);
        snprintf(text, sizeof(text), "%d\n", getpid());
        write_lock(text);
        ck_assert_int_eq(statedir_open(dir, &second, why), -EWOULDBLOCK);
        statedir_close(&first);
}
END_TEST

START_TEST(one_where_others_may_write_is_refused)
{
        struct statedir s = STATEDIR_NONE;
        char why[STATEDIR_WHY_LEN];

        begin();
        ck_assert_int_eq(mkdir(dir, 0700), 0);
        ck_assert_int_eq(chmod(dir, 0720), 0);
        ck_assert_int_eq(statedir_open(dir, &s, why), -EPERM);
        ck_assert_msg(strstr(why, "others may write in it") != NULL, "%s", why);
}
END_TEST

START_TEST(a_file_and_a_missing_parent_are_told_apart)
{
        struct statedir s = STATEDIR_NONE;
        char why[STATEDIR_WHY_LEN], path[80];

        begin();
        snprintf(path, sizeof(path), "%s/below", dir);
        ck_assert_int_eq(statedir_open(path, &s, why), -ENOENT);
        ck_assert_msg(strstr(why, "make the directory above it first") != NULL, "%s", why);
        FILE *f = fopen(dir, "w");
        ck_assert_ptr_nonnull(f);
        fclose(f);
        ck_assert_int_eq(statedir_open(dir, &s, why), -ENOTDIR);
}
END_TEST

SUITE("statedir", it_is_made_for_its_owner_alone,
      one_that_was_there_keeps_its_mode_and_what_is_made_in_it_is_for_its_owner_alone,
      a_second_one_is_refused_until_the_first_has_ended,
      a_child_of_a_dead_one_is_waited_for_also_while_that_is_a_zombie,
      whoever_has_the_number_of_a_dead_one_is_not_taken_for_it, a_number_without_a_start_is_whoever_has_it,
      one_where_others_may_write_is_refused, a_file_and_a_missing_parent_are_told_apart)
