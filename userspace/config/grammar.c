/* grammar.c - see grammar.h. */
#include "config/grammar.h"

#include <stdio.h>

#include "config/config.h"

#define HOUR_MS (3600ULL * 1000)
#define DAY_MS  (24 * HOUR_MS)
#define YEAR_MS (366 * DAY_MS)

static const char *const methods[] = {"none", "quick", "full", NULL};
static const char *const occasions[] = {"unclean", "hazard", "sync-error", "corrupt", "schedule", NULL};
static const char *const severities[] = {"P0", "P1", "P2", "P3", NULL};

/* The same keys for all databases and for one. */
#define LATENCY_KEYS(at)                                                                                           \
        {.name = "enabled", .kind = KEY_FLAG, .offset = at(enabled)},                                              \
                {.name = "factor", .kind = KEY_COUNT, .offset = at(factor), .min = 2, .max = 1000},                \
                {.name = "window", .kind = KEY_DURATION, .offset = at(window_ms), .min = 6000, .max = 120000},     \
                {.name = "hold", .kind = KEY_DURATION, .offset = at(hold_ms), .min = 5000, .max = HOUR_MS},        \
                {.name = "accept-after",                                                                           \
                 .kind = KEY_DURATION,                                                                             \
                 .offset = at(accept_ms),                                                                          \
                 .min = 60000,                                                                                     \
                 .max = YEAR_MS},                                                                                  \
                {.name = "warm-up", .kind = KEY_DURATION, .offset = at(warm_up_ms), .max = DAY_MS},                \
                {.name = "min-samples", .kind = KEY_COUNT, .offset = at(min_samples), .min = 1, .max = 100000},    \
                {.name = "floor-read", .kind = KEY_DURATION, .offset = at(floor_read_ms), .max = HOUR_MS},         \
                {.name = "floor-sync", .kind = KEY_DURATION, .offset = at(floor_sync_ms), .max = HOUR_MS},         \
                {.name = "floor-lock", .kind = KEY_DURATION, .offset = at(floor_lock_ms), .max = HOUR_MS},         \
                {.name = "floor-commit", .kind = KEY_DURATION, .offset = at(floor_commit_ms), .max = HOUR_MS},     \
        {                                                                                                          \
                .name = "floor-checkpoint", .kind = KEY_DURATION, .offset = at(floor_checkpoint_ms),               \
                .max = HOUR_MS                                                                                     \
        }
#define OF_ALL(member) offsetof(struct config, latency.member)
#define OF_ONE(member) offsetof(struct config_database, latency.member)
/* Programs are for the whole host: no database has its own. */
static const struct key latency_keys[] = {
        LATENCY_KEYS(OF_ALL),
        {.name = "attribution", .kind = KEY_FLAG, .offset = offsetof(struct config, attribution)},
        {0},
};
static const struct key database_latency_keys[] = {LATENCY_KEYS(OF_ONE), {0}};

static const struct section latency_section = {.name = "latency", .keys = latency_keys};
static const struct section database_latency_section = {.name = "latency", .keys = database_latency_keys};

#define AT(member) offsetof(struct config_database, member)

static const struct key check_keys[] = {
        {.name = "every", .kind = KEY_DURATION, .offset = AT(check.every_ms), .max = YEAR_MS},
        {.name = "method", .kind = KEY_CHOICE, .offset = AT(check.method), .choices = methods},
        {.name = "deadline", .kind = KEY_DURATION, .offset = AT(check.deadline_ms), .min = 1000, .max = DAY_MS},
        {0},
};

static const struct key backup_keys[] = {
        {.name = "on", .kind = KEY_SET, .offset = AT(backup.on), .choices = occasions},
        {.name = "keep", .kind = KEY_COUNT, .offset = AT(backup.keep), .min = 1, .max = 100000},
        {.name = "min-interval", .kind = KEY_DURATION, .offset = AT(backup.min_interval_ms), .max = YEAR_MS},
        {.name = "max-per-hour", .kind = KEY_COUNT, .offset = AT(backup.max_per_hour), .min = 1, .max = 3600},
        {.name = "max-bytes", .kind = KEY_BYTES, .offset = AT(backup.byte_budget)},
        {.name = "every", .kind = KEY_DURATION, .offset = AT(backup.every_ms), .min = 60000, .max = YEAR_MS},
        {.name = "max-age",
         .kind = KEY_DURATION,
         .offset = AT(backup.max_age_ms),
         .min = 60000,
         .max = 10 * YEAR_MS},
        {0},
};

static const struct key wal_keys[] = {
        {.name = "warn-bytes", .kind = KEY_BYTES, .offset = AT(wal.warn_bytes), .min = 65536},
        {.name = "warn-after", .kind = KEY_DURATION, .offset = AT(wal.warn_after_ms), .min = 1000, .max = YEAR_MS},
        {.name = "max-bytes", .kind = KEY_BYTES, .offset = AT(wal.max_bytes), .min = 65536},
        {0},
};

