/* answers_private.h - for answers*.c only. */
#pragma once

#include <jansson.h>

#include "daemon/core.h"
#include "daemon/deferred.h"
#include "daemon/followers.h"
#include "serve/server.h"

#define EXIT_DEGRADED    1
#define EXIT_CRITICAL    2
#define EXIT_UNAVAILABLE 69
#define NAME_SHOWN       128 /* bytes of a name that is not known, in the error */

struct answers {
        struct followers followers;
        struct deferred_question at_hand; /* borrowed; client NULL: none */
        struct deferred deferred;
        uint64_t again_ns; /* not before: many would stand each turn of the loop */
};

/* Of a request: NULL or 0 where it has none. */
const char *text_arg(const json_t *args, const char *key);
int64_t number_arg(const json_t *args, const char *key);

/* What is answered: one function for each command. */
typedef void answer_fn(struct daemon *d, struct control_client *c, const json_t *args);

/* ---- answers_store.c ---- */

/* NULL: it does not answer. */
struct store *store_to_ask(struct daemon *d);
/* @r: -errno of the store; -EINVAL: the request makes no sense */
void refuse(struct daemon *d, struct control_client *c, const json_t *args, int r);
answer_fn answer_incidents, answer_incident, answer_acknowledge, answer_resolve, answer_certificates,
        answer_certificate, answer_summary, answer_latency, answer_top, answer_events;

/* ---- answers_act.c ---- */

answer_fn answer_check, answer_backup, answer_reload, answer_status, answer_health, answer_jobs;
