/* policy.h - whether a backup is made now. Pure. Layer: incident. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "detect/detect.h"

#define POLICY_MINUTES 60

/** What is known of the backups of one database; zero: none was made. Times are of one clock, whichever; one that was set
 * back is taken for a long time that has passed: one backup too many is better than none. */
struct policy_state {
        int64_t last_ns;     /* the newest was begun; 0: none */
        int64_t borrowed_ns; /* the newest beyond interval or cap; 0: none */
        uint64_t bytes;      /* what its copies take and retention may not remove; 0: not known */
        uint64_t need;       /* what the next one takes; 0: not known */
        /* How many were begun in each minute of the last hour: [minute % POLICY_MINUTES] of `minute` and those before. */
        unsigned per_minute[POLICY_MINUTES];
        int64_t minute;
};

enum policy_answer { POLICY_GO, POLICY_NOT_WANTED, POLICY_TOO_SOON, POLICY_HOURLY_CAP, POLICY_BUDGET };

/**
 * What a finding is to the policy of backups.
 * @return one of enum config_backup_on; 0: none is made for its sake
 */
unsigned policy_trigger(const char *code, enum severity severity);

/**
 * Whether to make a backup. A P0 may borrow one beyond interval and cap, once per hour; the byte budget holds for all.
 * @param trigger one of enum config_backup_on
 */
enum policy_answer policy_backup(const struct config_backup *p, const struct policy_state *s, unsigned trigger,
                                 enum severity severity, int64_t now_ns);

/** One is begun: after POLICY_GO, before the next question. */
void policy_made(const struct config_backup *p, struct policy_state *s, int64_t now_ns);

/** One phrase, for the outcome of what was not done; NULL for POLICY_GO. */
const char *policy_why(enum policy_answer a);

/**
 * Whether the newest verified backup is too old: older than max-age; without one, than twice `every` where backups are made
 * by schedule. Where there has never been any, only max-age counts, from the beginning of the watch.
 *
 * @param verified_ns  of the newest; 0: none
 * @param watched_ns   when the watch of the database began
 */
bool policy_stale(const struct config_backup *p, int64_t verified_ns, int64_t watched_ns, int64_t now_ns);
