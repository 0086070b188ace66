/* server.h - the daemon's side of the control socket: never blocks, never logs. Layer: serve.
 *
 * Everything is sent and received in control_server_turn(); the other calls only put down what is to be sent, so that they
 * may be called from within the handler. Nothing that a client does costs the others more than one bounded step of a turn. */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct control_server;
struct control_client; /* one connection; valid until gone() was called for it */

struct control_handler {
        /**
         * One request, well-formed and of a permitted peer (uid 0 or the daemon's own; others were refused with exit 77).
         * Must call control_answer() or control_stream() now or later, exactly once. @p command and @p args are valid
         * during the call.
         */
        void (*request)(void *userdata, struct control_client *c, const char *command, const json_t *args);
        /**
         * The connection is over: answered and taken, left or dropped. Called once for every client that request() was called
         * for, only out of control_server_turn() and control_server_close(); nothing may be sent to it any more.
         */
        void (*gone)(void *userdata, struct control_client *c);
        void *userdata;
};

/**
 * Listens on "control" in @p dirfd, the state directory, mode 0600. A socket that nobody listens on is replaced.
 *
 * @param dirfd    stays the caller's
 * @param handler  copied
 * @return 0; -EADDRINUSE: somebody listens there; -ENOTSOCK: something else has that name; -ENOMEM; or -errno of socket(2),
 *         bind(2), listen(2)
 */
int control_server_open(int dirfd, const struct control_handler *handler, struct control_server **ret);
/** Drops every client and removes the socket. NULL is allowed. */
void control_server_close(struct control_server *s);
/** The name is the caller's to remove: control_server_close() leaves it. */
void control_server_leave_name(struct control_server *s);
/** Readable when something is to be done: for one source of an event loop. Stays the server's. */
int control_server_fd(const struct control_server *s);
/** Does what can be done without waiting. @return ms until it must be called again at the latest, -1: only when readable */
int control_server_turn(struct control_server *s);

/**
 * The answer, and the end of the connection. One that is larger than CONTROL_ANSWER_BYTES, or that finds
 * CONTROL_PENDING_BYTES of other answers waiting to be taken, becomes an error with exit 69.
 *
 * @param exit      exit status of the command
 * @param error     one sentence, or NULL
 * @param document  its reference is taken; NULL: none
 */
void control_answer(struct control_server *s, struct control_client *c, int exit, const char *error,
                    json_t *document);
/** Begins a stream. @return 0, or -EBUSY: CONTROL_FOLLOWERS are there already; it has been answered with exit 69 */
int control_stream(struct control_server *s, struct control_client *c);
/** One line to a stream, @p n bytes without '\n'. @return 0, or -ENOBUFS: it was too slow and is being dropped */
int control_send(struct control_server *s, struct control_client *c, const char *line, size_t n);
/** The end of a stream. @param error  one sentence, or NULL */
void control_end(struct control_server *s, struct control_client *c, int exit, const char *error);

struct control_counts {
        uint64_t accepted;
        uint64_t refused;   /* other users */
        uint64_t malformed; /* no request, too long, not whole in time */
        uint64_t dropped;   /* took nothing for too long, fell behind a stream, or memory ran out */
        unsigned open;
};
struct control_counts control_server_counts(const struct control_server *s);
