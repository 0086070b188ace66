/* test_lockdir.c - private directories that are known by a lock: whose maker lives stays, what a dead one left goes. */
#include "base/lockdir.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"

static const char *const inside[] = {"file", "either", NULL};
static const struct lockdir_kind kind = {.prefix = "vigil-test-", .inside = inside};

static char top[] = "/tmp/vigil-test-lockdir-XXXXXX";

static int make_top(void)
{
        ck_assert_ptr_nonnull(mkdtemp(top));
        int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        return fd;
}

/* Nothing is left in it. */
static void end_top(int parent)
{
        close(parent);
        ck_assert_int_eq(rmdir(top), 0);
}

static bool is_there(int parent, const char *name)
{
        struct stat st;

        return fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A maker with a file and a directory in it, who is killed. */
static void leave_one(int parent, char name[LOCKDIR_NAME_LEN])
{
        int ends[2], status;

        ck_assert_int_eq(pipe(ends), 0);
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                struct lockdir l;
                if (lockdir_make(parent, &kind, &l) == 0 && mkdirat(l.dir, "either", 0700) == 0 &&
                    openat(l.dir, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0 &&
                    write(ends[1], l.name, sizeof(l.name)) == sizeof(l.name))
                        raise(SIGKILL);
                _exit(1);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status));
        ck_assert_int_eq(read(ends[0], name, LOCKDIR_NAME_LEN), LOCKDIR_NAME_LEN);
        close(ends[0]);
        close(ends[1]);
}

START_TEST(what_a_killed_maker_left_is_swept_and_the_living_keep_theirs)
{
        struct lockdir living, next;
        char dead[LOCKDIR_NAME_LEN], living_name[LOCKDIR_NAME_LEN];
        int parent = make_top();

        ck_assert_int_eq(lockdir_make(parent, &kind, &living), 0);
        memcpy(living_name, living.name, sizeof(living_name));
        leave_one(parent, dead);
        ck_assert(is_there(parent, dead));
        ck_assert_int_eq(lockdir_make(parent, &kind, &next), 0);
        ck_assert(!is_there(parent, dead));
        ck_assert(is_there(parent, living.name));
        lockdir_remove(&living, &kind);
        ck_assert(!is_there(parent, living_name));
        ck_assert(is_there(parent, next.name));
        lockdir_remove(&next, &kind);
        lockdir_remove(&next, &kind);
        end_top(parent);
}
END_TEST

START_TEST(what_is_called_otherwise_or_holds_something_else_stays)
{
        const char *other = "vigil-test-abcdef", *strange = "vigil-test-0123456789abcdef";
        struct lockdir l;
        int parent = make_top();

        ck_assert_int_eq(mkdirat(parent, other, 0700), 0);
        ck_assert_int_eq(mkdirat(parent, strange, 0700), 0);
        ck_assert_int_eq(mkdirat(parent, "vigil-test-0123456789abcdef/mine", 0700), 0);
        ck_assert_int_eq(lockdir_make(parent, &kind, &l), 0);
        ck_assert(is_there(parent, other));
        ck_assert(is_there(parent, "vigil-test-0123456789abcdef/mine"));
        lockdir_remove(&l, &kind);
        ck_assert_int_eq(unlinkat(parent, "vigil-test-0123456789abcdef/mine", AT_REMOVEDIR), 0);
        ck_assert_int_eq(unlinkat(parent, strange, AT_REMOVEDIR), 0);
        ck_assert_int_eq(unlinkat(parent, other, AT_REMOVEDIR), 0);
        end_top(parent);
}
END_TEST

START_TEST(where_nothing_can_be_made_that_is_told)
{
        struct lockdir l = LOCKDIR_NONE;
        int file = open("/dev/null", O_RDONLY | O_CLOEXEC);

        ck_assert_int_eq(lockdir_make(file, &kind, &l), -ENOTDIR);
        ck_assert_int_eq(l.dir, -1);
        close(file);
}
END_TEST

SUITE("lockdir", what_a_killed_maker_left_is_swept_and_the_living_keep_theirs,
      what_is_called_otherwise_or_holds_something_else_stays, where_nothing_can_be_made_that_is_told)
