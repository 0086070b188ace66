/* response.h - what is done about a finding: checks, backups and evidence, each with its intent stored first. Layer: daemon. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/action.h"
#include "incident/incident.h"

struct daemon;
struct guard;
struct response;

int response_new(struct response **ret); /* -ENOMEM */
void response_free(struct response *r);

/**
 * What the policy of the database wants after this: a check, a backup, or, with the reason kept in the incident, none.
 * @param i        NULL: it belongs to no incident
 * @param verdict  of the death; NULL: none
 */
void response_to(struct daemon *d, struct guard *g, struct incident *i, const char *code, enum severity severity,
                 const char *verdict);

/** A check, if the configuration wants any. @p i NULL: of no incident */
void response_check(struct daemon *d, struct guard *g, const struct incident *i, const char *reason);

/** Removes copies beyond what the policy keeps. */
void response_prune(struct daemon *d, struct guard *g);

/** After a start: what open incidents still lack, because the last run ended first. */
void response_resume(struct daemon *d);

/** By the calendar: the same without a finding. @return false: the same is at work already, or out of memory */
bool response_scheduled(struct daemon *d, struct guard *g, enum action_kind kind);

/** The actions' answer; @p tag as it was given. Of every kind but ACTION_LOOK. */
void response_done(struct daemon *d, const struct action_request *r, void *tag, const json_t *answer,
                   const char *failure, uint64_t ms);

/** Intents that the store has not taken for 10 s are said in the log instead, and the urgent actions begin. Call each second. */
void response_turn(struct daemon *d);

/** For status: new reference. */
json_t *response_json(const struct daemon *d);
