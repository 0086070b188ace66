/* summaries.h - what writing, rolling up and reading summaries share. Layer: store. */
#pragma once

#include "store/private.h"

/** Adds the columns hist, sum_ns and max_ns, from @p column on, to @p into. */
void summary_hist(sqlite3_stmt *row, int column, struct vigil_hist *into);
