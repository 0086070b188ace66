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
struct control_client;
struct work;

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
void response_check(struct daemon *d, struct guard *g, struct incident *i, const char *reason);

/** Whether an action other than @p but (NULL: any) is on its way that does @p kind on @p database for that incident. */
bool response_wants(const struct daemon *d, enum action_kind kind, const char *database, const char *incident,
                    const struct work *but);

/** Removes copies beyond what the policy keeps. */
void response_prune(struct daemon *d, struct guard *g);

/** Begins what open incidents are still owed (due.h) and nothing is on its way for: the last run ended first, or the helper failed
 * each time and has rested since. After a start, and each minute.
 * @param first  after a start: also of those that an earlier run stored without a word of what they are owed */
void response_resume(struct daemon *d, bool first);

/** By the calendar: the same without a finding. @return false: the same is at work already, or out of memory */
bool response_scheduled(struct daemon *d, struct guard *g, enum action_kind kind);

/**
 * A check or a backup that an operator asks for, and waits for as a stream of the control socket (asked.h); what waits to begin and
 * is the same is shared. Like any other its intent is stored first. A backup of his does not count for the interval and the cap of
 * the policy, which are for those that nobody asked for.
 *
 * @param method  of a check: enum config_method; -1: as the policy says
 * @return false: it is not begun, and nothing has been said
 */
bool response_asked(struct daemon *d, struct guard *g, enum action_kind kind, const char *reason, int method,
                    struct control_client *c);
/** The client has left; what it asked for goes on. */
void response_left(struct daemon *d, const struct control_client *c);
/** As an action_progress. */
void response_progress(void *userdata, void *tag, uint64_t done, uint64_t total);

/** The actions' answer; @p tag as it was given. Of every kind but ACTION_LOOK and ACTION_DISCOVER. */
void response_done(struct daemon *d, const struct action_request *r, void *tag, const json_t *answer,
                   const char *failure, uint64_t ms);

/** Begins what waited for the end of a pause. Intents that the store has not taken for 10 s are said in the log instead, and the
 * urgent actions begin. Call each second. */
void response_turn(struct daemon *d);

/** For status: new reference. */
json_t *response_json(const struct daemon *d);
