/* config.h - the configuration file, parsed, checked, with every default filled in. Layer: config. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/orchestrator.h"

/** Bounds; what goes beyond is an error with its line. */
#define CONFIG_MAX_BYTES     (1u << 20)
#define CONFIG_MAX_DATABASES 1000
#define CONFIG_MAX_ERRORS    64

/** Where `vigil` looks without --config, and where it keeps its state without --state-dir and `state-dir`. */
#define CONFIG_PATH      "/etc/vigil/vigil.conf"
#define CONFIG_STATE_DIR "/var/lib/vigil"

/** On what an emergency backup is made; combined. */
enum config_backup_on {
        CONFIG_ON_UNCLEAN = 1 << 0,    /* "unclean": any verdict but clean and abrupt */
        CONFIG_ON_HAZARD = 1 << 1,     /* "hazard": a finding of P0 or P1 that is none of the others */
        CONFIG_ON_SYNC_ERROR = 1 << 2, /* "sync-error" */
        CONFIG_ON_CORRUPT = 1 << 3,    /* "corrupt": the raw files are kept as evidence */
        CONFIG_ON_SCHEDULE = 1 << 4,   /* "schedule": every `every` */
};

enum config_method { CONFIG_CHECK_NONE, CONFIG_CHECK_QUICK, CONFIG_CHECK_FULL };

struct config_check {
        uint64_t every_ms; /* 0: never by schedule; default 0 */
        enum config_method method;
        uint64_t deadline_ms; /* default 10 min */
};

struct config_backup {
        unsigned on;              /* enum config_backup_on; default all but schedule. 0: never */
        unsigned keep;            /* verified ones; default 14, at least 1 */
        uint64_t min_interval_ms; /* default 5 min */
        unsigned max_per_hour;    /* default 6; a P0 may take one more */
        uint64_t byte_budget;     /* most bytes of all copies of this database; 0: none */
        uint64_t every_ms;        /* with "schedule"; 0: not set */
        uint64_t max_age_ms;      /* older than this is stale; 0: no limit */
};

/** `latency { … }`, of all databases, and of one where it stands inside: what is not set there is as for all. */
struct config_latency {
        bool enabled;         /* default true */
        unsigned factor;      /* of the usual 95th percentile; default 5 */
        uint64_t window_ms;   /* default 30 s */
        uint64_t hold_ms;     /* without anything slow, before a spike is over; default 60 s */
        uint64_t accept_ms;   /* a spike that lasts so long is the new usual; default 6 h */
        uint64_t warm_up_ms;  /* of samples, before anything is said; default 10 min */
        unsigned min_samples; /* learned, before anything is said; default 200 */
        /* nothing is slow below; defaults 20 ms, 10 ms, 250 ms, 20 ms, 1 s */
        uint64_t floor_read_ms, floor_sync_ms, floor_lock_ms, floor_commit_ms, floor_checkpoint_ms;
};

/** When a write-ahead log that does not begin anew is told of. */
struct config_wal {
        uint64_t warn_bytes;    /* default 64 MiB */
        uint64_t warn_after_ms; /* default 5 min */
        uint64_t max_bytes;     /* default 1 GiB */
};

/** How long processes must be tied up in each other's locks before it is told; 0: it is not. */
struct config_locks {
        uint64_t deadlock_after_ms; /* default 10 s: longer than most busy timeouts, which end one */
        uint64_t
                suspect_after_ms; /* default 2 min: where another thread could let go, longer than most timeouts of applications */
        uint64_t convoy_after_ms; /* default 30 s */
};

/** One `database "name" { … }`. Text is owned by the configuration. */
struct config_database {
        char *name; /* unique, [A-Za-z0-9._-], at most 64 bytes: it names directories */
        char *path; /* absolute; NULL with `glob` */
        char *glob; /* NULL with `path` */
        struct config_check check;
        struct config_backup backup;
        struct config_latency latency;
        struct config_wal wal;
        struct config_locks locks;
        unsigned line;
};

