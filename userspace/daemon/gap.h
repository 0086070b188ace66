/* gap.h - what became of the databases while nobody watched: their files are looked at, and checked. Layer: daemon. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "daemon/state.h"

struct daemon;
struct guard;
struct gap;

/** The reason of its looks, by which their answers are known. */
#define GAP_REASON "observer-gap"

int gap_new(struct gap **ret); /* -ENOMEM */
void gap_free(struct gap *g);

/**
 * A database that was in use when the watch ended, or may have been since. A helper looks at its files; a transaction that was cut
 * short is a finding `transaction-cut-short` of partial trust, with a backup by policy. A check is made in any case.
 * @param then  as the state file has it; NULL: nothing is known of it
 */
void gap_examine(struct daemon *d, struct guard *g, const struct state_database *then);

/** What the look says. @p tag as it was given to actions_start(); @p answer NULL: it failed, @p failure says how. */
void gap_looked(struct daemon *d, void *tag, const json_t *answer, const char *failure);

/** Looks again where somebody was at work meanwhile. Call each second. */
void gap_turn(struct daemon *d);
