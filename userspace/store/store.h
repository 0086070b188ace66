/* store.h - what Vigil saw and did, in STATE/vigil.db. Layer: store.
 *
 * One connection that writes. It waits for a lock only as long as it is told to: whoever else has the file locked (an operator's
 * sqlite3 shell) makes a call return -EBUSY, and the caller tries later. Rollback journal (journal_mode=PERSIST, synchronous=FULL: the commit is the zeroed and
 * synced journal header, so no directory entry is owed), because operators write to it, too (the Contract, 6.4).
 * Rows are written between store_begin() and store_commit(); what has been committed survives a kill and a power cut. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/hist.h"

struct store;

#define STORE_VERSION 2 /* PRAGMA user_version */

enum store_opened { STORE_AS_IT_WAS, STORE_NEW, STORE_MIGRATED, STORE_SET_ASIDE };

/**
 * Opens DIR/vigil.db, makes or migrates it. One that is damaged (not SQLite, truncated, a table or its first page is missing) is
 * renamed to vigil.db.corrupt-STAMP with its journal and a new one is made; the newest four of such files are kept.
 *
 * @param checked_corrupt  a check of the file by a worker found damage (the caller's duty: nothing is parsed in depth here)
 * @param ret_aside        path of what was set aside, owned by the caller; NULL when nothing was
 * @return 0; -EPROTONOSUPPORT a newer version wrote it; -EEXIST it is the database of another program; -EISDIR, -EINVAL it is no
 *         file: all of these are left alone; -EBUSY locked for longer than 2 s; -ENOENT, -ENOTDIR no such directory; -EACCES,
 *         -EROFS, -ENOSPC, -EIO, -ENOMEM
 */
int store_open(const char *dir, bool checked_corrupt, struct store **ret, enum store_opened *ret_how,
               char **ret_aside);
void store_close(struct store *s);

/**
 * Opens DIR/vigil.db for the questions below. Nothing is made, migrated, repaired or set aside.
 * @param patience_ms  how long a call waits for a lock of somebody else
 * @return 0; -ENOENT; -EPROTONOSUPPORT: another version wrote it; -EUCLEAN: damaged, or no store; -EROFS: it was cut off in the
 *         middle of a transaction, which only the daemon can undo; -EBUSY: locked for longer than that; -EACCES, -EIO, -ENOMEM
 */
int store_open_to_read(const char *dir, unsigned patience_ms, struct store **ret);
/** From now on calls wait so long for a lock of somebody else, where after store_open() they wait not at all. */
void store_set_patience(struct store *s, unsigned ms);

/* ---- transactions. -errno of an SQLite result everywhere: -EBUSY, -ENOSPC, -EROFS, -EIO, -ENOMEM; -EUCLEAN: the file is
 *      damaged (close, then store_open() with checked_corrupt); -EPROTO: somebody has changed its tables. The first of them
 *      between store_begin() and store_commit() makes all of the transaction void: every further call gives the same error.
 *      -EINVAL (a value that the table refuses) and -E2BIG (longer than 8 MiB) concern that row alone ---- */

int store_begin(struct store *s); /* -EBUSY at once; -EALREADY: not ended yet */
int store_commit(
        struct store *s); /* on failure everything since store_begin() is rolled back: put it again later */
void store_rollback(struct store *s); /* never fails */

/* ---- rows. Times in ns since the epoch; JSON is kept as text, borrowed; NULL: none. Outside of a transaction each is one of
 *      its own. Incidents, certificates, findings, backups and checks have an identity: a repetition replaces ---- */

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

/** The newest check of @p database. @param ret_result  its result, cut to @p size. @return 0; -ENOENT: none is known; or -errno */
int store_last_check(struct store *s, const char *database, int64_t *ret_at_ns, char *ret_result, size_t size);
/** Its evidence was removed: `evidence` becomes null, and `evidence_removed_at` says when. Nothing when the incident is unknown. */
int store_evidence_removed(struct store *s, const char *id, int64_t now_ns);

int store_put_certificate(struct store *s, const char *id, const char *database, const char *incident,
                          const char *verdict, int64_t ended_ns, const json_t *doc);
int store_put_finding(struct store *s, const char *id, const char *database, const char *incident, const char *code,
                      const char *severity, int64_t at_ns, const json_t *doc);

/** The intent, before anything is done. @param ret_id  for store_end_action() */
int store_begin_action(struct store *s, const char *kind, const char *database, const char *incident,
                       const char *reason, int64_t now_ns, int64_t *ret_id);
/** The id of the intent that was stored with this kind, database and time. -ENOENT: there is none. */
int store_find_action(struct store *s, const char *kind, const char *database, int64_t now_ns, int64_t *ret_id);
/** @param outcome "done", "failed", "killed", "interrupted" */
int store_end_action(struct store *s, int64_t id, const char *outcome, int64_t now_ns, const json_t *doc);
/** What became of the newest action of that kind for @p incident on @p database that ended as "interrupted": it was found to have
 * been "done". Nothing where there is none. */
