/* test_wait_symbols.c - stacks of addresses, told by a list of symbols. */
#include "sensor/wait_symbols.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"

static struct wait_symbols symbols;

static void list(const char *text)
{
        char path[] = "/tmp/vigil-kallsyms-XXXXXX";
        int fd = mkstemp(path);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        close(fd);
        ck_assert_int_eq(wait_symbols_read(path, &symbols), 0);
        unlink(path);
}

#define KIND(...)                                                                                                  \
        wait_symbols_kind(&symbols, (const uint64_t[]){__VA_ARGS__},                                               \
                          sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

START_TEST(an_address_belongs_to_the_nearest_function_below_it)
{
        /* Modules come last, below the kernel's own; variables are no functions. */
        list("0000000000000010 T first\n0000000000000020 t io_schedule\n0000000000000028 d rwsem_down_data\n"
             "0000000000000030 T other\n0000000000000040 W do_nanosleep\n0000000000002000 t jbd2_x\t[jbd2]\n"
             "0000000000001000 t plain\t[other]\nnonsense\n");
        ck_assert_int_eq(KIND(0x5), WAIT_UNKNOWN);
        ck_assert_int_eq(KIND(0x1f), WAIT_UNKNOWN);
        ck_assert_int_eq(KIND(0x20), WAIT_DEVICE);
        ck_assert_int_eq(KIND(0x2f), WAIT_DEVICE);
        ck_assert_int_eq(KIND(0x30), WAIT_UNKNOWN);
        ck_assert_int_eq(KIND(0xfff), WAIT_APPLICATION);
        ck_assert_int_eq(KIND(0x1001), WAIT_UNKNOWN);
        ck_assert_int_eq(KIND(0x2001), WAIT_JOURNAL);
        ck_assert_int_eq(KIND(0x10, 0x22, 0x2001), WAIT_JOURNAL); /* the first rule that fits decides */
        wait_symbols_done(&symbols);
}
END_TEST

START_TEST(of_several_names_of_one_address_the_one_that_tells_counts)
{
        list("0000000000000010 T alias\n0000000000000010 t io_schedule\n0000000000000010 t zlias\n");
        ck_assert_int_eq(KIND(0x10), WAIT_DEVICE);
        wait_symbols_done(&symbols);
}
END_TEST

START_TEST(who_may_not_see_addresses_explains_nothing)
{
        list("0000000000000000 T first\n0000000000000000 T io_schedule\n");
        ck_assert_int_eq(KIND(0x1000), WAIT_UNKNOWN);
        ck_assert_int_eq(wait_symbols_read("/nowhere", &symbols), -ENOENT);
        wait_symbols_done(&symbols);
}
END_TEST

START_TEST(a_name_that_is_too_long_is_told_by_its_beginning)
{
        char text[300];

        snprintf(text, sizeof(text), "0000000000000100 T io_schedule%0200d\n", 7);
        list(text);
        ck_assert_int_eq(KIND(0x150), WAIT_DEVICE);
        wait_symbols_done(&symbols);
}
END_TEST

SUITE("functions that tell what is waited for", an_address_belongs_to_the_nearest_function_below_it,
      of_several_names_of_one_address_the_one_that_tells_counts, who_may_not_see_addresses_explains_nothing,
      a_name_that_is_too_long_is_told_by_its_beginning)
