/* lock_rows.h - what a row of `lock` counts together, as rows that count one thing each: how often a lock was asked for (`lock`), how
 * often that was refused (`lock-busy`), and the waits that came of it (`lock-wait`), which alone are timed. For people; the
 * documents keep the one row. Layer: report. */
#pragma once

#include <jansson.h>

/**
 * The rows of vigil.summary/1 or vigil.top/1, in their order, with those of locks apart and with `errors` that are failed calls only.
 * What does not tell how many it refused stays as it is.
 * @return new array; NULL: out of memory
 */
json_t *lock_rows_apart(const json_t *rows);
