/* action_answer.h - the answers of helpers: how they are written, and what is wrong with one. Layer: daemon. Used by
 * action_run.c; what the daemon reads them with stands in action.h. */
#pragma once

#include "daemon/action.h"

/** {"observed": the record's bytes behind its head, in lower-case hex}. New reference; NULL: out of memory. */
json_t *action_observed_json(const struct vigil_observed *o);

/* Each: NULL, or a phrase that says what is wrong. */
const char *action_wrong_look(const struct action_request *r, const json_t *answer);
const char *action_wrong_check(const struct action_request *r, const json_t *answer);
const char *action_wrong_backup(const struct action_request *r, const json_t *answer);
const char *action_wrong_evidence(const struct action_request *r, const json_t *answer);
const char *action_wrong_prune(const struct action_request *r, const json_t *answer);
const char *action_wrong_room(const struct action_request *r, const json_t *answer);
const char *action_wrong_discover(const struct action_request *r, const json_t *answer);
const char *action_wrong_jobs(const struct action_request *r, const json_t *answer);