/** `notify`: parsed and checked, acted upon by later versions; check-config says so as a note. */
struct config_notify {
        char *name, *type, *routing_key_file;
        unsigned min_severity; /* 0..3: not below it */
        unsigned line;
};

/** `severity "code" { is = "P2" }`. */
struct config_severity {
        char *code;
        unsigned is; /* 0..3 */
        unsigned line;
};

struct config_limits {
        uint64_t retention_age_ms;      /* of summaries, events, clean certificates; default 30 d */
        uint64_t retention_incident_ms; /* of resolved incidents and what belongs to them; default 365 d */
        uint64_t store_bytes;           /* default 512 MiB */
        uint64_t evidence_bytes;        /* default 10 GiB */
        uint64_t evidence_keep_ms;      /* of resolved incidents; 0, the default: for ever */
        uint64_t crash_loop_ms;    /* deaths of one program so far apart are one incident; 0: none; default 10 m */
        unsigned parallel_actions; /* default 2, of all kinds; checks one per device besides */
};

struct config {
        char *file; /* as given; NULL: none, only defaults */
        char *state_dir;
        bool redact_argv;
        struct config_limits limits;
        struct config_latency latency; /* of a database that says nothing else */
        bool attribution; /* where the time of commits and syncs goes: costs each of them; default false */
        struct config_database *database;
        size_t ndatabases;
        struct config_orchestrator *orchestrator;
        size_t norchestrators;
        struct config_notify *notify;
        size_t nnotify;
        struct config_severity *severity;
        size_t nseverities;
};

/** One complaint: "vigil.conf:12: database \"x\": unknown key 'pth'; did you mean 'path'?" without the prefix. */
struct config_error {
        unsigned line; /* 0: of the whole file */
        bool note;     /* no error: something that this version does not act upon */
        char text[256];
};

struct config_errors {
        struct config_error item[CONFIG_MAX_ERRORS];
        size_t n;
        size_t lost; /* beyond the bound */
};

/**
 * Reads, parses and checks the file. Every mistake is told, but for what leaves the structure unknown: an open quote.
 * A file whose last '}' is missing is an error (libconfuse takes it): the text is parsed with a sentinel key behind it.
 * Nothing of the host is looked at: a database that does not exist yet is no error.
 *
 * @param errors  filled in every case; notes may stand there on success, too
 * @param ret     untouched on failure; release with config_free()
 * @return 0; -EINVAL with errors; -EFBIG, -EISDIR, -ENOMEM or -errno of open(2), read(2)
 */
int config_load(const char *path, struct config **ret, struct config_errors *errors);

/** The same out of memory, for tests and fuzzing. @p name stands in messages. */
int config_parse(const char *name, const char *text, struct config **ret, struct config_errors *errors);

/** What a database has that says nothing about its log. */
extern const struct config_wal config_wal_default;
/** And about its locks. */
extern const struct config_locks config_locks_default;

/** A configuration of defaults and no database, for `run --discover`. @return 0 or -ENOMEM */
int config_default(struct config **ret);
void config_free(struct config *c);

/** One path to guard: what `path` and `glob` of the configuration come to now. */
struct config_target {
        char *name; /* of the database; with glob "NAME-FILE", FILE made plain */
        char *path;
        const struct config_database *of; /* borrowed */
};

/** Expands globs (links followed later, by the sensor; companions and directories are left out). @return 0, -E2BIG, -ENOMEM */
int config_targets(const struct config *c, struct config_target **ret, size_t *ret_n);
void config_targets_free(struct config_target *t, size_t n);

/** What a reload does to one target. */
enum config_change { CONFIG_KEPT, CONFIG_CHANGED, CONFIG_ADDED, CONFIG_GONE };

/**
 * Mark and sweep: every target of @p before is marked, those of @p now are taken or added, what keeps its mark is gone. The
 * key is the path: a new name or policy is CONFIG_CHANGED and keeps ledgers and probes.
 */
int config_diff(const struct config_target *before, size_t nbefore, const struct config_target *now, size_t nnow,
                int (*each)(void *userdata, enum config_change change, const struct config_target *before,
                            const struct config_target *now),
                void *userdata);
