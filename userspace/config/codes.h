/* codes.h - the codes of findings that a `severity` section may name. Layer: config.
 *
 * What each of them means is the business of incident/incident.h, a layer above; tests/unit/incident holds the two lists together. */
#pragma once

/** In alphabetical order, ended by NULL. */
extern const char *const config_codes[];
