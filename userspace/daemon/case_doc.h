/* case_doc.h - what is stored of an incident beside its columns, and how it is read back. Layer: daemon. Used by cases.c. */
#pragma once

#include <jansson.h>

#include "incident/incident.h"
#include "store/store.h"

/** Members of the document; new references. Names of its databases; what must still happen for it to end by itself, of
 * incident.owed; how often its program has died, since when, until when. */
json_t *case_doc_databases(const struct incident *i);
json_t *case_doc_ends(unsigned owed);
json_t *case_doc_deaths(const struct incident *i);

/** An incident out of its row, for incidents_restore(). Its texts are borrowed from @p from. */
void case_doc_read(const struct store_incident *from, struct incident *ret);
