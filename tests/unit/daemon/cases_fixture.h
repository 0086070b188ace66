/* cases_fixture.h - a daemon of nothing but incidents and a store in a private directory. */
#pragma once

#include "daemon/core.h"
#include "daemon/guard.h"

/** Begun anew; what an earlier one of this test has stored is there. */
struct daemon *cases_begin(void);
/** What waits is stored, and it is gone. */
void cases_end(struct daemon *d);

/** That directory, with its vigil.db. */
const char *cases_directory(void);

/** The guarded database of all tests: "app". */
const struct guard *cases_guard(void);
