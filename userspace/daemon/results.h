/* results.h - what a check or a backup came to: rows, incidents, and what follows from them. Layer: daemon. */
#pragma once

#include "daemon/work.h"

/** The helper gave no answer: a finding, and the incidents that waited for it say so. */
void result_failed(struct work *w, const char *failure);
/** @param doc  of the action's outcome, added to. @return whether it did what was asked */
bool result_check(struct work *w, const json_t *answer, json_t *doc);
bool result_backup(struct work *w, const json_t *answer, json_t *doc);
bool result_evidence(struct work *w, const json_t *answer, json_t *doc);
bool result_prune(struct work *w, const json_t *answer, json_t *doc);
