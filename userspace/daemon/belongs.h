/* belongs.h - does a process belong to an orchestrator, and under whose care does it run. Pure. Layer: daemon. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/orchestrator.h"
#include "sensor/procinfo.h"

/** What must be read of a process to say so: enum procinfo_part. */
unsigned belongs_parts(const struct config_match *rule);

/** Everything that the rule names is so; pid-file is asked elsewhere. A rule of a pid-file alone says true. */
bool belongs(const struct config_match *rule, const struct procinfo *p);

/** Who starts it again when it ends, out of its cgroup: "systemd batch.service", "docker 0123456789ab", "podman …",
 * "kubernetes …"; "": not known. */
#define CARE_LEN 80
void care_of_cgroup(const char *cgroup, char ret[CARE_LEN]);
/** "pm2" by the name of an ancestor; "": it is none. */
const char *care_of_ancestor(const char *comm);
