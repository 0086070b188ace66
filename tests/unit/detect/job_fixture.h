/* job_fixture.h - a job that stands still, to be changed by each test. */
#pragma once

#include "detect/job.h"
#include "suite.h"

#define S   1000000000ull
#define MIN (60 * S)
#define NOW (100 * MIN)

extern struct process_evidence before, now; /* two samples of one process, 2 s apart */
extern struct job_process process[4];       /* the first is that one */
extern struct job_facts facts;
extern struct job_limits limits;

/** A job that began 30 minutes ago, with one process that its row names, and that has done nothing for as long: stalled. */
void arrange(void);

/** Its judgement, whose sentence and evidence can be made. */
struct job_judgement judge(void);

#define VERDICT(j, v, why)                                                                                         \
        do {                                                                                                       \
                ck_assert_str_eq(job_verdict_name((j).verdict), job_verdict_name(v));                              \
                ck_assert_str_eq((j).reason, why);                                                                 \
        } while (0)
