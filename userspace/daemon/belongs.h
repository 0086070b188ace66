/* belongs.h - does a process belong to an orchestrator. Pure. Layer: daemon. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/orchestrator.h"
#include "sensor/procinfo.h"

/** What must be read of a process to say so: enum procinfo_part. */
unsigned belongs_parts(const struct config_match *rule);

/** Everything that the rule names is so; pid-file is asked elsewhere. A rule of a pid-file alone says true. */
bool belongs(const struct config_match *rule, const struct procinfo *p);
