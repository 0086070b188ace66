/* test_proclocks.c - what /proc/locks says, and what it means to SQLite. */
#include <stdlib.h>

#include "bpf/abi.h"
#include "sensor/proclocks.h"
#include "suite.h"

static size_t parse(const char *text, struct proc_lock **ret)
{
        size_t n = 0;
        int cut;

        ck_assert_int_eq(proclocks_parse(text, ret, &n, &cut), 0);
        ck_assert_int_eq(cut, 0);
        return n;
}

START_TEST(a_write_lock_on_reserved_is_read)
{
        struct proc_lock *lock = NULL;
        size_t n = parse("1: POSIX  ADVISORY  WRITE 4242 fe:01:4711 1073741825 1073741825\n", &lock);

        ck_assert_uint_eq(n, 1);
        ck_assert_uint_eq(lock[0].tgid, 4242);
        ck_assert_uint_eq(lock[0].dev, 0xfe << 20 | 1);
        ck_assert_uint_eq(lock[0].ino, 4711);
        ck_assert_uint_eq(proclocks_bits(&lock[0], VIGIL_ROLE_MAIN), VIGIL_LOCK_RESERVED);
        ck_assert_uint_eq(proclocks_bits(&lock[0], VIGIL_ROLE_SHM), 0);
        free(lock);
}
END_TEST

START_TEST(merged_ranges_are_decoded_by_overlap)
{
        struct proc_lock *lock = NULL;
        size_t n = parse("1: POSIX  ADVISORY  WRITE 1 08:01:2 1073741824 1073742335\n"
                         "2: POSIX  ADVISORY  READ  1 08:01:3 124 128\n"
                         "3: POSIX  ADVISORY  WRITE 1 08:01:3 120 EOF\n",
                         &lock);

        ck_assert_uint_eq(n, 3);
        ck_assert_uint_eq(proclocks_bits(&lock[0], VIGIL_ROLE_MAIN),
                          VIGIL_LOCK_PENDING | VIGIL_LOCK_RESERVED | VIGIL_LOCK_EXCLUSIVE);
        ck_assert_uint_eq(proclocks_bits(&lock[1], VIGIL_ROLE_SHM), VIGIL_LOCK_WAL_READ1 | VIGIL_LOCK_WAL_READ2 |
                                                                            VIGIL_LOCK_WAL_READ3 |
                                                                            VIGIL_LOCK_WAL_READ4 | VIGIL_LOCK_DMS);
        ck_assert(proclocks_bits(&lock[2], VIGIL_ROLE_SHM) & VIGIL_LOCK_WAL_WRITE);
        ck_assert_uint_eq(lock[2].end, UINT64_MAX);
        free(lock);
}
END_TEST

START_TEST(flocks_and_nonsense_are_left_out)
{
        struct proc_lock *lock = NULL;
        size_t n = parse("1: FLOCK  ADVISORY  WRITE 1 08:01:2 0 EOF\n"
                         "2: LEASE  ACTIVE    READ  1 08:01:2 0 EOF\n"
                         "\n"
                         "hello\n"
                         "3: POSIX  ADVISORY  WRITE x 08:01:2 0 EOF\n"
                         "4: POSIX",
                         &lock);

        ck_assert_uint_eq(n, 0);
        free(lock);
}
END_TEST

START_TEST(a_waiter_is_told_from_a_holder)
{
        struct proc_lock *lock = NULL;
        size_t n = parse("1: POSIX  ADVISORY  WRITE 1 08:01:2 120 120\n"
                         "1: -> POSIX  ADVISORY  WRITE 2 08:01:2 120 120\n"
                         "1:    -> POSIX  ADVISORY  WRITE 3 08:01:2 120 120\n",
                         &lock);

        ck_assert_uint_eq(n, 3);
        ck_assert_int_eq(lock[0].waits, 0);
        ck_assert_int_eq(lock[1].waits, 1);
        ck_assert_int_eq(lock[2].waits, 1);
        ck_assert_uint_eq(lock[2].tgid, 3);
        free(lock);
}
END_TEST

START_TEST(a_lock_of_an_open_file_has_no_owner)
{
        struct proc_lock *lock = NULL;
        size_t n = parse("1: OFDLCK ADVISORY  READ -1 08:01:2 123 123\n", &lock);

        ck_assert_uint_eq(n, 1);
        ck_assert_uint_eq(lock[0].tgid, 0);
        ck_assert_uint_eq(proclocks_bits(&lock[0], VIGIL_ROLE_SHM), VIGIL_LOCK_WAL_READ0);
        free(lock);
}
END_TEST

START_TEST(the_running_kernel_can_be_read)
{
        struct proc_lock *lock = NULL;
        size_t n = 0;
        int cut;

        ck_assert_int_eq(proclocks_read(&lock, &n, &cut), 0);
        free(lock);
}
END_TEST

SUITE("proclocks", a_write_lock_on_reserved_is_read, merged_ranges_are_decoded_by_overlap,
      flocks_and_nonsense_are_left_out, a_waiter_is_told_from_a_holder, a_lock_of_an_open_file_has_no_owner,
      the_running_kernel_can_be_read)
