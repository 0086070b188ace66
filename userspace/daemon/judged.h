/* judged.h - what an episode came to: certificates and findings into the store, and what follows from them. Layer: daemon. */
#pragma once

#include <stdbool.h>

#include "daemon/episode.h"

struct daemon;

/**
 * Queues certificates, findings, incidents and the intents of what is to be done, and writes them before it returns, as far as
 * the store can be written; then keeps the evidence.
 *
 * @param wait  whether it may be put off: what an earlier daemon has stored is not told again, and the store cannot always say at
 *              once. Without it, what is not known to be stored is told.
 * @return 0; -EAGAIN: nothing was done, ask again in a moment; or -ENOMEM
 */
int judged_take(struct daemon *d, const struct episode *e, const struct detection *detection, bool wait);
