/* advice_stuck.h - what to run about jobs and locks that do not get on, with the processes that were found. Layer: report. */
#pragma once

#include <jansson.h>
#include <stddef.h>

/** Most findings that are advised on, one of each code. */
#define STUCK_ADVICE_MAX 4
#define STUCK_ADVICE_LEN 768

/**
 * What to do about the job-* and lock-* findings of array @p findings: of each code the latest, whose processes are there
 * most likely. Findings that say the same (a job in a deadlock, and the deadlock) give one sentence.
 * @return how many.
 */
size_t advice_stuck(const json_t *findings, char ret[STUCK_ADVICE_MAX][STUCK_ADVICE_LEN]);
