/* dirty.h - which databases a crash of the host would hurt now: kept in STATE/state.json, and read at the next start. Layer: daemon. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"

struct daemon;

/**
 * What the state file of the last run says about the time since: `host-crash` for each database that was dirty when the host went
 * down, `observer-gap` where only the daemon was away; then what was in use is looked at (gap.h). Of a run that ended before it
 * had written the file the store knows.
 */
void dirty_judge_last_run(struct daemon *d);

/** Looks at those in use, and writes the file where something has changed. Call each second. */
void dirty_turn(struct daemon *d);

/** The orderly end: written last. */
void dirty_end(struct daemon *d);

/** Of an account: bytes and commits that a power cut would take now; a write transaction is open. */
uint64_t dirty_bytes_at_risk(const struct vigil_db *a);
uint64_t dirty_commits_at_risk(const struct vigil_db *a);
bool dirty_in_transaction(const struct vigil_db *a);
