/* job_private.h - shared by the files that judge a job. Layer: detect. */
#pragma once

#include "detect/job.h"

/** What the samples of one process say, in the terms of the rules. */
struct job_motion {
        bool known;             /* two samples of the same process, far enough apart */
        uint64_t span_ns;       /* between them */
        bool database;          /* it wrote to a database, or committed */
        bool storage;           /* it wrote bytes anywhere, or read some from storage */
        bool io;                /* it moved bytes at all, also out of the page cache */
        unsigned cpu_percent;   /* of one CPU; more than 100 with several threads */
        unsigned ready_percent; /* of the time: it could have run, and others did */
        bool counted;           /* its I/O could be read */
};

struct job_motion job_motion_of(const struct job_process *p, const struct job_limits *l);

/** It is kept from going on, for @p min_ns at least. @param quiet  the row stands still for no-progress
 * @param j  filled with the reason, and since when */
bool job_process_is_blocked(const struct job_process *p, const struct job_limits *l, uint64_t min_ns, bool quiet,
                            struct job_judgement *j);

/** It waits for what somebody else has to send, who may be at work where nobody looks; or asks him by a new connection each time, the
 * last of which it began to open within @p asked_ns. */
bool job_process_awaits_message(const struct job_process *p, uint64_t asked_ns);

/** When the row moved last, as far as is known; 0: it is not. */
uint64_t job_moved_ns(const struct job_facts *f);

/** How long the row had not changed when it was read last: what became of it since nobody knows. */
uint64_t job_quiet_ns(const struct job_facts *f);

/** Writes j->detail of a judgement that is otherwise complete. */
void job_detail(const struct job_facts *f, const struct job_limits *l, struct job_judgement *j);
