/* live_database.h - the databases of `vigil status`, and what of them others tell, too. Layer: daemon. */
#pragma once

#include <jansson.h>

struct daemon;
struct guard;

/** New reference. */
json_t *live_databases(struct daemon *d);

/** "watched", "waiting", "gone". Static. */
const char *live_state(const struct daemon *d, const struct guard *g);

/** Puts journal_mode, users, in_transaction, bytes_at_risk and commits_at_risk into @p o. */
void live_put_account(struct daemon *d, const struct guard *g, json_t *o);
