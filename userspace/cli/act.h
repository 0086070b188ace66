/* act.h - what an operator wants the daemon to do: asks, shows how far it is, hands back what came of it. Layer: cli. */
#pragma once

#include <jansson.h>

#include "cli/ask.h"

/**
 * Asks the daemon for an action on a database that it guards, and waits for its end.
 *
 * @param args  its reference is taken
 * @param ret   new reference; NULL: there is no document, and the error has been told
 * @return exit status, or ASK_NO_DAEMON, of which nothing has been told
 */
int act(const struct asking *a, const char *command, json_t *args, json_t **ret);
