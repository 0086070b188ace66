/* config_errors.h - what is wrong with a configuration, as JSON and for people. Layer: report. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "config/config.h"

/** {"schema", "file", "valid", "errors", "notes"} with {"line", "text"} in the last two. @return NULL: out of memory */
json_t *config_errors_json(const char *schema, const char *file, bool valid, const struct config_errors *errors);

/** "FILE:LINE: text" for each of such a document, one per line. */
void config_errors_text(const json_t *document, FILE *out);
