/* judged.h - what an episode came to: certificates and findings into the store, and what follows from them. Layer: daemon. */
#pragma once

#include "daemon/episode.h"

struct daemon;

/**
 * Queues certificates, findings, incidents and the intents of what is to be done, and writes them before it returns, as far as
 * the store can be written; then keeps the evidence.
 * @return 0 or -ENOMEM
 */
int judged_take(struct daemon *d, const struct episode *e, const struct detection *detection);
