/* deaths.h - from a record to what is done about it: episodes are begun, looked at, judged and stored. Layer: daemon. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "bpf/abi.h"

struct daemon;
struct deaths;

int deaths_new(struct deaths **ret); /* -ENOMEM */
void deaths_free(struct deaths *x);

/** A sensor_fn: takes one record of the stream; @p userdata is the daemon. @return 0 or -ENOMEM */
int deaths_record(const struct vigil_hdr *record, void *userdata);

/**
 * Does what can be done without waiting: begins an episode, and judges it once its databases have been looked at, or 250 ms have
 * passed: then the account of the kernel must do. What may be an earlier daemon's is judged when the store can be asked.
 * @return ms until it must be called again, -1: only after the next record
 */
int deaths_turn(struct daemon *d);

/** Of every death that was taken, what follows has been put into the store's queue. */
bool deaths_settled(const struct daemon *d);

/** What an ACTION_LOOK says. @p tag as it was given to actions_start(); @p answer NULL: it failed, @p failure says how. */
void deaths_looked(struct daemon *d, void *tag, const json_t *answer, const char *failure);