int store_adopt_action(struct store *s, const char *kind, const char *database, const char *incident,
                       int64_t now_ns, const json_t *doc);
/** After a start: every action without an outcome becomes "interrupted". @param ret_n how many */
int store_interrupt_actions(struct store *s, int64_t now_ns, uint64_t *ret_n);

int store_put_backup(struct store *s, const char *database, const json_t *entry /* of vigil.backups/1 */,
                     const char *incident);
/** The copy was pruned: it is no longer shown. */
int store_remove_backup(struct store *s, const char *database, const char *id, int64_t now_ns);
int store_put_check(struct store *s, const char *database, const char *incident, const char *reason, int64_t at_ns,
                    const json_t *check);

#define STORE_MINUTE_S 60
#define STORE_HOUR_S   3600

/** One row of a minute (or, rolled up, an hour). `process` "" : of all processes together, counted per file; `file` "": of one
 * program on all files of the database. The two kinds are never added up; a row with neither name is -EINVAL. */
struct store_summary {
        const char *database, *file, *process, *op;
        int64_t start_s;
        uint32_t span_s; /* STORE_MINUTE_S or STORE_HOUR_S; others are -EINVAL */
        uint64_t count, bytes, errors;
        const struct vigil_hist *hist; /* NULL: not timed */
};
/** Adds to what is stored for these names and this time: after a restart, the same minute may come again. */
int store_add_summary(struct store *s, const struct store_summary *row);

/** Another row of `metrics`, for the runbooks: e.g. type "error", labels {"operation": "sync", "error": "EIO", "database": …}. */
int store_put_metric(struct store *s, const char *type, double value, const json_t *labels, int64_t at_ns);
/** Another event. @p doc is the line as it is shown. @param ret_seq  where it stands in the stream; may be NULL */
int store_put_event(struct store *s, const char *type, const char *database, int64_t at_ns, const json_t *doc,
                    int64_t *ret_seq);

/** What is usual at one hour of the week (0..167), as bytes that are the caller's; it replaces what was stored of that hour. */
struct store_baseline {
        const char *database, *file, *op;
        unsigned hour;
        int64_t updated_s; /* since the epoch: retention goes by it */
        const void *learned;
        size_t size; /* at most STORE_BASELINE_BYTES, else -EINVAL */
};
#define STORE_BASELINE_BYTES 512
int store_put_baseline(struct store *s, const struct store_baseline *b);
/** All hours of that operation. */
int store_forget_baseline(struct store *s, const char *database, const char *file, const char *op);
/** Every hour of every operation of @p database that is stored. @p each: as for store_events() */
int store_load_baselines(struct store *s, const char *database,
                         int (*each)(void *userdata, const struct store_baseline *b), void *userdata);

/** Runs of the daemon. store_run_seen() moves `last_seen`: the beginning of a gap. */
int store_begin_run(struct store *s, const char *boot_id, int pid, const char *version, int64_t now_ns,
                    int64_t *ret_id);
int store_run_seen(struct store *s, int64_t id, int64_t now_ns);
int store_end_run(struct store *s, int64_t id, int64_t now_ns);
struct store_run {
        int64_t id;
        char boot_id[40];
        int64_t started_ns, last_seen_ns, ended_ns; /* 0: no orderly end */
};
int store_last_run(struct store *s, struct store_run *ret); /* -ENOENT: none */

/**
 * Changes that somebody else made since the last call (PRAGMA data_version): statuses of alerts set in the shell. The first call
 * after an open finds those made while nobody looked. Until it is taken over, such a status stays, whatever store_put_incident()
 * says (but an acknowledgement only while that says nothing worse), and is told again by the next connection. At most 256 in one call, the rest in the next.
 *
 * @param changed  @p at_ns: what the operator wrote, else now
 * @return how many; -EALREADY between store_begin() and its end; or -errno: nothing was told, the next call tells it
 */
int store_poll_alerts(struct store *s,
                      void (*changed)(void *userdata, const char *id, const char *status, int64_t at_ns),
                      void *userdata);
/** A status that was told: the columns of the row agree again, and `resolved_by` is "shell". Nothing when it has changed since. */
int store_take_over_alert(struct store *s, const char *id, const char *status, int64_t at_ns);

/* ---- questions. Those for a document give one whole document of the Contract, new reference, newest first; "cut": true when
 *      there were more than `limit` entries, or than fit (8 MiB of stored text). -ENOENT: no such id; -ETIME: more rows than
 *      can be read in the time; -EBUSY: somebody holds the file exclusively ---- */
