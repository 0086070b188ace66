/* serving.h - one server and its handler in the process of the test, where nobody waits for anybody. */
#pragma once

#include <stddef.h>

#include "serve/server_private.h"

#define STATUS "{\"control\": 1, \"command\": \"status\"}\n" /* answered at once, exit 1 */
#define LATER  "{\"control\": 1, \"command\": \"later\"}\n"  /* kept, answered by the test */
#define FOLLOW "{\"control\": 1, \"command\": \"follow\"}\n" /* a stream, kept */
#define LARGE  "{\"control\": 1, \"command\": \"large\", \"args\": {\"mib\": 8}}\n"

extern struct control_server *server;
extern const struct control_handler handler;
extern struct control_client *kept[CONTROL_CLIENTS]; /* of LATER and FOLLOW */
extern unsigned nkept, nrequests, ngone;
extern struct control_client *last_gone;

void open_server(void);
void close_server(void);

/** A connection that has sent @p line. */
int ask(const char *line);
/** Turns until @p fd has heard @p wanted, or, with NULL, until its connection ended. */
void turn_until(int fd, char *text, size_t size, const char *wanted);
/** Turns until @p n clients are gone. */
void turn_until_gone(unsigned n);
/** The whole conversation about one line. Static storage. */
const char *talk(const char *line);
