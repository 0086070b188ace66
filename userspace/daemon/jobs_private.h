/* jobs_private.h - shared by the files of jobs.h. Layer: daemon. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/jobs.h"
#include "daemon/orchestrators.h"
#include "daemon/samples.h"
#include "detect/job.h"
#include "engine/moment.h"

#define JOB_VERDICTS (JOB_UNKNOWN + 1)

/** One job that runs, as its row says. Times are ns since the epoch where they come from the row, else of CLOCK_BOOTTIME. */
struct job {
        char *id, *status;              /* status NULL: the row has none */
        int64_t started_at, updated_at; /* of the row; 0: not known */
        uint64_t started_ns,
                updated_ns;     /* the same of CLOCK_BOOTTIME, by the clock of the reading that they were new in:
                                            a clock that is set later moves no row. 1: before the boot; 0: not known */
        double progress, total; /* NAN: not known */
        uint32_t pid;           /* 0: not known */

        uint64_t first_seen_ns;
        uint64_t changed_ns; /* 0: not since it was first seen */
        uint64_t
                changed_after_ns; /* and it changed after this: the reading that saw it last as it had been began then */
        uint64_t moved_by_ns; /* whatever changed last of it had changed by then */
        uint64_t pid_seen_ns; /* when this pid was first seen in the row */
        struct vigil_ident
                stranger;     /* who has that number and is no member; tgid 0: nobody, start_ns 0: not known */
        uint64_t stranger_ns; /* when that was looked up; 0: not yet */
        uint64_t nobody_ns;   /* when it was found that nobody has that number; 0: it was not */
        double first_progress;
        uint64_t first_progress_ns;
        bool seen;        /* in this reading */
        uint64_t read_ns; /* when the reading began that it was in last */
        unsigned missed;  /* readings since that it was not in, and that were partial */

        enum job_verdict verdict;
        enum job_verdict told;  /* the last one that was no JOB_UNKNOWN */
        bool judged;            /* there has been one */
        enum severity severity; /* of that */
        bool in_question;
        unsigned other_way; /* times in a row that it was stalled and is told as spinning, or the other way round */
        char *detail;       /* NULL: healthy */
        uint64_t since_ns;  /* of the verdict; 0: not known */
};

/** What says that a database is as it was when a reading began. */
struct job_witness {
        bool sound;              /* else nothing is known, and it is read */
        struct vigil_db account; /* the kernel's: every write to its files, by whomever */
        struct moment files;
};

/** The jobs of one orchestrator. */
struct job_table {
        struct job *job;
        size_t n, room;
        uint32_t *slot; /* index + 1 by the hash of the id; 0: free */
        size_t slots;   /* a power of two */
        uint64_t twice; /* rows of the last reading whose id another one had, too */

        uint64_t due_ns;                /* CLOCK_BOOTTIME of the next reading; 0: never */
        uint64_t asked_ns;              /* when the reading that is at work began; 0: none */
        uint64_t begun_ns;              /* when the last one began; 0: none did */
        bool again;                     /* somebody ended meanwhile: one more reading at once */
        uint64_t read_ns;               /* when the newest reading that succeeded began; 0: none yet */
        uint64_t read_ms;               /* how long it took */
        uint64_t confirmed_ns;          /* when the rows of that were known to be the same still; 0: not since */
        struct job_witness asked, read; /* before the reading that is at work, before the newest that succeeded */
        uint64_t judged_ns;             /* how long it took to judge all of it, the last time */
        char method[16];
        char trouble[400]; /* why the last one failed, or what is odd in it; "": nothing */
        bool failed;       /* the last one gave nothing */
        bool more;         /* it was cut at max-rows */

        bool whole;        /* a reading has been whole */
        uint64_t whole_ns; /* when the first of these ended */
        bool lost
                [JOB_VERDICTS]; /* a job that was told so was not in readings of late, which were partial: it may go on */
        uint64_t
                unused_ns; /* since when nobody was seen to have the database open; 0: somebody has, or not known */
        char blocked_in[DETECT_ID_LEN]; /* the incident that JOB_BLOCKED was told in last */
        bool firing[JOB_VERDICTS];      /* a finding of it has been made, and is not over */
        size_t unjudged;                /* jobs of which nothing is known yet: not judged */
        bool unreadable;                /* the same of jobs-unreadable */
        char unreadable_told[400];      /* what was told */
        size_t count[JOB_VERDICTS], told_count[JOB_VERDICTS];
        uint64_t told_ns[JOB_VERDICTS];
        enum severity told_severity[JOB_VERDICTS];
};

