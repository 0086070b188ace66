/* shutdown.c - findings out of certificates: who died badly. Severities: DESIGN.md 6.5, docs/JSON.md. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "detect/detect_private.h"
#include "detect/detector.h"
#include "detect/wording.h"

static uint64_t bytes_at_risk(const struct certificate *c)
{
        uint64_t sum = 0;
        for (size_t i = 0; i < VIGIL_ROLES; i++)
                sum += c->risk[i].bytes;
        return sum;
}

static json_t *evidence(const struct certificate *c)
{
        json_t *reasons = json_array();
        for (size_t i = 0; i < c->nreasons; i++)
                json_array_append_new(reasons, json_string(c->reason[i]));
        return json_pack("{s:s, s:o, s:o*, s:s, s:I, s:I, s:b}", "certificate", c->id, "reasons", reasons, "locks",
                         lock_names(c->locks), "transaction", held_txn_name(c->held), "bytes_at_risk",
                         (json_int_t)bytes_at_risk(c), "commits_at_risk", (json_int_t)c->commits_at_risk,
                         "recovered", c->recovered == 1);
}

/* What it was doing, by the first reason of its verdict. */
static const char *doing(const struct certificate *c)
{
        static const struct {
                const char *reason;
                const char *text;
        } table[] = {
                {"no-journal", "in the middle of changing the database without a journal"},
                {"write-transaction-open", "inside a write transaction"},
                {"checkpoint-interrupted", "inside a checkpoint"},
                {"transaction-end-unseen", "after it had changed the database without a journal: whether that "
                                           "transaction had ended was not seen"},
                {"rollback-unseen",
                 "after it had written to the WAL what it had not committed: whether it had rolled "
                 "that back was not seen"},
                {"written-without-locks",
                 "in the middle of writing the file as programs do that know nothing of SQLite"},
                {"rollback-failed", "after a transaction that it could neither commit nor roll back"},
                {"hot-journal", "while it rolled back a hot journal"},
                {"read-transaction-open", "inside a read transaction"},
                {"connection-left-open", "with a connection open"},
                {"wal-taken", "and commits of it were in a WAL that was taken away"},
                {"journal-taken", "and the journal of its open transaction was taken away"},
                {"database-taken", "and the database file was taken away"},
                {"commits-unreadable", "and commits stand in the WAL where no recovery finds them"},
                {"commits-unreachable", "and its last commits went into a WAL without a name"},
        };
        for (size_t i = 0; c->nreasons && i < sizeof(table) / sizeof(table[0]); i++)
                if (strcmp(table[i].reason, c->reason[0]) == 0)
                        return table[i].text;
        return "with the database in use";
}

static int tell(struct detection *d, const struct certificate *c, const char *code, enum severity severity,
                const char *what)
{
        struct finding f = {.code = code,
                            .severity = severity,
                            .database = c->database,
                            .ns = c->death->ns,
                            .process = c->death->id,
                            .certificate = c};
        char ending[160];
        ending_text(ending, sizeof(ending), c->death, &c->ending);
        snprintf(f.detail, sizeof(f.detail), "%s %s%s", ending, what, c->recovered == 1 ? "; recovered since" : "");
        return finding_add(d, &f, evidence(c));
}

static bool has_reason(const struct certificate *c, const char *reason)
{
        for (size_t i = 0; i < c->nreasons; i++)
                if (strcmp(c->reason[i], reason) == 0)
                        return true;
        return false;
}

static int judge(struct detection *d, const struct certificate *c)
{
        int r = 0;
        if (c->verdict == VERDICT_UNCLEAN)
                r = tell(d, c, "unclean-death", SEVERITY_P1, doing(c));
        if (r == 0 && has_reason(c, "no-journal"))
                r = tell(d, c, "no-journal", SEVERITY_P0, doing(c));
        /* Leaving by itself with nothing owed is a certificate, not a finding. */
        bool open = c->verdict == VERDICT_ABRUPT || has_reason(c, "transaction-end-unseen") ||
                    has_reason(c, "rollback-unseen") || has_reason(c, "written-without-locks") ||
                    has_reason(c, "second-name");
        if (r == 0 && open && c->ending.signal)
                r = tell(d, c, "abrupt-death", SEVERITY_P2, doing(c));
        if (r == 0 && has_reason(c, "killed-in-sync"))
                r = tell(d, c, "killed-in-sync", SEVERITY_P2, "during a sync whose result it never saw");
        return r;
}

static int run(struct detection *d)
{
        int r = 0;
        for (size_t i = 0; r == 0 && i < d->ncertificates; i++)
                r = judge(d, &d->certificate[i]);
        return r;
}

const struct detector detector_shutdown = {
        .name = "shutdown",
        .codes = (const char *const[]){"unclean-death", "abrupt-death", "no-journal", "killed-in-sync", NULL},
        .run = run,
};
