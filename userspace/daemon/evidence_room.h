/* evidence_room.h - how much room evidence takes, and, where the configuration says `evidence-keep`, what may go. Layer: daemon.
 *
 * Measured by a helper at the start, each hour, at a reload and after evidence was kept. Without `evidence-keep` nothing is ever
 * removed: that there is no more room is told in `health`. With it, the evidence of incidents that have been resolved for longer goes,
 * oldest first, and no more of it than is needed: a tenth of evidence-bytes, or what the largest database would take up to half
 * of them, is kept free. Never that of an incident that is not resolved, nor that of the newest one. Of an incident that the store
 * does not know any more it goes when it is also older than `incident-history`. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct daemon;
struct evidence_room;

int evidence_room_new(struct evidence_room **ret); /* -ENOMEM */
void evidence_room_free(struct evidence_room *x);

/** Measures, and removes what may go. */
void evidence_room_look(struct daemon *d);
/** Where the store could not tell what may go, it is asked again. Call each second. */
void evidence_room_turn(struct daemon *d);
/** What an ACTION_ROOM says. @p answer NULL: it failed, @p failure says how */
void evidence_room_done(struct daemon *d, const json_t *answer, const char *failure);

/** Less than a tenth of evidence-bytes is free. */
bool evidence_room_full(const struct daemon *d);
/** Bytes at the last look. */
uint64_t evidence_room_bytes(const struct daemon *d);
