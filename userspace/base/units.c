/* units.c - times, sizes, durations and signals as people read them. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

#define NS_PER_S 1000000000LL

void text_time(char ret[TEXT_TIME_LEN], int64_t realtime_ns)
{
        int64_t sub = realtime_ns % NS_PER_S;
        time_t seconds = (time_t)((realtime_ns - sub) / NS_PER_S);
        if (sub < 0) {
                sub += NS_PER_S;
                seconds--;
        }
        struct tm tm;
        gmtime_r(&seconds, &tm); /* 64 bits of nanoseconds end in 2262: the year has four digits */
        size_t n = strftime(ret, TEXT_TIME_LEN, "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(ret + n, TEXT_TIME_LEN - n, ".%06dZ", (int)(sub / 1000));
}

/* Wide enough for ten times any 64-bit value. */
typedef unsigned __int128 wide;

/* @p value / @p unit rounded, with one decimal below ten unless it is zero. */
static void scaled(char *ret, size_t size, uint64_t value, uint64_t unit, const char *name)
{
        unsigned int tenths = (unsigned int)(((wide)value * 10 + unit / 2) / unit);
        unsigned int whole = (unsigned int)(((wide)value + unit / 2) / unit);
        if (tenths < 100 && tenths % 10)
                snprintf(ret, size, "%u.%u %s", tenths / 10, tenths % 10, name);
        else
                snprintf(ret, size, "%u %s", whole, name);
}

void text_bytes(char ret[TEXT_BYTES_LEN], uint64_t bytes)
{
        static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
        size_t i = 0;
        /* 1023.5 rounds to one of the next unit */
        while (((wide)bytes + (1ULL << (10 * i)) / 2) >> (10 * i) >= 1024)
                i++;
        scaled(ret, TEXT_BYTES_LEN, bytes, 1ULL << (10 * i), units[i]);
}

void text_duration(char ret[TEXT_DURATION_LEN], uint64_t ns)
{
        static const struct {
                uint64_t below, unit; /* both in ns */
                const char *name;
        } small[] = {
                {1000, 1, "ns"},
                {999500, 1000, "us"},
                {999500000, 1000000, "ms"},
                {59500000000, 1000000000, "s"},
        };
        static const struct {
                uint64_t below, unit, rest; /* in s */
                const char *name, *rest_name;
        } large[] = {
                {3600, 60, 1, "min", "s"},
                {86400, 3600, 60, "h", "min"},
                {UINT64_MAX, 86400, 3600, "d", "h"},
        };
        for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++) {
                if (ns < small[i].below) {
                        scaled(ret, TEXT_DURATION_LEN, ns, small[i].unit, small[i].name);
                        return;
                }
        }
        uint64_t s = ns / 1000000000 + (ns % 1000000000 >= 500000000);
        size_t i = 0;
        while (s >= large[i].below)
                i++;
        uint64_t rest = s % large[i].unit / large[i].rest;
        int n = snprintf(ret, TEXT_DURATION_LEN, "%" PRIu64 " %s", s / large[i].unit, large[i].name);
        if (rest)
                snprintf(ret + n, TEXT_DURATION_LEN - (size_t)n, " %" PRIu64 " %s", rest, large[i].rest_name);
}

void text_measured(char ret[TEXT_DURATION_LEN], uint64_t n, uint64_t unit_ns)
{
        char least[TEXT_DURATION_LEN - 2];

        text_duration(ret, (n ? n : 1) * unit_ns);
        if (n)
                return;
        snprintf(least, sizeof(least), "%.20s", ret);
        snprintf(ret, TEXT_DURATION_LEN, "< %s", least);
}

struct suffix {
        const char *name;
        uint64_t factor;
};

/* A whole number and one of @suffix. */
static int parse_scaled(const char *text, const struct suffix *suffix, size_t n, uint64_t *ret)
{
        uint64_t value = 0;
        const char *p = text;

        for (; *p >= '0' && *p <= '9'; p++)
                if (__builtin_mul_overflow(value, 10, &value) ||
                    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
                        return -ERANGE;
        if (p == text)
                return -EINVAL;
        for (size_t i = 0; i < n; i++) {
                if (strcmp(p, suffix[i].name) != 0)
                        continue;
                if (__builtin_mul_overflow(value, suffix[i].factor, &value))
                        return -ERANGE;
                *ret = value;
                return 0;
        }
        return -EINVAL;
}

int text_parse_duration(const char *text, uint64_t *ret_ms)
{
        static const struct suffix units[] = {{"", 1000},   {"ms", 1},      {"s", 1000},
                                              {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

        return parse_scaled(text, units, sizeof(units) / sizeof(units[0]), ret_ms);
}

int text_parse_bytes(const char *text, uint64_t *ret_bytes)
{
        static const struct suffix units[] = {{"", 1},           {"K", 1ULL << 10}, {"M", 1ULL << 20},
                                              {"G", 1ULL << 30}, {"T", 1ULL << 40}, {"k", 1ULL << 10},
                                              {"m", 1ULL << 20}, {"g", 1ULL << 30}, {"t", 1ULL << 40}};

        return parse_scaled(text, units, sizeof(units) / sizeof(units[0]), ret_bytes);
}

const char *text_signal(int sig)
{
        static _Thread_local char name[32];
        const char *known = sig > 0 ? sigabbrev_np(sig) : NULL;
        if (known)
                snprintf(name, sizeof(name), "SIG%s", known);
        else if (sig == SIGRTMIN)
                return "SIGRTMIN";
        else if (sig > SIGRTMIN && sig <= SIGRTMAX)
                snprintf(name, sizeof(name), "SIGRTMIN+%d", sig - SIGRTMIN);
        else
                snprintf(name, sizeof(name), "signal %d", sig);
        return name;
}
