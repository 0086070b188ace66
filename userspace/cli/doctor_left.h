/* doctor_left.h - what a killed daemon has left in the kernel, for `vigil doctor`. Layer: cli. */
#pragma once

#include <jansson.h>

#include "cli/cli.h"

/** Sets `left_behind` of @p doc (docs/JSON.md). The state directories that @p cli leads to can be named, others not. */
void doctor_left_add(const struct cli *cli, json_t *doc);

/** A line for each of them on standard output. */
void doctor_left_print(const json_t *doc);
