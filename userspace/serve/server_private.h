/* server_private.h - the server and its connections, for server.c, connection.c and their tests. Layer: serve. */
#pragma once

#include <stdbool.h>

#include "serve/protocol.h"
#include "serve/server.h"

enum client_state {
        CLIENT_READING, /* its request */
        CLIENT_WAITING, /* the handler has its request */
        CLIENT_STREAMING,
        CLIENT_CLOSING, /* what is put down is sent, then it is closed */
        CLIENT_DEAD,    /* to be closed at once */
};

/** Bytes that wait to be sent. */
struct output {
        char *data;
        size_t at, end, size;
};

struct control_client {
        int fd;
        enum client_state state;
        bool told;         /* request() was called: gone() is owed */
        uint64_t since_ns; /* it came, or last took something (CLOCK_BOOTTIME) */
        uint32_t interest; /* of epoll */
        char *in;          /* CONTROL_REQUEST_BYTES while it is being read */
        size_t nin;
        struct output out;
};

struct control_server {
        struct control_handler handler;
        struct control_counts counts;
        int dirfd, listener, epoll;
        bool left;        /* its name is the caller's to remove */
        bool listening;   /* the listener is in the epoll set */
        uint64_t rest_ns; /* accept(2) failed (no descriptors left): not again before */
        uint64_t request_ms, yield_ms, send_ms;
        unsigned followers;
        struct control_client *client[CONTROL_CLIENTS];
};

/** Exit statuses of the Contract that the server gives itself. */
enum { CONTROL_EXIT_USAGE = 64, CONTROL_EXIT_UNAVAILABLE = 69, CONTROL_EXIT_NOPERM = 77 };

/** Room for what the server says itself, also when a limit is already reached. */
#define CONTROL_LAST_WORDS 1024

/* ---- answer.c ---- */

/** Bytes that it has not taken yet. */
size_t connection_waiting(const struct control_client *c);
/** What epoll is asked for follows from the state. Hang-ups come in any case. */
void connection_interest(struct control_server *s, struct control_client *c);
/** It is closed in this turn or the next. */
void connection_bury(struct control_server *s, struct control_client *c);
/** The same, counted as dropped. */
void connection_drop(struct control_server *s, struct control_client *c);
/** Puts @p object down as a line; takes its reference. On failure nothing of it stays. @return 0, -EMSGSIZE, -ENOMEM */
int connection_say(struct control_server *s, struct control_client *c, json_t *object, size_t limit);
/** The last that it hears. */
void connection_refuse(struct control_server *s, struct control_client *c, int exit, const char *error);
/* The same for one of whom nothing was heard: he may come again. */
void connection_put_off(struct control_server *s, struct control_client *c, const char *error);

/* ---- connection.c ---- */

/** A connection from accept(2); @p fd is taken in every case. @param slot  a free one */
void connection_open(struct control_server *s, unsigned slot, int fd, bool permitted);
/** Reads, calls the handler, sends: what @p events of epoll allow, one bounded step. */
void connection_turn(struct control_server *s, struct control_client *c, uint32_t events);
/** When it will be dropped (CLOCK_BOOTTIME); UINT64_MAX: not by time. */
uint64_t connection_deadline(const struct control_server *s, const struct control_client *c);
/** Its place is needed: it is told so, as far as it takes it, and is to be closed at once. */
void connection_yield(struct control_server *s, struct control_client *c);
/** Its time is over. */
void connection_expire(struct control_server *s, struct control_client *c);
/** Tells the handler, closes and frees it. */
void connection_close(struct control_server *s, unsigned slot);
