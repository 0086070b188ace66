/* attribution.h - where the time of slow operations went, and who had to do with it, as the daemon tells it. Layer: daemon.
 *
 * Whether the kernel side finds it out is settled at the start: its programs are other ones then (bpf/span.h). It counts from the
 * beginning of the watch; here stands what it had counted at the last turns, so that any two of them tell what came between. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "bpf/abi.h"

struct daemon;
struct guard;
struct attributions;
struct attribution_span;

int attributions_new(struct attributions **ret); /* -ENOMEM */
void attributions_free(struct attributions *a);

/** Why nothing is known of where time went: a sentence; NULL: it is known. As long as @p d. */
const char *attribution_why_not(const struct daemon *d);

/** "on", "off", "refused". Static. */
const char *attribution_state(const struct daemon *d);

/** Takes what is counted now. Call at each turn. */
void attribution_turn(struct daemon *d, uint64_t now_ns);

/**
 * Begins a span of @p g at the last turn that had ended at @p from_ns. It ends there, too, until it is told otherwise.
 * @param ret  NULL where nothing is known
 */
void attribution_begin(struct daemon *d, const struct guard *g, uint64_t from_ns, struct attribution_span **ret);
/** It ends at the last turn. NULL is allowed. */
void attribution_extend(struct daemon *d, const struct guard *g, struct attribution_span *span);
uint64_t attribution_length_ns(const struct attribution_span *span);
void attribution_done(struct attribution_span *span);

/** Sets `attribution`, `neighbours` and `attribution_why_not`; @p span may be NULL. */
void attribution_put(struct daemon *d, const struct guard *g, const struct attribution_span *span, json_t *o);
