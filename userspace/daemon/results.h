/* results.h - what a check or a backup came to: rows, incidents, and what follows from them. Layer: daemon. */
#pragma once

#include "daemon/work.h"

/** The helper gave no answer: a finding. Without another try (@p again), the incidents that waited for it say so, and owe it on. */
void result_failed(struct work *w, const char *failure, bool again);
/** It was not begun, for @p why: the incidents that waited for it say so, and owe it on. */
void result_refused(struct work *w, const char *why);
/** @param doc  of the action's outcome, added to. @return whether it did what was asked */
bool result_check(struct work *w, const json_t *answer, json_t *doc);
bool result_backup(struct work *w, const json_t *answer, json_t *doc);
bool result_evidence(struct work *w, const json_t *answer, json_t *doc);
bool result_prune(struct work *w, const json_t *answer, json_t *doc);
