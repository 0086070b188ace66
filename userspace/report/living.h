/* living.h - who outlives a watch, as text. Layer: report. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "report/page.h"

/** Who of @p database was alive at the end of the watch, what each held, and what the database owes; nothing when nobody was.
 * @param verbose  also who held no transaction */
void living_print(struct page *p, const json_t *database, bool verbose);

/** True when one of the living may have been changing the database: a write transaction, checkpoint or recovery. */
bool living_are_changing(const json_t *database);
