/* discover.h - vigil.discover/1 as a configuration. Layer: report. */
#pragma once

#include <jansson.h>
#include <stdio.h>

/**
 * Writes a configuration that config_load() takes: a section for each database that may be guarded, with its users in a comment,
 * and a comment for each that is left out.
 *
 * @param host   where it was found
 * @param now_ns since the epoch
 * @return 0, -EINVAL: no such document, or -errno of writing
 */
int discover_text(const json_t *document, const char *host, int64_t now_ns, FILE *out);

/** Bytes of the path under @p key, by its `_hex` where it is not UTF-8. @return owned by the caller; NULL: none */
char *discover_path(const json_t *database, const char *key);
