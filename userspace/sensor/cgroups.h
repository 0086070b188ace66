/* cgroups.h - whether a process's cgroup lets it run: frozen, throttled. Version 1 and version 2. Layer: sensor. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sensor/mounts.h"

struct cgroup_state {
        bool frozen;           /* it or a cgroup above it */
        uint64_t throttled_us; /* cumulative: CPU time that quotas of its cgroup and of those above it withheld */
};

/**
 * @param memberships  text of /proc/PID/cgroup
 * @param mounts       our own: where the hierarchies are
 * @return 0; -ENOENT no hierarchy that could freeze or throttle it can be read
 */
int cgroups_look(const char *memberships, const struct mounts *mounts, struct cgroup_state *ret);
