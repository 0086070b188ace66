/* job.h - what is wrong with a job that does not end: the verdict, by proof. Pure: no clock, no file. Layer: detect.
 *
 * The first rule that fits is the verdict (job.c). `quiet` is how long the job's row had not changed when it was read last: since
 * it was seen to change, or since its own time of update. The database is quiet while the processes tied to the job neither write nor commit.
 *
 *  verdict       severity  it is when
 *  unknown                 its row could not be read, not for no-progress (and a minute), or was last read before its process ended
 *                          or was found to be gone
 *  job-orphaned  P1        its process has ended, or the number is another process's by now; or no process of its orchestrator lives
 *  unknown                 no process can be tied to it, and it is quiet; or only one sample, or counters that cannot be read
 *  healthy                 it was seen to change within blocked-after
 *  job-blocked   P1        stopped by a signal, held by a debugger, frozen: for longer than blocked-after
 *                          in one sync, or asking for one lock in vain, for longer than blocked-after, and no write meanwhile
 *                          in uninterruptible sleep at one place, while quiet for no-progress; or throttled for half of the time
 *                          then, with next to no CPU and no I/O
 *  healthy                 it changed within no-progress, or its processes write to a database
 *  unknown                 some of its processes were not looked at, and none of the others gets on
 *  job-spinning  P1        quiet for no-progress; the CPU is used, and nothing is written or read from storage
 *  job-stalled   P1        quiet for no-progress; no CPU to speak of, and no I/O
 *                P2        while one of its processes waits for a message that somebody else has to send
 *  job-overdue   P2        none of these, and it has been running for longer than stuck-after
 *  healthy                 else
 *
 * A job is at worst what the best of its processes is: one that gets on is enough for it. Children of a tied process count when
 * they work, and are no proof of anything when they do not. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "detect/detect.h"
#include "detect/lock_graph.h"
#include "detect/lock_tell.h"
#include "sensor/evidence.h"

enum job_verdict {
        JOB_HEALTHY,
        JOB_ORPHANED,
        JOB_BLOCKED,
        JOB_STALLED,
        JOB_SPINNING,
        JOB_OVERDUE,
        JOB_UNKNOWN,
};

/** "healthy", "job-orphaned", …, "unknown": the names of the Contract. */
const char *job_verdict_name(enum job_verdict v);

/** How a process came to stand for a job. */
enum job_tie {
        JOB_TIE_PID,    /* the row names it */
        JOB_TIE_WRITES, /* of the orchestrator's processes, it has written to the database since the job began */
        JOB_TIE_TREE,   /* it is one of the orchestrator's processes, and nothing more is known */
        JOB_TIE_CHILD,  /* a descendant of one that is tied */
};

/** One process of a job. */
struct job_process {
        enum job_tie tie;
        struct vigil_ident id;
        const struct process_evidence *before; /* an earlier sample; NULL: there is none */
        const struct process_evidence *now;    /* NULL: not looked at */
        uint64_t ended_ns;                     /* CLOCK_BOOTTIME; 0: it was not seen to end */
        uint64_t gone_ns;        /* when it was found to be gone, where its end was not seen; 0: it was not */
        const char *certificate; /* id of the certificate of its death; NULL: none */
        uint64_t tied_ns;        /* JOB_TIE_PID: when its number was first seen in the row; 0: not known */
        uint64_t held_ns; /* first of the looks, up to now, that all saw it stopped, frozen or held; 0: not known */
};

/** What is known of a job. Times are ns of CLOCK_BOOTTIME, 0: not known. */
struct job_facts {
        const char *id, *orchestrator, *status;
        uint64_t now_ns;
        uint64_t read_ns;    /* when its row was read last; 0: it could not be */
        uint64_t started_ns; /* as the row says; may lie before the boot: then 1 */
        uint64_t updated_ns; /* as the row says */
        uint64_t first_seen_ns;
        uint64_t
                changed_ns; /* when anything of the row was last seen to have changed; 0: not since first_seen_ns */
        uint64_t changed_after_ns; /* it changed not before this: an earlier reading had still seen it as it was */
        double progress, total;    /* NAN: not known */
        double first_progress;     /* NAN: not known; as it was at … */
        uint64_t first_progress_ns;
        bool pid_foreign; /* the row names a process of another PID namespace, and which one that is is not known */
        int orchestrator_lives; /* 1: a process of it lives; 0: none; -1: not known */
        unsigned
                younger; /* living processes of it that began after the row had changed last: they have not touched the job */
        bool cut; /* there are more processes than these */
        size_t nprocesses;
        const struct job_process *process;
        const struct lock_waiter *waiter; /* those whom the knots are made of */
        size_t nknots;
        const struct lock_knot *knot;
        struct database_names names;
};

struct job_limits {
        uint64_t stuck_after_ms;   /* 0: no job is overdue */
        uint64_t no_progress_ms;   /* 0: as stuck_after_ms */
        uint64_t blocked_after_ms; /* 0: as no_progress_ms */
        uint64_t window_ms;        /* two samples must lie so far apart */
        unsigned spinning_percent; /* of one CPU */
};
/** 12 h, 10 min, 30 s, 1 s, 20 %. */
extern const struct job_limits job_limits_default;

#define JOB_NOBODY SIZE_MAX

struct job_judgement {
        enum job_verdict verdict;
        enum severity severity;         /* of a verdict that is a finding; else SEVERITY_P3 */
        const char *reason;             /* static code; docs/JSON.md */
        uint64_t since_ns;              /* CLOCK_BOOTTIME: since when it is so; 0: not known */
        size_t process;                 /* index of the process that shows it; JOB_NOBODY */
        size_t wait;                    /* reason "lock": of its waits; else 0 */
        const struct lock_knot *knot;   /* it is tied up in this one; NULL */
        double rate;                    /* progress per second since first_progress_ns; NAN: not known */
        double left_s;                  /* seconds to the end at that rate; NAN */
        char detail[DETECT_DETAIL_LEN]; /* one sentence */
        struct trust trust;
};

/** True while a job deserves samples: its row has been quiet for blocked-after, it is overdue, or a process of it has ended. */
bool job_is_in_question(const struct job_facts *f, const struct job_limits *l);

/** @param ret  filled whatever the verdict */
void job_judge(const struct job_facts *f, const struct job_limits *l, struct job_judgement *ret);

/** What it rests on, as in docs/JSON.md. New reference; NULL: out of memory. */
json_t *job_evidence(const struct job_facts *f, const struct job_judgement *j);
