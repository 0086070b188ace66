/* request.h - one request line of a client, believed in nothing. Layer: serve. Apart from the server so that it can be fuzzed. */
#pragma once

#include <jansson.h>
#include <stddef.h>

/** Longest name of a command; only a-z and '-'. */
#define REQUEST_COMMAND_MAX 32

/** A well-formed request. Release with control_request_done(). */
struct control_request {
        json_t *line;        /* owns what follows */
        const char *command; /* a name; whether there is such a command is the handler's to say */
        const json_t *args;  /* an object, empty when none were given */
};

/**
 * Parses @p n bytes, without the '\n'. Members that are not known are ignored.
 *
 * @return 0; -EINVAL: no request; -EPROTONOSUPPORT: of a newer protocol; -ENOMEM. @p ret is untouched on failure.
 */
int control_request_parse(const char *bytes, size_t n, struct control_request *ret);
void control_request_done(struct control_request *r);
