/* asked.h - who waits at the control socket for an action, and what he hears of it. Layer: daemon. Used by response.c.
 *
 * Lines of a stream: {"state": "waits"}, {"state": "runs"}, {"done": 1, "total": 2} now and then, and at last {"document": …} where there
 * is one; then its end with status and error. An action goes on when whoever asked for it has left. */
#pragma once

#include "daemon/work.h"

/** Puts the client, which is a stream, among those who wait. @return false: there is no room */
bool asked_join(struct work *w, struct control_client *c);
/** It has begun. */
void asked_begun(const struct work *w);
void asked_progress(const struct work *w, uint64_t done, uint64_t total);
/** It is over. @p answer NULL: there is none; @p why: the reason, if it is known */
void asked_over(struct work *w, const json_t *answer, const char *why);
/** The client has left. */
void asked_left(struct work *w, const struct control_client *c);
