/* policy.h - whether a backup is made now. Pure. Layer: incident. */
#pragma once

#include "config/config.h"
#include "detect/detect.h"

struct policy_state {
        int64_t last_ns;
        int64_t recent_ns[32];
        unsigned nrecent;
        uint64_t bytes;
        bool borrowed;
};
enum policy_answer { POLICY_GO, POLICY_NOT_WANTED, POLICY_TOO_SOON, POLICY_HOURLY_CAP, POLICY_BUDGET };
/** @param trigger one of enum config_backup_on. P0 may borrow one beyond interval and cap, once per hour. */
enum policy_answer policy_backup(const struct config_backup *p, const struct policy_state *s, unsigned trigger,
                                 enum severity severity, int64_t now_ns);
const char *policy_why(enum policy_answer a); /* sentence for the action's outcome */
