/* budget.h - how often a helper may fail before it is left alone for a while. Pure. Layer: daemon.
 *
 * A file that crashes its helper would crash the next one, too: without a rest the monitor would do nothing else. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BUDGET_FAILURES  3                /* of one kind on one database, */
#define BUDGET_WINDOW_NS 600000000000ull  /* within 10 minutes, */
#define BUDGET_REST_NS   3600000000000ull /* and it rests for an hour */
#define BUDGET_PAIRS     1024             /* kept at a time; the one that failed longest ago makes room */

struct budget;
struct budget *budget_new(void); /* NULL: out of memory */
void budget_free(struct budget *b);

/** A failure of @p kind on @p database. Times are of CLOCK_BOOTTIME. @return true when the rest begins with it */
bool budget_failed(struct budget *b, unsigned kind, const char *database, uint64_t now_ns);
/** It is resting. */
bool budget_rests(const struct budget *b, unsigned kind, const char *database, uint64_t now_ns);
