/* server.h - the daemon's side of the control socket: never blocks, never logs. Layer: serve. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct control_server;
struct control_client; /* one connection; valid until gone() was called for it */

struct control_handler {
        /**
         * One request, well-formed and of a permitted peer (uid 0 or the daemon's own; others were refused with exit 77).
         * Must call control_answer() or control_stream() now or later, exactly once.
         */
        void (*request)(void *userdata, struct control_client *c, const char *command, const json_t *args);
        /** The client has left or was dropped; nothing may be sent to it any more. */
        void (*gone)(void *userdata, struct control_client *c);
        void *userdata;
};

/** @param dirfd  the state directory. A socket that nobody listens on is replaced. @return 0, -EADDRINUSE, or -errno */
int control_server_open(int dirfd, const struct control_handler *handler, struct control_server **ret);
void control_server_close(struct control_server *s);
/** Readable when something is to be done: for one event loop source. */
int control_server_fd(const struct control_server *s);
/** Does what can be done without waiting. @return ms until it must be called again, -1: only when readable */
int control_server_turn(struct control_server *s);

/** Takes the reference of @p document (NULL: none). @p error: one sentence, or NULL. */
void control_answer(struct control_server *s, struct control_client *c, int exit, const char *error,
                    json_t *document);
void control_stream(struct control_server *s, struct control_client *c);
/** One line to a stream. @return 0, or -ENOBUFS: it was too slow and is being dropped */
int control_send(struct control_server *s, struct control_client *c, const char *line, size_t n);
void control_end(struct control_server *s, struct control_client *c, int exit);
struct control_counts {
        uint64_t accepted, refused, malformed, dropped;
        unsigned open;
};
struct control_counts control_server_counts(const struct control_server *s);
