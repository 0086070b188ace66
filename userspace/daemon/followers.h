/* followers.h - who follows the events, and how far each of them has come. Layer: daemon. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "serve/protocol.h"
#include "serve/server.h"
#include "store/store.h"

struct follower {
        struct control_client *client; /* NULL: the place is free */
        int64_t after;                 /* the last one it has */
        int64_t since_ns;              /* 0: all behind that */
        char *database;                /* NULL: all */
        bool behind; /* there may be more: the store did not answer, or had too many for one turn */
};

/** Zero: nobody. */
struct followers {
        struct follower list[CONTROL_FOLLOWERS];
};

/**
 * @p c, which has a stream, gets what is stored behind @p after, and what comes.
 * @param s  NULL: it does not answer now
 * @param q  `since_ns` and `database`, copied
 */
void followers_add(struct followers *f, struct control_server *control, struct store *s, struct control_client *c,
                   const struct store_query *q, int64_t after);
/** Sends everybody what they do not have yet, a part of it if it is much. @param s  as above */
void followers_send(struct followers *f, struct control_server *control, struct store *s);
/** Somebody follows. */
bool followers_any(const struct followers *f);
/** Somebody may get more at once. */
bool followers_behind(const struct followers *f);
/** The client has left. */
void followers_forget(struct followers *f, const struct control_client *c);
/** Forgets all. */
void followers_done(struct followers *f);
