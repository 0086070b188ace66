/* build.h - from libconfuse's tree to typed settings. Layer: config, private to it. */
#pragma once

#include "config/parse.h"

/** Fills @p c, which holds the defaults, with what the tree says, and complains about each value that cannot be.
 * @return 0, also with complaints, or -ENOMEM */
int build(struct config *c, const struct parsed *p, struct config_errors *errors);

/** What cannot be told of one value alone: names, what belongs together, what this version does not act upon. */
void check(const struct config *c, struct config_errors *errors);
/** The same of one orchestrator. */
void check_orchestrator(const struct config *c, const struct config_orchestrator *o, struct config_errors *errors);
