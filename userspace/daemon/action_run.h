/* action_run.h - what a helper does, and what it may answer: one row per kind of action. Layer: daemon. Used by action.c. */
#pragma once

#include "base/child.h"
#include "daemon/action.h"

/** One kind of action. */
struct action_job {
        const char *name;
        /** Body of the helper; the argument is a struct action_request. Status 0 with an answer, whatever came of it. */
        child_fn run;
        /** NULL when the answer is what it must be, else what is wrong with it: a phrase. */
        const char *(*wrong)(const struct action_request *r, const json_t *answer);
        uint64_t (*deadline_ms)(const struct action_request *r);
        size_t answer_limit;
};

extern const struct action_job action_jobs[ACTION_KINDS];

/** actions_new() with other jobs: for tests, whose helpers crash, hang, flood and lie. @p jobs must outlive the result. */
struct actions *actions_with(const struct action_job *jobs, unsigned parallel, action_done done, void *userdata);
