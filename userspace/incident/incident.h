/* incident.h - findings of one cause become one incident with a life cycle. Pure: no files, no clock. Layer: incident. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "detect/detect.h"

/** Deaths that lie no further apart than this may have one cause (reference: durability 3.3). */
#define INCIDENT_WINDOW_NS 2000000000ull
/** A program that dies again within this time of its last death: the same incident, though it be over. As a default. */
#define INCIDENT_LOOP_NS 600000000000ull
/** Unresolved ones at a time. Beyond them a finding goes to the oldest of the same code and database, else to the oldest. */
#define INCIDENT_MAX_OPEN 1024
/** Of one incident. Databases beyond them are counted as `more_databases`; causes beyond them recognise nothing. */
#define INCIDENT_MAX_DATABASES 64
#define INCIDENT_MAX_CAUSES    32
#define INCIDENT_MAX_PROGRAMS  16 /* more are not counted */

enum incident_status { INCIDENT_FIRING, INCIDENT_ACKNOWLEDGED, INCIDENT_RESOLVED };
const char *incident_status_name(enum incident_status s); /* "firing", "acknowledged", "resolved" */

/**
 * What made a process die. Deaths within the window that share one part that is set, or died on one database, are one
 * incident. Zero for findings that are about no death: these belong together by database and code, and all codes of failing
 * storage with each other, for as long as the incident is not resolved.
 */
struct incident_cause {
        struct vigil_ident died;   /* the process itself: all findings about it are one */
        struct vigil_ident sender; /* who ended it; init, which ends what others tell it to, counts as nobody */
        uint64_t cgroup_id;        /* leave 0 for the root cgroup, which says nothing */
        uint64_t pidns_ino;        /* leave 0 for the initial PID namespace */
        uint64_t program;          /* what it ran and where, the same for each start of it: a hash. 0: not known */
};

/** One finding on its way into an incident. All texts are borrowed. */
struct incident_finding {
        const char *id;
        const char *code;
        enum severity severity;    /* before the configuration's overrides */
        const char *database;      /* its name; NULL: about Vigil, not about one */
        const char *path;          /* NULL with database */
        uint64_t ns;               /* CLOCK_BOOTTIME */
        int64_t at_ns;             /* since the epoch */
        const char *certificate;   /* id; NULL: about no death */
        const char *detail;        /* becomes the summary where this finding is the worst */
        const struct trust *trust; /* NULL: full */
        struct incident_cause cause;
        const char *
                incident; /* id of the incident it is known to belong to: it came of that one's check or backup. NULL */
};

/** How an incident may end by itself; a code has one, an incident owes all of its findings' (bits 1 << ends). */
enum incident_ends {
        ENDS_AT_ONCE,     /* it is information */
        ENDS_WHEN_QUIET,  /* nothing like it for INCIDENT_QUIET_NS */
        ENDS_WHEN_OVER,   /* whoever reported it sees that it is over */
        ENDS_BY_BACKUP,   /* the next verified backup of the database */
        ENDS_BY_RECOVERY, /* the next opener of each database has recovered it, or there is nothing to recover */
        ENDS_BY_CHECK,    /* a later check of the database finds no damage */
        ENDS_BY_HAND,     /* an operator says so: nothing that can be seen proves it */
        ENDS_BY_ACTIONS,  /* no code's: the check and the backup that Vigil owes it have come to an end */
};
#define INCIDENT_QUIET_NS 600000000000ull

struct incident_database {
        char *name;
        char *path; /* NULL: of one that was stored, but for the first */
};

struct incident {
        char id[DETECT_ID_LEN]; /* "i-" and 16 hex digits, of the boot id and the first finding: a replay gives the same */
        const char *
                code; /* of the worst finding, the first of these, or of those since all before was over; owned, as all texts here */
        enum severity severity; /* after overrides */
        enum incident_status status;
        const char *database, *path; /* of that finding; NULL: none */
        char summary[DETECT_DETAIL_LEN];
        int64_t started_ns, acknowledged_ns, resolved_ns; /* since the epoch; 0: not */
        enum severity seen_severity;                      /* what it was when somebody acknowledged it last, */
        int64_t seen_ns;                 /* and when that was; 0: nobody has since it began to fire */
        uint64_t last_ns;                /* CLOCK_BOOTTIME of the newest finding; 0: before this start */
        size_t nfindings, ncertificates; /* certificates: counted again where findings share one apart */
        struct incident_database databases[INCIDENT_MAX_DATABASES];
        size_t ndatabases;
        bool more_databases;
        unsigned owed;           /* 1 << enum incident_ends: what must still happen for it to end by itself */
        const char *proven_by;   /* static: what has proven a part of its end already; NULL: nothing yet */
        const char *resolved_by; /* static */
        struct trust trust;      /* of all its findings */
        unsigned deaths; /* how often the program died that died most often; 0: not known, or about no death */
        int64_t deaths_first_ns, deaths_last_ns; /* since the epoch: the first and the newest of these */
        uint64_t program;                        /* that one: incident_cause.program */
        bool returned;                           /* it was resolved, and fires again because of the last finding */
        bool reopened;                           /* it was acknowledged, and fires again because that is worse */
        bool goes_on; /* the last finding told anew what was told before this start: no news */
        void *tag;    /* the owner's of this set; never touched here */
};

