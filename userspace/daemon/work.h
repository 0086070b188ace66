/* work.h - one action on its way from intent to outcome: for response.c and results.c. Layer: daemon. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/action.h"
#include "serve/protocol.h"

struct control_client;

struct work {
        struct work *next;
        struct daemon *d;
        enum action_kind kind;
        bool urgent;
        bool asked;         /* by an operator, who may wait for it */
        int method;         /* of a check: enum config_method; -1: as the policy says */
        bool started;       /* false: its intent is not stored yet */
        uint64_t since_ns;  /* CLOCK_BOOTTIME of the wish */
        int64_t started_ns; /* since the epoch; 0: not yet */
        char *database;     /* name of the guarded one */
        char *reason;
        char *verdict;                                    /* NULL: none */
        char *directory;                                  /* NULL: none */
        json_t *incidents;                                /* ids of those that wait for it */
        json_t *ticket;                                   /* of its intent */
        struct control_client *client[CONTROL_FOLLOWERS]; /* who waits for it */
        size_t nclients;
};
