/* elsewhere.h - what somebody may have meant who wrote a name that is not known where it stands. Layer: config, private to
 * it. */
#pragma once

#include <stdbool.h>

#include "config/grammar.h"

#define ELSEWHERE_LEN 240

/**
 * Says that @p name, of @p n bytes, is unknown in @p here, and where it is known, or which one is a slip away.
 * @param section  it was written as a section, not as a key
 */
void elsewhere(const struct section *here, const char *name, int n, bool section, char ret[ELSEWHERE_LEN]);