struct incidents;

/**
 * @param boot_id   borrowed until this returns
 * @param severity  the configuration's override: gives the severity to use; NULL: none
 * @return NULL: out of memory
 */
struct incidents *incidents_new(const char *boot_id,
                                enum severity (*severity)(void *userdata, const char *code, enum severity given),
                                void *userdata);
void incidents_free(struct incidents *s);

/**
 * For how long after a death the next one of the same program, on the same database, is the same incident, also when it was resolved
 * by itself meanwhile: it fires again then, with a count, and does not end before INCIDENT_QUIET_NS without another death.
 * @param ns  0: never; INCIDENT_LOOP_NS unless it is set
 */
void incidents_loop(struct incidents *s, uint64_t ns);
/** A resolved one that a death may still bring back: not to be dropped yet. */
bool incidents_may_return(const struct incidents *s, const struct incident *i, uint64_t now_ns);

/**
 * Adds a finding to the incident of its cause, which may change code, severity and summary by it, or begins a new one. One that was
 * over and fires again because of another death is as severe as that death. A finding of the same id as the first of an incident belongs to that one. One that was acknowledged fires again when it has become
 * more severe by it: whoever acknowledged it has not seen that.
 *
 * @param ret_new  it is a new one
 * @return valid until incidents_drop(); NULL: out of memory
 */
struct incident *incidents_add(struct incidents *s, const struct incident_finding *f, bool *ret_new);

/**
 * Takes an incident as it was stored: everything of @p stored is copied but last_ns and tag, also the reasons of its trust. It is
 * recognised by its code on its first database, and by its program, unless incident_recognise() knows more.
 * Where `owed` of one that is not resolved is 0, it owes what its code owes. With `program` and `deaths` it goes on counting its deaths.
 *
 * @param death_ns  CLOCK_BOOTTIME of deaths_last_ns; 0: not known, or of an earlier boot: no later death is taken for one more
 * @return NULL: out of memory, or there are INCIDENT_MAX_OPEN
 */
struct incident *incidents_restore(struct incidents *s, const struct incident *stored, uint64_t death_ns);

/** What @p i is recognised by, for the store: the codes and databases that it is about, and which of these are over; its deaths, which
 * mean something within this boot alone. New reference; NULL: out of memory. */
json_t *incident_recognised(const struct incident *i, const char *boot_id);
/** Gives that back to one that was restored. @param stored  of any run; NULL, or of another form: nothing changes */
void incident_recognise(struct incident *i, const json_t *stored, const char *boot_id);

struct incident *incidents_find(struct incidents *s, const char *id); /* NULL: no such, or dropped */

/** All that are kept, oldest first, resolved ones until they are dropped. Valid until the next change. */
size_t incidents_list(const struct incidents *s, struct incident *const **ret);

/** Forgets a resolved incident, once it has been stored. Frees @p i. */
void incidents_drop(struct incidents *s, struct incident *i);

/** @return 0; -EALREADY: acknowledged or resolved before */
int incident_acknowledge(struct incident *i, int64_t now_ns);
/** One that was acknowledged fires again. @return 0; -EALREADY: it is not acknowledged */
int incident_fire(struct incident *i);
/** @param by  "recovery", "check", "backup", "quiet", "operator", "shell": static text. @return 0; -EALREADY */
int incident_resolve(struct incident *i, const char *by, int64_t now_ns);
/** It does not end by itself before @p what. */
void incident_owe(struct incident *i, enum incident_ends what);
/** What @p code told of @p database (NULL: of none) is over. @return 1: it was the last of what @p i has that ends so; 0: others go on;
 * -ENOENT: it has none such that goes on */
int incident_over(struct incident *i, const char *code, const char *database);
/** Whether a finding of @p code about @p database (NULL: none), one that is about no death, belongs to @p i already and is not over. */
bool incident_tells(struct incident *i, const char *code, const char *database);
/** @p what has happened. @return true when nothing is owed any more: to be resolved now */
bool incident_fulfil(struct incident *i, enum incident_ends what);

/** Every code that a finding can have: those of detect and those that the daemon adds. codes.c. */
struct incident_code {
        const char *code;
        enum severity severity;
        enum incident_ends ends;
        bool storage; /* the disk below: one cause, whatever it shows itself as */
};
extern const struct incident_code incident_codes[]; /* ended by NULL */
/** The row of @p code, NULL: none. */
const struct incident_code *incident_code(const char *code);

/** Id of a finding that the daemon makes itself: "f-" and 16 hex digits of these. @p database may be NULL. */
void incident_finding_id(const char *boot_id, const char *code, const char *database, uint64_t ns,
                         char ret[DETECT_ID_LEN]);
