/* detect.h - from what is known to what it means: certificates and findings. Layer: detect. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/check.h"
#include "engine/predict.h"
#include "model/cause.h"
#include "model/model.h"

enum verdict { VERDICT_CLEAN, VERDICT_ABRUPT, VERDICT_UNCLEAN, VERDICT_UNKNOWN };
enum severity { SEVERITY_P0, SEVERITY_P1, SEVERITY_P2, SEVERITY_P3 };

#define DETECT_ID_LEN       24 /* "c-" and 16 hex digits */
#define DETECT_REASONS      16
#define DETECT_DETAIL_LEN   256
#define DETECT_MAX_FINDINGS 1024 /* more are counted */

const char *verdict_name(enum verdict v);
const char *severity_name(enum severity s);

/** Which transaction a process had open. HELD_UNKNOWN: a write transaction, or none any more. */
enum held_txn { HELD_NONE, HELD_READ, HELD_WRITE, HELD_CHECKPOINT, HELD_RECOVERY, HELD_UNKNOWN };
const char *held_txn_name(enum held_txn t); /* "none", "read", "write", "checkpoint", "recovery", "unknown" */

/** What a file still owed the disk. */
struct file_risk {
        uint64_t
                bytes; /* written - durable; 0 for a file whose name is gone, and for the -shm, which is never needed */
        bool volatile_fs; /* tmpfs: no sync makes it durable */
};

/** What the files of a database owe the disk. */
struct debts {
        struct file_risk risk[VIGIL_ROLES];
        uint64_t directory_entries;
        uint64_t commits;
        bool tainted;
        bool lower_bound; /* a file was in use before the watch began, and no sync of it was seen: there may be more */
};

void debts_of(const struct vigil_db *db, struct debts *ret);
/** Bytes written to a file since the last good sync of it; of what was written more than once, no more than the file is long. */
uint64_t ledger_owes(const struct vigil_ledger *l);

/** What a living process held of a database at the end of the watch. */
struct holding {
        uint32_t locks; /* enum vigil_lock */
        enum held_txn held;
        uint64_t since_ns; /* when the transaction began; 0: before the watch, or not known */
        bool late;         /* it used the database before the watch began */
};

/** @param u  a use of @p living, which is one of model_living() */
struct holding holding_of(const struct model_death *living, const struct model_use *u);

/** The verdict on one process's end with regard to one database. */
struct certificate {
        char id[DETECT_ID_LEN];
        size_t database; /* model_database() */
        const struct model_death *death;
        const struct model_use *use;
        struct ending ending;
        enum verdict verdict;
        size_t nreasons;
        const char *reason[DETECT_REASONS]; /* static; reference: durability, table 10 */
        uint32_t locks;                     /* enum vigil_lock, at the end */
        enum held_txn held;
        bool sync_in_flight;
        bool tainted;
        bool connection_open; /* it had the database open at its end */
        struct file_risk risk[VIGIL_ROLES];
        uint64_t directory_entries_at_risk;
        uint64_t commits_at_risk;
        uint64_t wal_bytes; /* left behind */
        bool hot_journal;
        bool taken; /* somebody took a file that had what it committed, or would have undone what it began: no opener finds it */
        char prediction[PREDICT_LEN + 128]; /* empty: nothing can be said */
        int recovered;                      /* as model_use.recovered */
        struct trust trust;
};

/** What a detector says. */
struct finding {
        char id[DETECT_ID_LEN];
        const char *code; /* static */
        enum severity severity;
        size_t database;
        uint64_t ns;                           /* 0: not known */
        struct vigil_ident process;            /* tgid 0: nobody */
        const struct certificate *certificate; /* NULL: not about a death */
        char detail[DETECT_DETAIL_LEN];
        json_t *evidence; /* object */
        struct trust trust;
};

struct detection;

/**
 * Judges a finished model: every certificate, then every detector of the registry (detector.h).
 * @param m  must outlive the result
 * @return 0 or -ENOMEM
 */
int detect_run(const struct model *m, struct detection **ret);
void detection_free(struct detection *d);

const struct model *detection_model(const struct detection *d);
/** Of all databases that are shown, in the order of time. */
size_t detection_n_certificates(const struct detection *d);
const struct certificate *detection_certificate(const struct detection *d, size_t i);
size_t detection_n_findings(const struct detection *d);
const struct finding *detection_finding(const struct detection *d, size_t i);
uint64_t detection_findings_lost(const struct detection *d); /* beyond DETECT_MAX_FINDINGS */

/** Why @p database is no better than unknown whatever its certificates say: a code. "databases-not-kept": a process used more
 * databases than are kept of one, and this may be among those that were not. Without certificates also the reason for which
 * the trace is not complete. NULL: there is no such doubt. */
const char *detection_doubt(const struct detection *d, size_t database);
/** The worst verdict on @p database: unclean, unknown, abrupt, clean. Without certificates and doubt it is clean. */
enum verdict detection_verdict(const struct detection *d, size_t database);
/** The same over all databases that are shown: for --verdict-exit. At best unknown when a database had no place. */
enum verdict detection_overall(const struct detection *d);

/** True after anything but a clean end of every process, and when a finding of P1 or worse stands. */
bool detection_wants_backup(const struct detection *d, size_t database);

/** After a finding of that code committed data may be gone without a trace in the file format: a good check proves nothing. */
bool detect_tells_of_loss(const char *code);

/** What a finding of that code says of the content of the database, which no check can see: a copy of it is no good backup. NULL: nothing
 * that is known for sure. Static text. */
const char *detect_damage(const char *code);
/** The same of all findings on @p database. */
const char *detection_damage(const struct detection *d, size_t database);

/**
 * Adds what an integrity check says about @p database: `integrity-failed` (P0) when it found damage;
 * `silent-loss-suspected` (P1) when it found none although the trace shows that data may be lost: a green check never
 * clears a finding.
 *
 * @return 0 or -ENOMEM
 */
int detection_add_check(struct detection *d, size_t database, const struct check_result *check);

/**
 * Adds `backup-failed` (P2): a backup of @p database was wanted and could not be made.
 *
 * @param why        one phrase
 * @param last_good  path of the newest verified backup, which is kept; NULL: none is known
 * @return 0 or -ENOMEM
 */
int detection_add_backup_failure(struct detection *d, size_t database, const char *why, const char *last_good);
