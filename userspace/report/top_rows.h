/* top_rows.h - the entries of one view, sorted; between top.c, which prints them, and top_rows.c. Layer: report. */
#pragma once

#include "report/top.h"

/** Entries are borrowed from the document. @return how many; the list is released with free(); 0 when out of memory */
size_t top_rows(const json_t *document, enum top_view view, enum top_sort sort, const json_t ***ret);

/** How many times the usual 95th percentile an entry takes; 0: not known, or no longer than usual. */
double top_factor(const json_t *entry);
