/* jobs_value.c - see jobs_value.h. */
#include "engine/jobs_value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NS 1000000000ll

/* Between these a number can be told for one: 1973 to 2262, in seconds and in milliseconds. The later end is that of 64 bits of
 * nanoseconds. */
#define LEAST_S 100000000.0
#define MOST_S  9223372036.0

#define PID_MAX 4194304 /* PID_MAX_LIMIT of the kernel */

#define NUMBER_MAX 40 /* bytes */

/* ---- numbers ---- */

bool job_value_number(const struct job_value *v, double *ret)
{
        char text[NUMBER_MAX + 1], *end;
        double number = NAN;

        if (v->kind == JOB_VALUE_INTEGER) {
                number = (double)v->integer;
        } else if (v->kind == JOB_VALUE_REAL) {
                number = v->real;
        } else if (v->kind == JOB_VALUE_TEXT && v->length > 0 && v->length <= NUMBER_MAX &&
                   strspn(v->text, "0123456789.eE+-") >= v->length) {
                memcpy(text, v->text, v->length);
                text[v->length] = '\0';
                number = strtod(text, &end);
                if (*end)
                        number = NAN;
        }
        if (!isfinite(number))
                return false;
        *ret = number;
        return true;
}

bool job_value_pid(const struct job_value *v, int64_t *ret)
{
        double number;

        if (!job_value_number(v, &number) || number < 1 || number > PID_MAX || number != (double)(int64_t)number)
                return false;
        *ret = (int64_t)number;
        return true;
}

/* ---- times ---- */

/* Reads what is left of a text. */
struct scanner {
        const char *at, *end;
};

static bool digits(struct scanner *s, int n, int *ret)
{
        int value = 0;

        if (s->end - s->at < n)
                return false;
        for (int i = 0; i < n; i++) {
                if (s->at[i] < '0' || s->at[i] > '9')
                        return false;
                value = value * 10 + (s->at[i] - '0');
        }
        s->at += n;
        *ret = value;
        return true;
}

static bool take(struct scanner *s, char c)
{
        if (s->at == s->end || *s->at != c)
                return false;
        s->at++;
        return true;
}

/* Digits behind the point, as nanoseconds; what is beyond them is dropped. */
static bool fraction(struct scanner *s, int64_t *ret)
{
        int64_t value = 0, unit = NS / 10;

        if (s->at == s->end || *s->at < '0' || *s->at > '9')
                return false;
        for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++, unit /= 10)
                value += (*s->at - '0') * unit;
        *ret = value;
        return true;
}

/* Days since the epoch (the civil calendar, as Howard Hinnant's days_from_civil). */
static int64_t days_of(int year, int month, int day)
{
        int64_t y = year - (month <= 2), era = y / 400, of_era = y - era * 400;
        int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

        return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* "Z", "+02:00", "-0130", "+02", or nothing: seconds east of UTC. */
static bool zone(struct scanner *s, int *ret)
{
        int hours = 0, minutes = 0;

        *ret = 0;
        (void)take(s, ' ');
        if (s->at == s->end || take(s, 'Z') || take(s, 'z'))
                return s->at == s->end;
        bool west = *s->at == '-';
        if (!west && *s->at != '+')
                return false;
        s->at++;
        if (!digits(s, 2, &hours))
                return false;
        if (s->at < s->end && ((void)take(s, ':'), !digits(s, 2, &minutes)))
                return false;
        if (hours > 14 || minutes > 59)
                return false;
        *ret = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
        return s->at == s->end;
}

static bool iso_time(const char *text, size_t n, int64_t *ret)
{
        struct scanner s = {text, text + n};
        int year, month, day, hour = 0, minute = 0, second = 0, east = 0;
        int64_t ns = 0;

        if (!digits(&s, 4, &year) || !take(&s, '-') || !digits(&s, 2, &month) || !take(&s, '-') ||
            !digits(&s, 2, &day) || month < 1 || month > 12 || day < 1 || day > 31)
                return false;
        if (s.at < s.end) {
                if ((!take(&s, 'T') && !take(&s, 't') && !take(&s, ' ')) || !digits(&s, 2, &hour) ||
                    !take(&s, ':') || !digits(&s, 2, &minute))
                        return false;
                if (take(&s, ':') &&
                    (!digits(&s, 2, &second) || ((take(&s, '.') || take(&s, ',')) && !fraction(&s, &ns))))
                        return false;
                if (!zone(&s, &east))
                        return false;
        }
        if (hour > 23 || minute > 59 || second > 60)
                return false;
        int64_t seconds = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - east;
        if ((double)seconds < LEAST_S || (double)seconds >= MOST_S)
                return false;
        *ret = seconds * NS + ns;
        return true;
}

bool job_value_time(const struct job_value *v, int64_t *ret)
{
        double number;

        if (v->kind == JOB_VALUE_TEXT && iso_time(v->text, v->length, ret))
                return true;
        if (!job_value_number(v, &number) || number < LEAST_S)
                return false;
        if (number >= MOST_S)
                number /= 1000; /* milliseconds */
        if (number < LEAST_S || number >= MOST_S)
                return false;
        /* Whole seconds and their part one after the other: a double cannot hold this many nanoseconds. */
        *ret = (int64_t)number * NS + (int64_t)((number - (double)(int64_t)number) * 1e6 + 0.5) * 1000;
        return true;
}
