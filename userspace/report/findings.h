/* findings.h - findings as lines of text: severity, code and what was found. Layer: report. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "report/page.h"

/** The first @p most of @p list (all, with @p verbose), as objects with severity, code and detail, and how many more there are.
 * Nothing for an empty one. */
void findings_print(struct page *p, const json_t *list, size_t most, bool verbose);
