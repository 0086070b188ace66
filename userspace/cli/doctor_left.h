/* doctor_left.h - what a daemon that is gone has left in the kernel, for `vigil doctor` and `health`. Layer: cli. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "cli/cli.h"

/** Sets `left_behind` of @p doc (docs/JSON.md). The state directories that @p cli leads to can be named, others not. */
void doctor_left_add(const struct cli *cli, json_t *doc);

/** Whether a watch of the state in @p state_dir goes on without a daemon; false also where that cannot be seen. */
bool doctor_left_of(const char *state_dir);

/** A line for each of them on standard output. */
void doctor_left_print(const json_t *doc);
