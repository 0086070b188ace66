/* test_kallsyms.c - names of addresses out of a list of symbols. */
#include "sensor/kallsyms.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"

static char path[] = "/tmp/vigil-kallsyms-XXXXXX";

static void list(const char *text)
{
        int fd = mkstemp(path);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        close(fd);
}

START_TEST(an_address_has_the_name_of_the_nearest_function_below_it)
{
        struct kernel_address a[] = {
                {.address = 0x35}, {.address = 0x10}, {.address = 0x5}, {.address = 0x3000}, {.address = 0x36}};

        /* Modules come last, below the kernel's own; variables are no functions. */
        list("0000000000000010 T first\n0000000000000020 t second\n0000000000000030 d data\n"
             "0000000000000040 W weak\n0000000000002000 t in_module\t[jbd2]\nnonsense\n");
        ck_assert_int_eq(kallsyms_name(path, a, 5), 0);
        unlink(path);
        ck_assert_uint_eq(a[0].address, 0x5); /* sorted */
        ck_assert_str_eq(a[0].name, "");
        ck_assert_str_eq(a[1].name, "first");
        ck_assert_str_eq(a[2].name, "second");
        ck_assert_str_eq(a[3].name, "second");
        ck_assert_str_eq(a[4].name, "in_module");
}
END_TEST

START_TEST(who_may_not_see_addresses_gets_no_names)
{
        struct kernel_address a = {.address = 0x1000};

        list("0000000000000000 T first\n0000000000000000 T second\n");
        ck_assert_int_eq(kallsyms_name(path, &a, 1), 0);
        unlink(path);
        ck_assert_str_eq(a.name, "");
        ck_assert_int_eq(kallsyms_name("/nowhere", &a, 1), -ENOENT);
}
END_TEST

START_TEST(a_name_that_is_too_long_is_cut)
{
        struct kernel_address a = {.address = 0x1000};
        char text[300];

        snprintf(text, sizeof(text), "0000000000000100 T %0200d\n", 7);
        list(text);
        ck_assert_int_eq(kallsyms_name(path, &a, 1), 0);
        unlink(path);
        ck_assert_uint_eq(strlen(a.name), KALLSYMS_NAME - 1);
}
END_TEST

SUITE("names of the kernel's functions", an_address_has_the_name_of_the_nearest_function_below_it,
      who_may_not_see_addresses_gets_no_names, a_name_that_is_too_long_is_cut)
