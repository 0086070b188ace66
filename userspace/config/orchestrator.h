/* orchestrator.h - `orchestrator "name" { … }`: which processes run jobs, and how their jobs are read. Layer: config. Text is
 * owned by the configuration. */
#pragma once

#include <stdint.h>

#define CONFIG_MAX_ORCHESTRATORS 64
#define CONFIG_MAX_RUNNING       16 /* values of `running` */
#define CONFIG_NO_UID            UINT32_MAX

/** All that are given must match; at least one is. NULL: not given. */
struct config_match {
        char *cmdline;      /* a part of the command line, its arguments joined by blanks */
        char *comm;         /* the name of the program as the kernel has it, at most 15 bytes */
        char *exe;          /* program file: absolute, or its last component */
        char *pid_file;     /* holds the pid of one process, whose descendants belong to it */
        char *systemd_unit; /* a component of the cgroup: "batch.service" */
        char *cgroup;       /* a part of the path of the cgroup */
        char *container; /* id of a container, or at least 8 digits of its beginning, in the path of the cgroup */
        unsigned uid;    /* real one; CONFIG_NO_UID: any */
};

/** What is known of a job, each from a column or a member of its state file; in the order of enum job_field (engine/jobs.h). */
#define CONFIG_JOB_FIELDS 7

/** `jobs { … }`; neither query nor files: only processes are followed. */
struct config_jobs {
        char *query;                      /* one SELECT on the database */
        char *files;                      /* glob of state files, each one JSON object; NULL with query */
        char *column[CONFIG_JOB_FIELDS];  /* of the query; NULL: the usual names */
        char *pointer[CONFIG_JOB_FIELDS]; /* RFC 6901, into a state file; NULL: the usual members */
        char **running;       /* ended by NULL: status values that count; NULL: running, processing, in_progress */
        uint64_t every_ms;    /* default 10 s */
        uint64_t deadline_ms; /* default 2 s */
        unsigned max_rows;    /* default 1000 */
        uint64_t stuck_after_ms;   /* a job that runs longer is overdue; default 12 h */
        uint64_t blocked_after_ms; /* waiting for so long is being blocked; 0: the less of 30 s and no-progress */
        uint64_t no_progress_ms;   /* without a change for so long a job is in question; default 10 min */
};

/** One `orchestrator "name" { … }`. */
struct config_orchestrator {
        char *name;
        char *database; /* name of a guarded one; NULL: none */
        struct config_match match;
        struct config_jobs jobs;
        unsigned line;
};
