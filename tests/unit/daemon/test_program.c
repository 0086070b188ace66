/* test_program.c - starts of one program are known for it, whatever their manager calls them. */
#include "daemon/program.h"

#include <stddef.h>

#include "suite.h"

/* Of a start without arguments. */
static uint64_t key(const char *exe, const char *cgroup)
{
        return program_key(exe, NULL, 0, cgroup);
}

/* Of a start with these, each with a NUL behind it. */
#define STARTED(argv) program_key("/usr/bin/python3.11", argv, sizeof(argv) - 1, "/system.slice/cron.service")

START_TEST(the_same_file_in_the_same_place_is_the_same_program)
{
        ck_assert_uint_eq(key("/usr/bin/app", "/system.slice/app.service"),
                          key("/usr/bin/app", "/system.slice/app.service"));
        ck_assert_uint_ne(key("/usr/bin/app", "/system.slice/app.service"),
                          key("/usr/bin/app", "/system.slice/other.service"));
        ck_assert_uint_ne(key("/usr/bin/app", NULL), key("/usr/bin/other", NULL));
        ck_assert_uint_eq(key("/usr/bin/app", NULL), key("/usr/bin/app", ""));
}
END_TEST

START_TEST(ids_that_are_made_up_for_each_start_do_not_count)
{
        static const char *const starts[][2] = {
                {"/docker/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                 "/docker/fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"},
                {"/system.slice/run-r0123456789abcdef0123456789abcdef.scope",
                 "/system.slice/run-rfedcba9876543210fedcba9876543210.scope"},
                {"/lxc/a/0123456789ab/x", "/lxc/a/ba9876543210/x"},
        };
        for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
                ck_assert_uint_eq(key("/app", starts[i][0]), key("/app", starts[i][1]));
        ck_assert_uint_ne(key("/app", "/a/cafe"), key("/app", "/a/beef"));
        ck_assert_uint_ne(key("/app", "/a/0123456789ab/x"), key("/app", "/a/0123456789ab/y"));
}
END_TEST

START_TEST(two_scripts_of_one_interpreter_are_two_programs)
{
        ck_assert_uint_ne(STARTED("python3\0hold.py\0orders.db\0"), STARTED("python3\0writer.py\0orders.db\0"));
        ck_assert_uint_eq(STARTED("python3\0-u\0writer.py\0--batch\0"), STARTED("python3\0writer.py\0"));
        ck_assert_uint_ne(STARTED("python3\0-m\0importer\0"), STARTED("python3\0-m\0exporter\0"));
        ck_assert_uint_ne(STARTED("python3\0-W\0ignore\0a.py\0"), STARTED("python3\0-W\0ignore\0b.py\0"));
        ck_assert_uint_ne(STARTED("python3\0w1.py\0"), STARTED("python3\0"));
        ck_assert_uint_eq(STARTED("python3\0w1.py"), STARTED("python3\0w1.py\0"));
}
END_TEST

START_TEST(what_only_says_which_start_it_is_does_not_count)
{
        ck_assert_uint_eq(STARTED("worker\0008812\0import\0"), STARTED("worker\0008813\0import\0"));
        ck_assert_uint_eq(STARTED("worker\0/tmp/0123456789ab.job\0"), STARTED("worker\0/tmp/ba9876543210.job\0"));
        ck_assert_uint_eq(STARTED("worker\0008812\0"), STARTED("worker\0"));
        ck_assert_uint_eq(STARTED("worker\0\0--\0"), STARTED("worker\0"));
}
END_TEST

START_TEST(a_program_that_is_not_known_is_none)
{
        ck_assert_uint_eq(key(NULL, "/a"), 0);
        ck_assert_uint_eq(key("", "/a"), 0);
        ck_assert_uint_ne(key("/app", NULL), 0);
}
END_TEST

SUITE("program", the_same_file_in_the_same_place_is_the_same_program,
      ids_that_are_made_up_for_each_start_do_not_count, two_scripts_of_one_interpreter_are_two_programs,
      what_only_says_which_start_it_is_does_not_count, a_program_that_is_not_known_is_none)
