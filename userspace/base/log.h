/* log.h - one line on standard error: what, on which object, why, what to do. Layer: base.
 *
 * Library stages return -errno and stay silent; only cli/, daemon/ and respond/ log. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>

enum log_level { LOG_ERROR_, LOG_WARN_, LOG_NOTE_, LOG_DEBUG_ };

/** Nothing below @p level is printed; default LOG_NOTE_. `-q` sets LOG_ERROR_, `-v` LOG_DEBUG_. */
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);

/** Prints "vigil: <text>\n" on standard error in one write; control characters in the text become '?'. */
void log_at(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_at(LOG_ERROR_, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_WARN_, __VA_ARGS__)
#define log_note(...)  log_at(LOG_NOTE_, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG_, __VA_ARGS__)

/** Logs an error and evaluates to @p r, for `return log_error_r(r, "...")`. */
#define log_error_r(r, ...)                                                                                        \
        ({                                                                                                         \
                int log_r_ = (r);                                                                                  \
                log_error(__VA_ARGS__);                                                                            \
                log_r_;                                                                                            \
        })