/** A death that was judged. */
struct job_death {
        struct vigil_ident id;
        char certificate[DETECT_ID_LEN];
        uint64_t ended_ns;
        unsigned db;             /* kernel id of the database */
        uint64_t last_commit_ns; /* not sooner than its last commit; 0: it made none */
        bool remembered;         /* an earlier run has judged it */
};
#define JOB_DEATHS 1024 /* kept of them, a ring */

struct jobs {
        struct samples *samples;
        struct job_death death[JOB_DEATHS];
        size_t ndeaths; /* in all */
        uint64_t scan_due_ns, sample_due_ns;
        uint64_t scanned_ns;                  /* when the last look at all processes began; 0: none did */
        uint64_t scan_rest_ns, judge_rest_ns; /* not before */
        uint64_t ended_ns;                    /* when somebody was seen to end */
};

#define JOB_PROCESSES 16 /* of one job that are looked at */

/** Facts with the room that they point into. */
struct job_case {
        struct job_facts facts;
        unsigned db; /* kernel id of the orchestrator's database; 0: none */
        struct job_process process[JOB_PROCESSES];
};

/* jobs_table.c */

/** One reading. Times are ns of CLOCK_BOOTTIME. */
struct job_reading {
        bool partial; /* some rows are missing */
        uint64_t began_ns, ended_ns;
        int64_t offset_ns; /* at its end: what the clock of the host's time is ahead of CLOCK_BOOTTIME */
};

/** Takes the rows of a reading: new ones, changed ones; what is no longer there is dropped, after a partial reading only when it
 * was missing in JOB_MISSED of them. @return 0 or -ENOMEM */
int job_table_take(struct job_table *t, const json_t *rows, const struct job_reading *reading);
#define JOB_MISSED 3

/** True when a reading may begin before its time. Else it is due JOB_PAUSE_NS after the last one began: workers that end by the
 * dozen must not have the application's database read without a pause. */
bool job_table_may_read(struct job_table *t, uint64_t now);
#define JOB_PAUSE_NS 1000000000ull

/** A finding that was made is over: no job has that verdict, and none that had it can merely have been missed, or, of what an earlier
 * run told, be one that is not judged yet: which may last, and counts for JOB_UNJUDGED_NS. */
bool job_table_is_over(const struct job_table *t, enum job_verdict v, uint64_t now);
#define JOB_UNJUDGED_NS 120000000000ull

void job_table_free(struct job_table *t);
struct job *job_table_find(const struct job_table *t, const char *id);

/** Since when its verdict is so, since the epoch; 0: not known. What a row says comes back as the row says it, and no verdict is older
 * than its job. */
int64_t job_since(const struct job *job);

/** The rows of the last reading are the same at @p now_ns, as a reading that began then would have said. */
void job_table_confirm(struct job_table *t, uint64_t now_ns);

/* jobs_unchanged.c */

/** True when the jobs of @p o need not be read, because they would be the same as at the last reading; then they count as read at
 * @p now, which must have been before the call. */
bool jobs_are_unchanged(struct daemon *d, struct orchestrator *o, uint64_t now);
#define JOBS_READ_AGAIN_NS                                                                                         \
        (300ull * 1000000000) /* all the same: whatever both witnesses may miss is seen by then */

/** The witness of a reading that is about to begin. */
void job_witness_take(struct daemon *d, const struct orchestrator *o, struct job_witness *ret);

/** Nobody has written to the main file, the log or the journal from @p a to @p b, removed, cut or replaced one. */
bool job_account_is_quiet(const struct vigil_db *a, const struct vigil_db *b);

/* jobs_facts.c */

/** What is known of @p job. @p ret points into itself, the table and the samples. */
void job_case_fill(struct daemon *d, const struct orchestrator *o, const struct job *job, uint64_t now,
                   struct job_case *ret);
/** Looks whether anybody has the database of @p o open, where no process of it is known: once a second. */
void job_note_use(struct daemon *d, struct orchestrator *o, uint64_t now);
struct job_limits job_limits_of(const struct config_orchestrator *of);

/* jobs_judge.c */

/** Judges all jobs, or those that were in question; wants samples of the processes of those that are. */
void jobs_judge(struct daemon *d, struct orchestrator *o, bool all);

/* jobs_knot.c */

/** The incident of a deadlock or convoy that keeps a blocked job of @p o from going on; NULL: none that has been told. */
const char *jobs_knot_incident(struct daemon *d, const struct orchestrator *o);

/* jobs_tell.c */

/** Findings that begin, grow and end, by what the table holds now. */
void jobs_tell(struct daemon *d, struct orchestrator *o);
void jobs_tell_reading(struct daemon *d, struct orchestrator *o);
/** @p o is no longer configured: what it told of is over. */
void jobs_tell_gone(struct daemon *d, struct orchestrator *o);
