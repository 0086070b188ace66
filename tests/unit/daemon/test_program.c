/* test_program.c - starts of one program are known for it, whatever their manager calls them. */
#include "daemon/program.h"

#include <stddef.h>

#include "suite.h"

START_TEST(the_same_file_in_the_same_place_is_the_same_program)
{
        ck_assert_uint_eq(program_key("/usr/bin/app", "/system.slice/app.service"),
                          program_key("/usr/bin/app", "/system.slice/app.service"));
        ck_assert_uint_ne(program_key("/usr/bin/app", "/system.slice/app.service"),
                          program_key("/usr/bin/app", "/system.slice/other.service"));
        ck_assert_uint_ne(program_key("/usr/bin/app", NULL), program_key("/usr/bin/other", NULL));
        ck_assert_uint_eq(program_key("/usr/bin/app", NULL), program_key("/usr/bin/app", ""));
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
                ck_assert_uint_eq(program_key("/app", starts[i][0]), program_key("/app", starts[i][1]));
        ck_assert_uint_ne(program_key("/app", "/a/cafe"), program_key("/app", "/a/beef"));
        ck_assert_uint_ne(program_key("/app", "/a/0123456789ab/x"), program_key("/app", "/a/0123456789ab/y"));
}
END_TEST

START_TEST(a_program_that_is_not_known_is_none)
{
        ck_assert_uint_eq(program_key(NULL, "/a"), 0);
        ck_assert_uint_eq(program_key("", "/a"), 0);
        ck_assert_uint_ne(program_key("/app", NULL), 0);
}
END_TEST

SUITE("program", the_same_file_in_the_same_place_is_the_same_program,
      ids_that_are_made_up_for_each_start_do_not_count, a_program_that_is_not_known_is_none)
