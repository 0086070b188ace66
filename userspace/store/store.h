/* store.h - what Vigil saw and did, in STATE/vigil.db. Layer: store.
 *
 * One connection, never waiting for a lock: whoever else has the file locked (an operator's sqlite3 shell) makes a call return
 * -EBUSY, and the caller tries later. Rollback journal (journal_mode=PERSIST, synchronous=FULL: the commit is the zeroed and
 * synced journal header, so no directory entry is owed), because operators write to it, too (the Contract, 6.4).
 * Rows are written between store_begin() and store_commit(); what has been committed survives a kill and a power cut. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/hist.h"

struct store;

#define STORE_VERSION 1 /* PRAGMA user_version */

enum store_opened { STORE_AS_IT_WAS, STORE_NEW, STORE_MIGRATED, STORE_SET_ASIDE };

/**
 * Opens DIR/vigil.db, makes or migrates it. One that is damaged (not SQLite, or quick_check fails) is renamed to
 * vigil.db.corrupt-STAMP with its journal and a new one is made.
 *
 * @param checked_corrupt  a check of the file by a worker found damage (the caller's duty: nothing is parsed in depth here)
 * @param ret_aside        path of what was set aside, owned by the caller; NULL when nothing was
 * @return 0; -EPROTONOSUPPORT a newer version wrote it (it is left alone); -EBUSY locked for longer than 2 s; -EACCES, -EROFS,
 *         -ENOSPC, -EIO, -ENOMEM
 */
int store_open(const char *dir, bool checked_corrupt, struct store **ret, enum store_opened *ret_how,
               char **ret_aside);
void store_close(struct store *s);

/** -errno of an SQLite result: -EBUSY, -ENOSPC, -EROFS, -EIO, -EUCLEAN (damaged), -ENOMEM. */
int store_begin(struct store *s);  /* BEGIN IMMEDIATE; -EBUSY at once */
int store_commit(struct store *s); /* on failure everything since store_begin() is rolled back */
void store_rollback(struct store *s);

/* ---- rows; each 0 or -errno as above. Times in ns since the epoch; JSON is kept as text, borrowed. Repeating is harmless:
 *      every row has an identity and a repetition replaces it ---- */

/** One incident: a row of `alerts`. */
struct store_incident {
        const char *id, *code, *severity, *status; /* "firing", "acknowledged", "resolved" */
        const char *database, *path, *summary;
        int64_t started_ns, acknowledged_ns, resolved_ns; /* 0: not */
        const char *resolved_by;                          /* "recovery", "check", "operator", "shell"; NULL */
        const json_t *
                doc; /* members of the Contract that have no column: trust, integrity, backup, databases, evidence */
};
int store_put_incident(struct store *s, const struct store_incident *i);

int store_put_certificate(struct store *s, const char *id, const char *database, const char *incident,
                          const char *verdict, int64_t ended_ns, const json_t *doc);
int store_put_finding(struct store *s, const char *id, const char *database, const char *incident, const char *code,
                      const char *severity, int64_t at_ns, const json_t *doc);

/** The intent, before anything is done. @param ret_id  for store_end_action() */
int store_begin_action(struct store *s, const char *kind, const char *database, const char *incident,
                       const char *reason, int64_t now_ns, int64_t *ret_id);
/** @param outcome "done", "failed", "killed", "interrupted" */
int store_end_action(struct store *s, int64_t id, const char *outcome, int64_t now_ns, const json_t *doc);
/** After a start: every action without an outcome becomes "interrupted". @param ret_n how many */
int store_interrupt_actions(struct store *s, int64_t now_ns, uint64_t *ret_n);

int store_put_backup(struct store *s, const char *database, const json_t *entry /* of vigil.backups/1 */,
                     const char *incident);
/** The copy was pruned: it is no longer shown. */
int store_remove_backup(struct store *s, const char *database, const char *id, int64_t now_ns);
int store_put_check(struct store *s, const char *database, const char *incident, const char *reason, int64_t at_ns,
                    const json_t *check);

/** One row of a minute (or, rolled up, an hour). `process` "" : of all processes together, counted per file; `file` "": of one
 * program on all files of the database. The two kinds are never added up. */
struct store_summary {
        const char *database, *file, *process, *op;
        int64_t start_s;
        uint32_t span_s;
        uint64_t count, bytes, errors;
        const struct vigil_hist *hist; /* NULL: not timed */
};
int store_add_summary(struct store *s, const struct store_summary *row);

/** One row of `metrics`, for the runbooks: e.g. type "error", labels {"operation": "sync", "error": "EIO", "database": …}. */
int store_put_metric(struct store *s, const char *type, double value, const json_t *labels, int64_t at_ns);
int store_put_event(struct store *s, const char *type, const char *database, int64_t at_ns, const json_t *doc,
                    int64_t *ret_seq);

/** Runs of the daemon. store_run_seen() moves `last_seen`: the beginning of a gap. */
int store_begin_run(struct store *s, const char *boot_id, int pid, const char *version, int64_t now_ns,
                    int64_t *ret_id);
int store_run_seen(struct store *s, int64_t id, int64_t now_ns);
int store_end_run(struct store *s, int64_t id, int64_t now_ns);
struct store_run {
        char boot_id[40];
        int64_t started_ns, last_seen_ns, ended_ns; /* 0: no orderly end */
};
int store_last_run(struct store *s, struct store_run *ret); /* -ENOENT: none */

/** Changes that somebody else made since the last call (PRAGMA data_version): statuses of alerts set in the shell.
 * Calls @p changed for each alert whose status differs from what was written last. @return how many, or -errno */
int store_poll_alerts(struct store *s,
                      void (*changed)(void *userdata, const char *id, const char *status, int64_t at_ns),
                      void *userdata);

/* ---- questions. Each gives one whole document of the Contract, new reference, at most @p limit entries, newest first;
 *      "cut": true when there were more. -ENOENT: no such id ---- */
struct store_query {
        int64_t since_ns, until_ns; /* 0: open */
        const char *status, *database, *id;
        size_t limit; /* 0: 1000; at most 10000 */
};
int store_incidents(struct store *s, const struct store_query *q, json_t **ret);    /* vigil.incidents/1 */
int store_certificates(struct store *s, const struct store_query *q, json_t **ret); /* vigil.certificates/1 */
int store_events(struct store *s, const struct store_query *q, int64_t after_seq,
                 int (*each)(void *userdata, int64_t seq, const char *line), void *userdata);
/** Rows by the grouping, histograms merged; @p live rows (the minute that is not over) are merged in. */
enum store_by { STORE_BY_DB = 1, STORE_BY_FILE = 2, STORE_BY_PROCESS = 4, STORE_BY_OP = 8 };
int store_summary_rows(struct store *s, const struct store_query *q, unsigned by, const struct store_summary *live,
                       size_t nlive, json_t **ret); /* vigil.summary/1 */
/** Unresolved incidents, as they were stored, for the start of the daemon. */
int store_load_open(struct store *s, int (*each)(void *userdata, const struct store_incident *i), void *userdata);

/** One small step of retention (at most @p rows rows, then incremental_vacuum): minutes older than two days become hours, then
 * by age, then by size, oldest first; never an unresolved incident or what belongs to it. @return rows removed, 0: nothing to do */
int store_retain(struct store *s, int64_t now_ns, uint64_t age_ms, uint64_t incident_ms, uint64_t bytes,
                 unsigned rows);
/** Size of the file; 0: cannot be told. */
uint64_t store_bytes(struct store *s);