static const struct key locks_keys[] = {
        {.name = "deadlock-after", .kind = KEY_DURATION, .offset = AT(locks.deadlock_after_ms), .max = YEAR_MS},
        {.name = "suspect-after", .kind = KEY_DURATION, .offset = AT(locks.suspect_after_ms), .max = YEAR_MS},
        {.name = "convoy-after", .kind = KEY_DURATION, .offset = AT(locks.convoy_after_ms), .max = YEAR_MS},
        {0},
};

static const struct section locks_section = {.name = "locks", .keys = locks_keys};
static const struct section wal_section = {.name = "wal", .keys = wal_keys};
static const struct section check_section = {.name = "check", .keys = check_keys};
static const struct section backup_section = {.name = "backup", .keys = backup_keys};

static const struct key database_keys[] = {
        {.name = "path", .kind = KEY_PATH, .offset = AT(path)},
        {.name = "glob", .kind = KEY_PATH, .offset = AT(glob)},
        {0},
};

static const struct section database_section = {
        .name = "database",
        .keys = database_keys,
        .below = (const struct section *const[]){&check_section, &backup_section, &database_latency_section,
                                                 &wal_section, &locks_section, NULL},
        .titled = true,
        .list = offsetof(struct config, database),
        .count = offsetof(struct config, ndatabases),
        .size = sizeof(struct config_database),
        .title = AT(name),
        .line = AT(line),
};
#undef AT

#define AT(member) offsetof(struct config_orchestrator, member)
static const struct key jobs_keys[] = {
        {.name = "query", .kind = KEY_TEXT, .offset = AT(jobs.query)},
        {.name = "files", .kind = KEY_PATH, .offset = AT(jobs.files)},
        /* in the order of enum job_field */
        {.name = "column-id", .kind = KEY_TEXT, .offset = AT(jobs.column[0])},
        {.name = "column-status", .kind = KEY_TEXT, .offset = AT(jobs.column[1])},
        {.name = "column-started", .kind = KEY_TEXT, .offset = AT(jobs.column[2])},
        {.name = "column-updated", .kind = KEY_TEXT, .offset = AT(jobs.column[3])},
        {.name = "column-progress", .kind = KEY_TEXT, .offset = AT(jobs.column[4])},
        {.name = "column-total", .kind = KEY_TEXT, .offset = AT(jobs.column[5])},
        {.name = "column-pid", .kind = KEY_TEXT, .offset = AT(jobs.column[6])},
        {.name = "id-pointer", .kind = KEY_TEXT, .offset = AT(jobs.pointer[0])},
        {.name = "status-pointer", .kind = KEY_TEXT, .offset = AT(jobs.pointer[1])},
        {.name = "started-pointer", .kind = KEY_TEXT, .offset = AT(jobs.pointer[2])},
        {.name = "updated-pointer", .kind = KEY_TEXT, .offset = AT(jobs.pointer[3])},
        {.name = "progress-pointer", .kind = KEY_TEXT, .offset = AT(jobs.pointer[4])},
        {.name = "total-pointer", .kind = KEY_TEXT, .offset = AT(jobs.pointer[5])},
        {.name = "pid-pointer", .kind = KEY_TEXT, .offset = AT(jobs.pointer[6])},
        {.name = "running", .kind = KEY_LIST, .offset = AT(jobs.running), .max = CONFIG_MAX_RUNNING},
        {.name = "every", .kind = KEY_DURATION, .offset = AT(jobs.every_ms), .min = 1000, .max = DAY_MS},
        {.name = "deadline", .kind = KEY_DURATION, .offset = AT(jobs.deadline_ms), .min = 100, .max = 60000},
        {.name = "max-rows", .kind = KEY_COUNT, .offset = AT(jobs.max_rows), .min = 1, .max = 10000},
        {.name = "stuck-after", .kind = KEY_DURATION, .offset = AT(jobs.stuck_after_ms), .max = YEAR_MS},
        {.name = "blocked-after", .kind = KEY_DURATION, .offset = AT(jobs.blocked_after_ms), .max = YEAR_MS},
        {.name = "no-progress", .kind = KEY_DURATION, .offset = AT(jobs.no_progress_ms), .max = YEAR_MS},
        {0},
};

static const struct section jobs_section = {.name = "jobs", .keys = jobs_keys};

