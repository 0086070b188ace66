/* shares.h - `attribution`: where the time of commits and syncs went. Layer: report. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "bpf/abi.h"

/** "cpu", "lock-wait", "run-queue", "cpu-limit", "io-limit", "write-back", "journal", "device-queue", "device-service",
 * "application", "memory", "kernel-lock", "unexplained". */
const char *delay_name(unsigned delay);

/** Whether what others do with the disk may be behind that cause. */
bool delay_is_of_device(const char *cause);

/** One operation's shares, largest first. New reference; NULL: out of memory. */
json_t *shares_json(const struct vigil_attribution *a);

/** The shares of one such object in words, "journal 61.2%, device-service 30.1% (estimated), …", those below one percent left
 * out, and what was lost; empty when there are none. */
void shares_text(char *ret, size_t size, const json_t *shares);