struct store_query {
        int64_t since_ns, until_ns; /* 0: open; until itself is not in it */
        const char *status;         /* of certificates: the verdict */
        const char *database, *id;
        size_t limit;         /* 0: 1000; at most 10000 */
        unsigned deadline_ms; /* 0: 1000 */
};
int store_incidents(struct store *s, const struct store_query *q, json_t **ret);    /* vigil.incidents/1 */
int store_certificates(struct store *s, const struct store_query *q, json_t **ret); /* vigil.certificates/1 */
/** A death that was stored. The texts are valid until @p each returns. */
struct store_death {
        const char *certificate, *database, *comm;
        uint32_t pid;
        uint64_t start_ns; /* CLOCK_BOOTTIME of its boot */
        int64_t ended_ns;  /* since the epoch */
};
/** Deaths since @p since_ns, the newest @p most of them, oldest first. @p each: as for store_events() */
int store_load_deaths(struct store *s, int64_t since_ns, unsigned most,
                      int (*each)(void *userdata, const struct store_death *death), void *userdata);
/** Whether a certificate or a finding of this id is there. @return 1, 0 or -errno */
int store_knows(struct store *s, const char *id);
/**
 * Whether anything stored is about a database of this name.
 * @param ret_nearest  the name that @p name may be a slip of, "" for none; set when 0 is returned
 * @return 1, 0, -ETIME: too much is stored to tell, or -errno
 */
int store_knows_database(struct store *s, const char *name, char *ret_nearest, size_t size);
/** The incident called q->id, and beside it, as "finding_details", its findings. */
int store_incident(struct store *s, const struct store_query *q, json_t **ret);
/** The findings of one incident, worst first, as they were stored: an array, at most 1000. */
int store_findings(struct store *s, const char *incident, json_t **ret);

/**
 * The lines of vigil.events/1 behind @p after_seq, oldest first, `limit` at most: the next call goes on after the last one.
 * @param each  anything but 0 ends it; it must not write to the store
 * @return 0, -errno, or what @p each returned
 */
int store_events(struct store *s, const struct store_query *q, int64_t after_seq,
                 int (*each)(void *userdata, int64_t seq, const char *line), void *userdata);

/**
 * vigil.summary/1: rows by the grouping, in the order of their names, histograms merged; @p live rows (the minute that is not
 * over) are merged in. A column that is not asked for, or not counted in a row, is null: with STORE_BY_PROCESS come the
 * rows that are counted per program, without it or with STORE_BY_FILE those counted per file. Rows that reach into the time
 * asked for count whole: "since" is where the first of them begins, "asked_since" what was asked for. `status` and `id` are not used.
 */
enum store_by { STORE_BY_DB = 1, STORE_BY_FILE = 2, STORE_BY_PROCESS = 4, STORE_BY_OP = 8 };
int store_summary_rows(struct store *s, const struct store_query *q, unsigned by, const struct store_summary *live,
                       size_t nlive, json_t **ret);

/** When the incident was resolved; 0: it is not, or somebody in the shell says so and that has not been told yet. -ENOENT: there is no
 * such incident. */
int store_incident_resolved(struct store *s, const char *id, int64_t *ret_ns);
/** Id of the incident that began last, "" when there is none. */
int store_newest_incident(struct store *s, char *ret, size_t size);

/** Unresolved incidents, as they were stored, oldest first, for the start of the daemon. @p each: as for store_events() */
int store_load_open(struct store *s, int (*each)(void *userdata, const struct store_incident *i), void *userdata);
/** The same of those about deaths that have ended by themselves since @p since_ns, newest first, @p most at most. */
int store_load_ended(struct store *s, int64_t since_ns, unsigned most,
                     int (*each)(void *userdata, const struct store_incident *i), void *userdata);

/**
 * One small step of retention, in a transaction of its own: what is older than @p age_ms goes, and resolved incidents older
 * than @p incident_ms; then, while the rows need more than @p bytes, minutes older than two hours become hours, then goes
 * the oldest of summaries, events, metrics and what belongs to no incident, and then the oldest resolved incidents; minutes older
 * than two days become hours in any case; last, free pages are given back to the file system. Never an unresolved incident or what belongs to it. To be called again, each second for
 * instance, until there is nothing to do, and then a minute later.
 *
 * @param rows  at most so many rows in this step
 * @param ms    after so long it is broken off, and nothing of it was done; 0: never. The sync at its end is not bounded by it.
 * @return > 0: something was done and there may be more; 0: nothing to do; -ETIME: broken off; -errno
 */
int store_retain(struct store *s, int64_t now_ns, uint64_t age_ms, uint64_t incident_ms, uint64_t bytes,
                 unsigned rows, unsigned ms);
/** Size of the file; 0: cannot be told. */
uint64_t store_bytes(struct store *s);
