/* cases_private.h - for cases*.c only. */
#pragma once

#include <jansson.h>

#include "incident/incident.h"

struct daemon;

/* Resolved ones that are kept in mind, as another death of the same program would bring them back. */
#define RETURNING_MAX 256

/* Its tag: the object of those members that have no column. Borrowed. */
json_t *case_members(struct incident *i);
void case_store(struct daemon *d, struct incident *i);
/* @param note     stands before the summary; "": nothing
 * @param finding  that makes the event, taken over; NULL: none does */
void case_event(struct daemon *d, const struct incident *i, const char *what, const char *note, json_t *finding);
/* It fires anew, or is acknowledged anew. */
void case_forget_acknowledged(struct incident *i);
