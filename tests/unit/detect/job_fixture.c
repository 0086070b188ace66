/* job_fixture.c - see job_fixture.h. */
#include "job_fixture.h"

#include <math.h>
#include <string.h>

struct process_evidence before, now;
struct job_process process[4];
struct job_facts facts;
struct job_limits limits;

void arrange(void)
{
        limits = job_limits_default;
        before = (struct process_evidence){.id = {.tgid = 42, .start_ns = 60 * MIN, .comm = "node"},
                                           .at_ns = NOW - 2 * S,
                                           .state = 'S',
                                           .tid = 42,
                                           .threads = 11,
                                           .cpu_ns = 7 * S,
                                           .db_writes = 10,
                                           .commits = 5,
                                           .last_write_ns = 70 * MIN};
        now = before;
        now.at_ns = NOW;
        process[0] = (struct job_process){.id = now.id, .before = &before, .now = &now, .tied_ns = 70 * MIN};
        facts = (struct job_facts){.id = "j1",
                                   .orchestrator = "batch",
                                   .now_ns = NOW,
                                   .read_ns = NOW,
                                   .started_ns = 70 * MIN,
                                   .first_seen_ns = 70 * MIN,
                                   .progress = NAN,
                                   .total = NAN,
                                   .first_progress = NAN,
                                   .orchestrator_lives = 1,
                                   .nprocesses = 1,
                                   .process = process};
}

struct job_judgement judge(void)
{
        struct job_judgement j;

        job_judge(&facts, &limits, &j);
        json_t *evidence = job_evidence(&facts, &j);
        ck_assert_ptr_nonnull(evidence);
        json_decref(evidence);
        ck_assert_uint_gt(strlen(j.detail), 0);
        return j;
}
