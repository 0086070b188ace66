/* codes.c - every code of a finding, how bad it is and how its incident may end by itself. The Contract, 6.5; where it is
 * silent, what an operator would have to do decides: only what can be seen to be over ends without him. */
#include <string.h>

#include "incident/incident.h"

const struct incident_code incident_codes[] = {
        /* Deaths: the next opener puts right what can be put right. */
        {"unclean-death", SEVERITY_P1, ENDS_BY_RECOVERY, false},
        {"abrupt-death", SEVERITY_P2, ENDS_BY_RECOVERY, false},
        {"killed-in-sync", SEVERITY_P2, ENDS_BY_RECOVERY, false},
        {"host-crash", SEVERITY_P1, ENDS_BY_RECOVERY, false},
        {"transaction-cut-short", SEVERITY_P1, ENDS_BY_RECOVERY, false},
        /* No recovery brings back what no journal holds. */
        {"no-journal", SEVERITY_P0, ENDS_BY_HAND, false},
        /* Nor what somebody took away. */
        {"wal-removed", SEVERITY_P0, ENDS_BY_HAND, false},
        {"journal-removed", SEVERITY_P0, ENDS_BY_HAND, false},
        {"database-emptied", SEVERITY_P0, ENDS_BY_HAND, false},
        {"database-moved-in-use", SEVERITY_P0, ENDS_BY_HAND, false},
        {"used-across-fork", SEVERITY_P0, ENDS_BY_HAND, false},
        /* Nor what SQLite wrote so that it cannot read it again. */
        {"wal-unreadable", SEVERITY_P0, ENDS_BY_HAND, false},
        /* After a failed sync the pages count as clean: nothing that succeeds later proves that they are on the disk. */
        {"sync-error", SEVERITY_P1, ENDS_BY_HAND, true},
        {"sync-retry-lied", SEVERITY_P0, ENDS_BY_HAND, true},
        {"sync-error-swallowed", SEVERITY_P0, ENDS_BY_HAND, true},
        {"writeback-error", SEVERITY_P0, ENDS_BY_HAND, true},
        {"filesystem-aborted", SEVERITY_P0, ENDS_BY_HAND, true},
        {"filesystem-error", SEVERITY_P0, ENDS_BY_HAND, true},
        {"media-error", SEVERITY_P1, ENDS_BY_HAND, true},
        /* The writer was told and rolls back: it is over when it stops. */
        {"no-space", SEVERITY_P1, ENDS_WHEN_QUIET, true},
        {"short-write", SEVERITY_P1, ENDS_WHEN_QUIET, true},
        /* The data. A green check never clears what the trace saw, but it does clear an earlier red one. */
        {"integrity-failed", SEVERITY_P0, ENDS_BY_CHECK, false},
        {"silent-loss-suspected", SEVERITY_P1, ENDS_BY_HAND, false},
        /* Time. Whoever measures it sees that it is over. */
        {"latency-spike", SEVERITY_P2, ENDS_WHEN_OVER, false},
        /* The log. It is over when it begins anew. */
        {"wal-growing", SEVERITY_P1, ENDS_WHEN_OVER, false},
        /* Locks. Whoever looks at who waits sees that it is over. */
        {"lock-deadlock", SEVERITY_P1, ENDS_WHEN_OVER, false},
        {"lock-convoy", SEVERITY_P2, ENDS_WHEN_OVER, false},
        /* Copies. */
        {"unsafe-copy", SEVERITY_P2, ENDS_WHEN_QUIET, false},
        {"backup-failed", SEVERITY_P2, ENDS_BY_BACKUP, false},
        {"backup-stale", SEVERITY_P3, ENDS_BY_BACKUP, false},
        /* Jobs: over when their row says that they are, or that they move. */
        {"job-orphaned", SEVERITY_P1, ENDS_WHEN_OVER, false},
        {"job-blocked", SEVERITY_P1, ENDS_WHEN_OVER, false},
        {"job-stalled", SEVERITY_P1, ENDS_WHEN_OVER, false},
        {"job-spinning", SEVERITY_P1, ENDS_WHEN_OVER, false},
        {"job-overdue", SEVERITY_P2, ENDS_WHEN_OVER, false},
        {"jobs-unreadable", SEVERITY_P2, ENDS_WHEN_OVER, false},
        /* Vigil itself. */
        {"events-lost", SEVERITY_P2, ENDS_WHEN_QUIET, false},
        {"probe-silent", SEVERITY_P2, ENDS_WHEN_QUIET, false},
        {"worker-failed", SEVERITY_P2, ENDS_WHEN_QUIET, false},
        {"store-degraded", SEVERITY_P2, ENDS_WHEN_OVER, false},
        {"database-unwatched", SEVERITY_P2, ENDS_WHEN_OVER, false},
        {"observer-gap", SEVERITY_P3, ENDS_AT_ONCE, false},
        {0},
};

const struct incident_code *incident_code(const char *code)
{
        for (const struct incident_code *c = incident_codes; c->code; c++)
                if (strcmp(c->code, code) == 0)
                        return c;
        return NULL;
}
