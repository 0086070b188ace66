/* jobs_value.h - one value that an application wrote, as what it should be. Pure. Layer: engine. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum job_kind { JOB_VALUE_NULL, JOB_VALUE_INTEGER, JOB_VALUE_REAL, JOB_VALUE_TEXT, JOB_VALUE_OTHER };

/** As a database or a state file has it. Text is borrowed, and may hold any bytes. */
struct job_value {
        enum job_kind kind;
        int64_t integer;
        double real;
        const char *text;
        size_t length;
};

/**
 * A time: ISO 8601 with date and, optionally, hours, minutes, seconds with a fraction, and "Z" or an offset (without: UTC, as
 * SQLite's datetime() writes it); or a number, also as text: seconds or milliseconds since the epoch.
 * @param ret  ns since the epoch
 * @return false: it is none between 1973 and 2262
 */
bool job_value_time(const struct job_value *v, int64_t *ret);

/** A number, also as text. @return false: it is none that is finite */
bool job_value_number(const struct job_value *v, double *ret);

/** A process id, also as text. @return false: it is none */
bool job_value_pid(const struct job_value *v, int64_t *ret);