static const struct key orchestrator_keys[] = {
        {.name = "match-cmdline", .kind = KEY_TEXT, .offset = AT(match.cmdline)},
        {.name = "match-comm", .kind = KEY_TEXT, .offset = AT(match.comm)},
        {.name = "match-exe", .kind = KEY_TEXT, .offset = AT(match.exe)},
        {.name = "match-uid", .kind = KEY_COUNT, .offset = AT(match.uid), .max = CONFIG_NO_UID - 1},
        {.name = "pid-file", .kind = KEY_PATH, .offset = AT(match.pid_file)},
        {.name = "systemd-unit", .kind = KEY_TEXT, .offset = AT(match.systemd_unit)},
        {.name = "cgroup", .kind = KEY_TEXT, .offset = AT(match.cgroup)},
        {.name = "container", .kind = KEY_TEXT, .offset = AT(match.container)},
        {.name = "database", .kind = KEY_TEXT, .offset = AT(database)},
        {0},
};

static const struct section orchestrator_section = {
        .name = "orchestrator",
        .keys = orchestrator_keys,
        .below = (const struct section *const[]){&jobs_section, NULL},
        .titled = true,
        .list = offsetof(struct config, orchestrator),
        .count = offsetof(struct config, norchestrators),
        .size = sizeof(struct config_orchestrator),
        .title = AT(name),
        .line = AT(line),
};
#undef AT

#define AT(member) offsetof(struct config_notify, member)
static const struct key notify_keys[] = {
        {.name = "type", .kind = KEY_TEXT, .offset = AT(type), .required = true},
        {.name = "routing-key-file", .kind = KEY_PATH, .offset = AT(routing_key_file)},
        {.name = "min-severity", .kind = KEY_CHOICE, .offset = AT(min_severity), .choices = severities},
        {0},
};

static const struct section notify_section = {
        .name = "notify",
        .keys = notify_keys,
        .titled = true,
        .list = offsetof(struct config, notify),
        .count = offsetof(struct config, nnotify),
        .size = sizeof(struct config_notify),
        .title = AT(name),
        .line = AT(line),
};
#undef AT

#define AT(member) offsetof(struct config_severity, member)
static const struct key severity_keys[] = {
        {.name = "is", .kind = KEY_CHOICE, .offset = AT(is), .choices = severities, .required = true},
        {0},
};

static const struct section severity_section = {
        .name = "severity",
        .keys = severity_keys,
        .titled = true,
        .list = offsetof(struct config, severity),
        .count = offsetof(struct config, nseverities),
        .size = sizeof(struct config_severity),
        .title = AT(code),
        .line = AT(line),
};
#undef AT

#define AT(member) offsetof(struct config, limits.member)
static const struct key limits_keys[] = {
        {.name = "history",
         .kind = KEY_DURATION,
         .offset = AT(retention_age_ms),
         .min = HOUR_MS,
         .max = 100 * YEAR_MS},
        {.name = "incident-history",
         .kind = KEY_DURATION,
         .offset = AT(retention_incident_ms),
         .min = DAY_MS,
         .max = 100 * YEAR_MS},
        {.name = "store-bytes", .kind = KEY_BYTES, .offset = AT(store_bytes), .min = 16ULL << 20},
        {.name = "evidence-bytes", .kind = KEY_BYTES, .offset = AT(evidence_bytes)},
        {.name = "evidence-keep", .kind = KEY_DURATION, .offset = AT(evidence_keep_ms), .max = 100 * YEAR_MS},
        {.name = "crash-loop", .kind = KEY_DURATION, .offset = AT(crash_loop_ms), .max = DAY_MS},
        {.name = "parallel-actions", .kind = KEY_COUNT, .offset = AT(parallel_actions), .min = 1, .max = 16},
        {0},
};
#undef AT

static const struct section limits_section = {.name = "limits", .keys = limits_keys};

static const struct key root_keys[] = {
        {.name = "state-dir", .kind = KEY_PATH, .offset = offsetof(struct config, state_dir)},
        {.name = "redact-argv", .kind = KEY_FLAG, .offset = offsetof(struct config, redact_argv)},
        {0},
};

const struct section grammar = {
        .name = "",
        .keys = root_keys,
        /* `latency` before what takes its values. */
        .below = (const struct section *const[]){&limits_section, &latency_section, &database_section,
                                                 &orchestrator_section, &notify_section, &severity_section, NULL},
};

const char *key_form(const struct key *k, char ret[KEY_FORM_LEN])
{
        if (k->kind == KEY_DURATION)
                return "a duration such as '90s', '5m', '1h' or '7d'";
        if (k->kind == KEY_BYTES)
                return "a size such as '512M' or '10G'";
        if (k->kind == KEY_FLAG)
                return "true or false";
        if (k->choices) {
                int n = snprintf(ret, KEY_FORM_LEN, "one of: ");
                for (int i = 0; k->choices[i] && n < KEY_FORM_LEN; i++)
                        n += snprintf(ret + n, (size_t)(KEY_FORM_LEN - n), "%s%s", i ? ", " : "", k->choices[i]);
                return ret;
        }
        if (k->kind != KEY_COUNT)
                return NULL;
        snprintf(ret, KEY_FORM_LEN, "a whole number from %llu to %llu", (unsigned long long)k->min,
                 (unsigned long long)k->max);
        return ret;
}
