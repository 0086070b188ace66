/* work.h - one action on its way from intent to outcome: for response.c and results.c. Layer: daemon. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/action.h"
#include "serve/protocol.h"

struct control_client;

/** An urgent action that gave no answer is begun so often in all, each time with its own intent and outcome. */
#define WORK_TRIES 3

struct work {
        struct work *next;
        struct daemon *d;
        enum action_kind kind;
        bool urgent;
        bool asked;             /* by an operator, who may wait for it */
        int method;             /* of a check: enum config_method; -1: as the policy says */
        bool stored;            /* its intent is */
        bool started;           /* false: its intent is not stored yet, or its pause is not over */
        unsigned tries;         /* this is the first, the second, … */
        uint64_t since_ns;      /* CLOCK_BOOTTIME of the wish */
        uint64_t not_before_ns; /* CLOCK_BOOTTIME: the end of its pause; 0: none */
        uint64_t begun_ns;      /* CLOCK_BOOTTIME of the start; 0: not yet */
        int64_t started_ns;     /* the same since the epoch */
        char *database;         /* name of the guarded one */
        char *reason;
        char *verdict;                                    /* NULL: none */
        char *directory;                                  /* NULL: none */
        json_t *incidents;                                /* ids of those that wait for it */
        json_t *ticket;                                   /* of its intent */
        struct control_client *client[CONTROL_FOLLOWERS]; /* who waits for it */
        size_t nclients;
};

/** Without incidents, directory and ticket. Texts are copied; @p verdict may be NULL. @return NULL: out of memory */
struct work *work_new(struct daemon *d, enum action_kind kind, const char *database, const char *reason,
                      const char *verdict);
/** The next try of @p w, for the same incidents, after a pause; who asked for it has been told of this one. @return NULL: out of memory */
struct work *work_again(const struct work *w);
void work_free(struct work *w); /* NULL is allowed */

/** Whether the incident called @p id waits for it. */
bool work_is_for(const struct work *w, const char *id);
/** NULL: it is for none. */
const char *work_first_incident(const struct work *w);

/** What the incidents that wait for it say of the content of the database though no check can see it; NULL: nothing. Static text. */
const char *work_damage(const struct work *w);

/** When the oldest incident that is not over and has to do with the database began, since the epoch; 0: there is none. */
int64_t work_oldest_open(const struct daemon *d, const char *database);
