/* answers.h - what operators ask over the control socket (serve/protocol.h), and what they get. Layer: daemon.
 *
 * Incidents, certificates and events come out of the store: nothing is shown that a crash could take back. */
#pragma once

#include <jansson.h>

#include "serve/server.h"

struct daemon;
struct answers;

int answers_new(struct answers **ret); /* -ENOMEM */
void answers_free(struct answers *a);

/** For control_server_open(); its userdata is the daemon. */
struct control_handler answers_handler(struct daemon *d);

/** Asks again what the store could not answer. @return ms until it must be called again, -1: nothing waits */
int answers_turn(struct daemon *d);

/** Events have been stored: whoever follows gets them. */
void answers_events(struct daemon *d);
