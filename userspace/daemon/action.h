/* action.h - work that the monitor does not do itself: in a helper of this binary, with a deadline, one answer. Layer: daemon.
 *
 * The helper keeps the monitor's privileges, parses nothing, and calls what the commands call (inspect_database(),
 * check_database(), backup_create(), snapshot_take()), which confine what reads hostile bytes. Its answer is bounded and
 * checked field by field before anybody sees it: a helper that crashes, hangs, floods or lies costs one action.
 *
 * Four lanes, so that nothing urgent waits for what has time: looks; readings of jobs; what is urgent; the rest, with the I/O
 * and CPU classes of the idle. Of one database, one action of a kind at a time; of one device, one check. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "config/config.h"
#include "engine/check.h"
#include "engine/jobs.h"

#define ACTIONS_MAX_WAITING 1024 /* of all kinds; more are refused */
#define ACTIONS_MAX_LOOKS   8    /* at a time */
#define ACTIONS_MAX_JOBS    4    /* readings at a time */

enum action_kind {
        ACTION_LOOK,  /* answer: for action_observed() */
        ACTION_CHECK, /* answer: vigil.check/1, as check_json() makes it */
        ACTION_BACKUP, /* {"error": 0 or -errno, "backup": as backup_json(), "entry": of vigil.backups/1 or null, "check": as
                          check_json() or null, "beyond": how many copies an ACTION_PRUNE would remove} */
        ACTION_EVIDENCE, /* as evidence_json() makes it */
        ACTION_PRUNE,    /* {"error": 0 or -errno, "reason": text or null, "prune": as prune_json()} */
        ACTION_DISCOVER, /* {"error": 0 or -errno, "document": vigil.discover/1 or null} */
        ACTION_JOBS, /* {"error": 0 or -errno, "reason", "method", "rows", "odd", "nodd", "more"}: as struct jobs_result */
        ACTION_ROOM, /* {"error": 0 or -errno, "bytes", "removed": [{"id", "bytes"}], "reason": text or null} */
        ACTION_KINDS
};
/* "look", "check", "backup", "evidence", "prune", "discover", "jobs", "evidence-room" */
const char *action_name(enum action_kind kind);

/** What is to be done. Texts may be NULL but for `database` and `path`. */
struct action_request {
        enum action_kind kind;
        const char *database;  /* name. ACTION_JOBS: of the orchestrator */
        const char *path;      /* of the main file, as the sensor reaches it */
        uint64_t device;       /* of the file; 0: not known */
        const char *directory; /* ACTION_BACKUP, ACTION_PRUNE: of the copies. ACTION_EVIDENCE: of the incident.
                                  ACTION_ROOM: of all incidents */
        const char *reason, *verdict, *incident;
        const char *damage; /* as in struct backup_options */
        const char *
                candidates; /* ACTION_ROOM: ids of incidents whose evidence may go until no more than byte_budget is left,
                                   with blanks between */
        bool urgent;
        bool asked;              /* somebody waits for it: not with the classes of the idle */
        bool known_sqlite;       /* ACTION_BACKUP: it was seen in use as one: a header that is none now is damage */
        uint64_t byte_budget;    /* ACTION_EVIDENCE: as in evidence_options */
        bool discover_all;       /* ACTION_DISCOVER: as in discover() */
        struct jobs_source jobs; /* ACTION_JOBS; `path` of the request is not looked at */
        int64_t pinned_before_ns;             /* ACTION_BACKUP, ACTION_PRUNE: as in prune_options */
        const struct config_database *policy; /* NULL: defaults. Numbers are copied; its texts are not used */
};

struct actions;

/** How far a helper is; of ACTION_CHECK and ACTION_BACKUP, at most five times a second. */
typedef void (*action_progress)(void *userdata, void *tag, uint64_t done, uint64_t total);

/**
 * How an action ended. May start others. @p r and @p answer are borrowed, all texts of @p r copies; r->policy points to a copy
 * without texts.
 *
 * @param answer   NULL: there is none
 * @param failure  one phrase why not: "it died of SIGSEGV"; a finding `worker-failed`. NULL with an answer
 * @param ms       how long it took
 */
typedef void (*action_done)(void *userdata, const struct action_request *r, void *tag, const json_t *answer,
                            const char *failure, uint64_t ms);

/** @param parallel  at a time of what is urgent, and as many of the rest; at least 1. @return NULL: out of memory */
struct actions *actions_new(unsigned parallel, action_done done, void *userdata);
/** Who is told how far helpers are; NULL: nobody. With the userdata of actions_new(). */
void actions_on_progress(struct actions *a, action_progress progress);
/** Kills what is at work. Everything that has not ended ends with a failure, so that every tag comes back. */
void actions_free(struct actions *a);

/**
 * Queues an action; the next actions_turn() may start it, and actions_fd() is readable until then.
 * @return 0; -EAGAIN: it failed too often lately (budget.h); -ENOBUFS: ACTIONS_MAX_WAITING wait; -ENOMEM
 */
int actions_start(struct actions *a, const struct action_request *r, void *tag);

/** It has failed too often lately: actions_start() would give -EAGAIN. */
bool actions_rest(const struct actions *a, enum action_kind kind, const char *database);

/** Readable when there is something to do; for one event loop source. */
int actions_fd(const struct actions *a);
/** Starts, collects, calls done(). Never waits. @return ms until it must be called again; -1: only when readable */
int actions_turn(struct actions *a);

/** Whether something is at work on @p database right now that reads or writes much: it may slow down others. */
bool actions_at_work_on(const struct actions *a, const char *database);

/** At work now, and waiting. */
unsigned actions_running(const struct actions *a);
unsigned actions_waiting(const struct actions *a);

/**
 * The look in the answer of an ACTION_LOOK: a record as user space makes them, of no death and of database 0; `error` is set
 * when the files could not be looked at.
 * @return 0, or -EBADMSG (never for an answer that done() was called with)
 */
int action_observed(const json_t *answer, struct vigil_observed *ret);

/** The outcome in the answer of an ACTION_CHECK, or in the member "check" of an ACTION_BACKUP's. @p ret is to be released.
 * @return 0, -EBADMSG, -ENOMEM */
int action_checked(const json_t *answer, struct check_result *ret);
