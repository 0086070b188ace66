/* test_statedir.c - one daemon, in a directory of its own. */
#include "daemon/statedir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

SUITE("statedir", it_is_made_for_its_owner_alone, a_second_one_is_refused_until_the_first_has_ended,
      one_where_others_may_write_is_refused, a_file_and_a_missing_parent_are_told_apart)
