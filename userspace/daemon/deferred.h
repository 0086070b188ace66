/* deferred.h - questions that the store could not answer at once: a commit is under way, somebody's shell has it locked. They are
 * asked again, so that an operator gets his answer a moment later instead of an error. Layer: daemon. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "serve/protocol.h"

struct control_client;

/** A question waits so long for its first answer, and no longer. */
#define DEFERRED_NS 5000000000ull

/** The loop stands still for so long for one question; what takes longer is asked again after a while. */
#define DEFERRED_PATIENCE_MS 20
#define DEFERRED_AGAIN_MS    50

struct deferred_question {
        struct control_client *client; /* NULL: the place is free */
        char *command;
        json_t *args;
        uint64_t since_ns; /* CLOCK_BOOTTIME: when it was asked first */
        bool again;        /* it was kept before: what it has done is done */
};

struct deferred {
        struct deferred_question list[CONTROL_CLIENTS]; /* each client asks once */
};

/**
 * Keeps a question: what @p q borrows is copied.
 * @param now_ns  CLOCK_BOOTTIME
 * @return false: it has waited for DEFERRED_NS, or there is no memory: it is to be answered now
 */
bool deferred_keep(struct deferred *d, const struct deferred_question *q, uint64_t now_ns);
/** The client has left. */
void deferred_forget(struct deferred *d, const struct control_client *c);
bool deferred_any(const struct deferred *d);
/**
 * Takes all of them out, one after the other, in no order; @p again may keep them anew with their since_ns. What it gets is valid
 * during the call.
 */
void deferred_again(struct deferred *d, void (*again)(void *userdata, const struct deferred_question *q),
                    void *userdata);
/** Forgets all. */
void deferred_done(struct deferred *d);
