/* neighbours.h - `neighbours`: who held the lock of a database, and who used its disk. Layer: report. */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

/** The path of a cgroup; NULL: not known. */
typedef const char *(*neighbours_cgroup_fn)(uint64_t id, const void *userdata);

/**
 * Of @p list, what is about database @p db and about @p disk (0: not known; then nobody is told who used it): who held the lock
 * longest while others waited, and who wrote most, synced most and read most.
 * @param device  name of the disk; NULL: not known
 * @return new reference; NULL: out of memory
 */
json_t *neighbours_json(const struct vigil_neighbour *list, size_t n, uint32_t db, uint32_t disk,
                        const char *device, neighbours_cgroup_fn cgroup, const void *userdata);

/** "driver (pid 12, systemd batch.service) while others waited 1.2 s in all": who held the lock longest; empty: nobody is known. What each of several waited
 * adds up: it may be longer than the lock was held. */
void neighbours_holder_text(char *ret, size_t size, const json_t *neighbours);

/** "loop0: python3 (pid 12) wrote 3 MiB, 40 syncs; …": those who do not use the database themselves, @p most of them at most, who burdened
 * the disk most first;
 * empty: nobody is known. */
void neighbours_device_text(char *ret, size_t size, const json_t *neighbours, unsigned most);
