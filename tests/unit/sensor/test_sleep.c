/* test_sleep.c - what a thread that sleeps waits for, out of the texts of procfs. */
#include "sensor/sleep.h"
#include "suite.h"

#include <string.h>
#include <sys/syscall.h>

START_TEST(a_call_is_read_with_its_arguments)
{
        long number;
        uint64_t a[SLEEP_ARGUMENTS];

        ck_assert(sleep_call("281 0xe 0x7ffeeddae680 0x400 0x3e8 0x0 0x8 0x7ffe 0x7f14\n", &number, a));
        ck_assert_int_eq(number, 281);
        ck_assert_uint_eq(a[0], 14);
        ck_assert_uint_eq(a[2], 0x400);
        ck_assert_uint_eq(a[3], 0x3e8);
        ck_assert(!sleep_call("running\n", &number, a));
        ck_assert(!sleep_call("-1 0x7ffe 0x7f14\n", &number, a)); /* it sleeps in no call */
        ck_assert(!sleep_call("", &number, a));
}
END_TEST

START_TEST(what_is_read_says_the_descriptor)
{
        const uint64_t a[SLEEP_ARGUMENTS] = {3, 0, 1};
        bool by_descriptor;

        sleep_of_call(SYS_recvfrom, a, &by_descriptor);
        ck_assert(by_descriptor);
        sleep_of_call(SYS_read, a, &by_descriptor);
        ck_assert(by_descriptor);
        ck_assert_int_eq(sleep_of_call(SYS_accept4, a, &by_descriptor),
                         SLEEP_EVENTS); /* a client is nobody it waits for */
        ck_assert(!by_descriptor);
        ck_assert_int_eq(sleep_of_link("socket:[4711]"), SLEEP_MESSAGE);
        ck_assert_int_eq(sleep_of_link("pipe:[4711]"), SLEEP_PIPE);
        ck_assert_int_eq(sleep_of_link("/dev/pts/3"), SLEEP_TERMINAL);
        ck_assert_int_eq(sleep_of_link("/srv/socket:[4711]"), SLEEP_OTHER);
        ck_assert_uint_eq(sleep_socket("socket:[4711]"), 4711);
        ck_assert_uint_eq(sleep_socket("pipe:[4711]"), 0);
}
END_TEST

START_TEST(a_poll_of_nothing_is_a_sleep)
{
        const uint64_t none[SLEEP_ARGUMENTS] = {0, 0, 1000}, one[SLEEP_ARGUMENTS] = {0x7ffe, 1, 1000};
        bool by_descriptor;

        ck_assert_int_eq(sleep_of_call(SYS_ppoll, none, &by_descriptor), SLEEP_TIMER);
        ck_assert_int_eq(sleep_of_call(SYS_ppoll, one, &by_descriptor), SLEEP_EVENTS);
        ck_assert_int_eq(sleep_of_call(SYS_pselect6, none, &by_descriptor), SLEEP_TIMER);
        ck_assert_int_eq(sleep_of_call(SYS_clock_nanosleep, none, &by_descriptor), SLEEP_TIMER);
        ck_assert_int_eq(sleep_of_call(SYS_futex, none, &by_descriptor), SLEEP_THREAD);
        ck_assert_int_eq(sleep_of_call(SYS_getpid, none, &by_descriptor), SLEEP_OTHER);
        ck_assert(!by_descriptor);
}
END_TEST

START_TEST(only_a_wait_for_another_thread_without_a_time_is_endless)
{
        const uint64_t endless[SLEEP_ARGUMENTS] = {0x7ffe, 0x189, 2},
                       timed[SLEEP_ARGUMENTS] = {0x7ffe, 0x189, 2, 0x7f};

        ck_assert(sleep_is_endless(SYS_futex, endless));
        ck_assert(!sleep_is_endless(SYS_futex, timed));
        ck_assert(!sleep_is_endless(SYS_ppoll, endless)); /* somebody from outside may end it */
        ck_assert(!sleep_is_endless(SYS_clock_nanosleep, endless));
}
END_TEST

#define HEAD "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

static const char table[] = HEAD
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 10 1 0 100 0\n"
        "   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 02:000AF1A8 00000000     0        0 11 2 0 20 4\n"
        "   2: 0100007F:C350 0500000A:01BB 01 00000000:00000000 02:000AF1A8 00000000     0        0 12 2 0 20 4\n"
        "   3: 0100007F:C351 0600000A:01BB 01 00000000:00000000 02:000AF1A8 00000000     0        0 13 2 0 20 4\n"
        "   4: 0100007F:C352 0700000A:01BB 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0\n";

START_TEST(who_serves_others_waits_for_none_of_them)
{
        const uint64_t inode[] = {11, 12};
        struct evidence_sleep s = {0};

        sleep_connections(table, false, inode, 1, true, &s);
        ck_assert_uint_eq(s.connections, 0);
        sleep_connections(table, false, inode, 1, false, &s); /* unless he reads from it */
        ck_assert_uint_eq(s.connections, 1);
        ck_assert_str_eq(s.peer, "127.0.0.1:50000");
        s = (struct evidence_sleep){0};
        sleep_connections(table, false, inode, 2, true, &s);
        ck_assert_uint_eq(s.connections, 1);
        ck_assert_str_eq(s.peer, "10.0.0.5:443");
}
END_TEST

START_TEST(established_connections_are_counted_and_the_first_is_named)
{
        static const char six_table[] = HEAD "   0: 00000000000000000000000001000000:1F90 "
                                             "B80D0120000000000000000001000000:01BB 01 00000000:00000000 "
                                             "00:00000000 00000000     0        0 14 1 0 100 0\n";
        const uint64_t inode[] = {10, 12, 13};
        struct evidence_sleep s = {0};

        sleep_connections(table, false, inode, 3, false, &s);
        ck_assert_uint_eq(s.connections, 2); /* one that listens waits for nobody in particular */
        ck_assert_str_eq(s.peer, "10.0.0.5:443");
        s = (struct evidence_sleep){0};
        sleep_connections(six_table, true, (const uint64_t[]){14}, 1, true, &s);
        ck_assert_str_eq(s.peer, "[2001:db8::1]:443");
        sleep_connections("", false, inode, 3, false, &s);
        sleep_connections("half a li", false, inode, 3, false, &s);
        sleep_connections(HEAD "   0: 0100007F", false, inode, 3, false, &s);
        ck_assert_uint_eq(s.connections, 1);
}
END_TEST

SUITE("sleep", a_call_is_read_with_its_arguments, what_is_read_says_the_descriptor, a_poll_of_nothing_is_a_sleep,
      only_a_wait_for_another_thread_without_a_time_is_endless, who_serves_others_waits_for_none_of_them,
      established_connections_are_counted_and_the_first_is_named)
