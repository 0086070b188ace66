/* loop.h - a program that dies again and again is one incident, with a count. Layer: incident. Used by incident.c alone. */
#pragma once

#include "incident/cause.h"

/**
 * Whether @p f is one more death of a program that has died in @p k, on the same database and within @p window_ns of the last time.
 * Of a resolved incident, only where it was not resolved by hand. Never where it is not known when that was: an earlier boot, whose
 * clock was another.
 */
bool loop_same(const struct incident_known *k, const struct incident_finding *f, uint64_t window_ns);

/**
 * Counts a death: the first of its program, or one of a process that was begun after the last one, or came more than
 * INCIDENT_WINDOW_NS after it. All workers of a program that one kill ends, and all findings about one death, count once.
 * @param database  its index in k->i.databases
 */
void loop_note(struct incident_known *k, const struct incident_finding *f, int database);

/** Resolved by itself, and a death of one of its programs by @p now_ns would be one more of it. */
bool loop_may_return(const struct incident_known *k, uint64_t window_ns, uint64_t now_ns);

/** The summary of one that was counted more than once: how often, in what time, and what the newest finding says. */
void loop_summary(struct incident *i, const char *detail);
