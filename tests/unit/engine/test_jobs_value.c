/* test_jobs_value.c - times, numbers and process ids as applications write them. */
#include "suite.h"

#include <math.h>
#include <string.h>

#include "engine/jobs_value.h"

#define NS 1000000000LL

static struct job_value text(const char *t)
{
        return (struct job_value){.kind = JOB_VALUE_TEXT, .text = t, .length = strlen(t)};
}

static struct job_value integer(int64_t i)
{
        return (struct job_value){.kind = JOB_VALUE_INTEGER, .integer = i};
}

START_TEST(times_are_understood_in_every_form)
{
        static const struct {
                const char *text;
                int64_t ns;
        } rows[] = {
                {"2026-11-26 14:05:09", 1795701909 * NS},
                {"2026-11-26T14:05:09Z", 1795701909 * NS},
                {"2026-11-26T14:05:09.250Z", 1795701909 * NS + 250000000},
                {"2026-11-26T14:05:09.123456789123", 1795701909 * NS + 123456789},
                {"2026-11-26T15:05:09+01:00", 1795701909 * NS},
                {"2026-11-26T12:35:09-0130", 1795701909 * NS},
                {"2026-11-26 16:05:09 +02", 1795701909 * NS},
                {"2026-11-26 14:05", 1795701900 * NS},
                {"2026-11-26", 1795651200 * NS},
                {"2024-02-29T00:00:00Z", 1709164800 * NS},
                {"1795701909", 1795701909 * NS},
                {"1795701909250", 1795701909 * NS + 250000000},
                {"1795701909.5", 1795701909 * NS + 500000000},
                {"9223372035", 9223372035 * NS},
                {"9223372035000", 9223372035 * NS},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct job_value v = text(rows[i].text);
                int64_t ns = 0;
                ck_assert_msg(job_value_time(&v, &ns), "%s", rows[i].text);
                ck_assert_msg(ns == rows[i].ns, "%s: %lld", rows[i].text, (long long)ns);
        }
}
END_TEST

START_TEST(numbers_are_seconds_or_milliseconds)
{
        struct job_value s = integer(1795701909), ms = integer(1795701909250),
                         real = {.kind = JOB_VALUE_REAL, .real = 1795701909.25};
        int64_t ns;

        ck_assert(job_value_time(&s, &ns));
        ck_assert_int_eq(ns, 1795701909 * NS);
        ck_assert(job_value_time(&ms, &ns));
        ck_assert_int_eq(ns, 1795701909 * NS + 250000000);
        ck_assert(job_value_time(&real, &ns));
        ck_assert_int_eq(ns, 1795701909 * NS + 250000000);
}
END_TEST

START_TEST(what_is_no_time_is_none)
{
        static const char *const rows[] = {"",
                                           "yesterday",
                                           "2026",
                                           "2026-13-01",
                                           "2026-11-26T",
                                           "2026-11-26 25:00",
                                           "0",
                                           "-1",
                                           "nan",
                                           "1e300",
                                           "2026-11-26 14:05:09 CET",
                                           "2026-11-26T14:05:09Zx",
                                           "9999-01-01",
                                           "2270-01-01",
                                           "9999999999",
                                           "9999999999999",
                                           "9223372036.9",
                                           "1795701909250000"};
        int64_t ns = 7;

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct job_value v = text(rows[i]);
                ck_assert_msg(!job_value_time(&v, &ns), "%s", rows[i]);
        }
        struct job_value zero = integer(0), null = {.kind = JOB_VALUE_NULL}, other = {.kind = JOB_VALUE_OTHER};
        ck_assert(!job_value_time(&zero, &ns));
        ck_assert(!job_value_time(&null, &ns));
        ck_assert(!job_value_time(&other, &ns));
        ck_assert_int_eq(ns, 7);
}
END_TEST

/* Bytes of a database end where their length says, not at a NUL. */
START_TEST(text_ends_with_its_length)
{
        struct job_value v = {.kind = JOB_VALUE_TEXT, .text = "2026-11-26 14:05:09garbage", .length = 19};
        int64_t ns;
        double n;

        ck_assert(job_value_time(&v, &ns));
        v = (struct job_value){.kind = JOB_VALUE_TEXT, .text = "12345", .length = 2};
        ck_assert(job_value_number(&v, &n));
        ck_assert(n == 12);
}
END_TEST

START_TEST(numbers_and_pids)
{
        struct job_value half = text("0.5"), word = text("half"), hex = text("0x10"), pid = text("4711"),
                         big = integer(1 << 30), none = integer(0), part = {.kind = JOB_VALUE_REAL, .real = 1.5},
                         inf = {.kind = JOB_VALUE_REAL, .real = INFINITY};
        double n;
        int64_t p;

        ck_assert(job_value_number(&half, &n));
        ck_assert(n == 0.5);
        ck_assert(!job_value_number(&word, &n));
        ck_assert(!job_value_number(&hex, &n));
        ck_assert(!job_value_number(&inf, &n));
        ck_assert(job_value_pid(&pid, &p));
        ck_assert_int_eq(p, 4711);
        ck_assert(!job_value_pid(&big, &p));
        ck_assert(!job_value_pid(&none, &p));
        ck_assert(!job_value_pid(&part, &p));
}
END_TEST

SUITE("jobs_value", times_are_understood_in_every_form, numbers_are_seconds_or_milliseconds,
      what_is_no_time_is_none, text_ends_with_its_length, numbers_and_pids)
