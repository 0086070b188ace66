/* incident.h - findings of one cause become one incident with a life cycle. Pure: no files, no clock. Layer: incident. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "detect/detect.h"

#define INCIDENT_WINDOW_NS                                                                                         \
        (2000000000ull)        /* deaths of one cgroup, PID namespace or sender (reference: durability 3.3) */
#define INCIDENT_MAX_OPEN 1024 /* more of the same code on the same database are merged into the oldest */

enum incident_status { INCIDENT_FIRING, INCIDENT_ACKNOWLEDGED, INCIDENT_RESOLVED };

/** What may have caused a finding; equal non-zero parts within the window are one cause. */
struct incident_cause {
        uint64_t cgroup_id; /* 0 or the root cgroup: none */
        uint64_t pidns_ino; /* the initial one: none */
        struct vigil_ident sender;
        const char *
                code; /* for findings without a death: code + database is the cause, for as long as the incident is open */
};

struct incident_finding {
        const char *id, *code;
        enum severity severity; /* before overrides */
        const char *database, *path;
        uint64_t ns;             /* CLOCK_BOOTTIME */
        int64_t at_ns;           /* since the epoch */
        const char *certificate; /* id; NULL */
        const char *detail;
        const struct trust *trust;
        struct incident_cause cause;
};

struct incident {
        char id[DETECT_ID_LEN]; /* "i-" and 16 hex: of boot id and first finding */
        const char *code;       /* of the worst finding, the first of these; static or owned */
        enum severity severity;
        enum incident_status status;
        char *database, *path; /* of that finding */
        char summary[DETECT_DETAIL_LEN];
        int64_t started_ns, acknowledged_ns, resolved_ns;
        size_t nfindings, ncertificates, ndatabases; /* ids are in the store */
        char *resolved_by;
        void *tag; /* the daemon's own: pending recoveries, actions */
};

struct incidents;
struct incidents *incidents_new(const char *boot_id,
                                enum severity (*severity)(void *userdata, const char *code, enum severity given),
                                void *userdata);
void incidents_free(struct incidents *s);
/** @param ret_new  a new one, not joined. @return the incident the finding belongs to; NULL: out of memory */
struct incident *incidents_add(struct incidents *s, const struct incident_finding *f, bool *ret_new);
struct incident *incidents_restore(struct incidents *s, const char *id, const char *code, enum severity severity,
                                   enum incident_status status, const char *database, const char *path,
                                   int64_t started_ns);
struct incident *incidents_find(struct incidents *s, const char *id);
size_t incidents_open(struct incidents *s,
                      struct incident ***ret); /* unresolved, oldest first; valid until the next change */
int incident_acknowledge(struct incident *i, int64_t now_ns);             /* -EALREADY */
int incident_resolve(struct incident *i, const char *by, int64_t now_ns); /* -EALREADY */

/** How an incident of this code may end by itself: one table, codes.c, which also lists every code the daemon adds. */
enum incident_ends { ENDS_BY_RECOVERY, ENDS_BY_CHECK, ENDS_BY_BACKUP, ENDS_WHEN_QUIET, ENDS_BY_HAND, ENDS_AT_ONCE };
struct incident_code {
        const char *code;
        enum severity severity;
        enum incident_ends ends;
};
extern const struct incident_code incident_codes[]; /* ended by NULL */
