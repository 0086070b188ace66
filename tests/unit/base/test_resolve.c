/* test_resolve.c - a path, its links, and files that are not there yet. */
#include "base/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "suite.h"

static char dir[] = "/tmp/vigil-test-resolve-XXXXXX";

static void remove_all(void)
{
        char command[64];

        snprintf(command, sizeof(command), "rm -rf %s", dir);
        if (system(command) != 0) /* NOLINT(cert-env33-c): a fixed command on a directory of our own */
                perror("rm");
}

/* A directory, which becomes the current one. */
static void begin(void)
{
        ck_assert_ptr_nonnull(mkdtemp(dir));
        atexit(remove_all);
        ck_assert_int_eq(chdir(dir), 0);
}

static void leads(const char *path, const char *to)
{
        char found[PATH_MAX], wanted[PATH_MAX];

        ck_assert_int_eq(resolve_file(path, found), 0);
        snprintf(wanted, sizeof(wanted), "%s/%s", dir, to);
        ck_assert_str_eq(found, wanted);
}

START_TEST(a_link_leads_to_its_file_be_it_there_or_not)
{
        char to[PATH_MAX];

        begin();
        snprintf(to, sizeof(to), "%s/real/a.db", dir);
        ck_assert_int_eq(mkdir("real", 0700), 0);
        ck_assert_int_eq(symlink("real/s.db", "link.db"), 0);
        ck_assert_int_eq(symlink("link.db", "twice.db"), 0);
        ck_assert_int_eq(symlink(to, "absolute.db"), 0);
        ck_assert_int_eq(symlink("real", "directory"), 0);
        leads("new.db", "new.db");
        leads("link.db", "real/s.db");
        leads("twice.db", "real/s.db");
        leads("absolute.db", "real/a.db");
        leads("directory/new.db", "real/new.db");
        close(open("real/s.db", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        leads("twice.db", "real/s.db");
}
END_TEST

START_TEST(what_leads_nowhere_is_an_error)
{
        char found[PATH_MAX], deep[PATH_MAX + 10];

        begin();
        ck_assert_int_eq(symlink("round.db", "round.db"), 0);
        ck_assert_int_eq(resolve_file("round.db", found), -ELOOP);
        ck_assert_int_eq(symlink("nowhere/s.db", "lost.db"), 0);
        ck_assert_int_eq(resolve_file("lost.db", found), -ENOENT);
        ck_assert_int_eq(resolve_file("nowhere/s.db", found), -ENOENT);
        ck_assert_int_eq(resolve_file("lost.db/", found), -ENOENT);
        memset(deep, 'a', sizeof(deep) - 1);
        deep[sizeof(deep) - 1] = '\0';
        ck_assert_int_eq(resolve_file(deep, found), -ENAMETOOLONG);
}
END_TEST

/* /proc/PID/fd of a file without a name: no path leads there, and the link itself does. */
START_TEST(a_link_that_only_the_kernel_can_follow_stays)
{
        char found[PATH_MAX], path[64], wanted[64];

        begin();
        int fd = open("gone.db", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(unlink("gone.db"), 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        snprintf(wanted, sizeof(wanted), "/proc/%d/fd/%d", getpid(), fd);
        ck_assert_int_eq(resolve_file(path, found), 0);
        ck_assert_str_eq(found, wanted);
        close(fd);
}
END_TEST

SUITE("resolve", a_link_leads_to_its_file_be_it_there_or_not, what_leads_nowhere_is_an_error,
      a_link_that_only_the_kernel_can_follow_stays)
