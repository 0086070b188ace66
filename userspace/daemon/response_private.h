/* response_private.h - between response.c, which knows what is wanted, and response_run.c, which has the work on its way. */
#pragma once

#include "daemon/response.h"

/* Where the results of such an action are kept; NULL: nowhere, or out of memory. The caller frees it. @incident NULL: of none. */
char *response_directory(const struct daemon *d, enum action_kind kind, const char *database, const char *incident);

/* The same that has not begun yet, and now serves @i, too (NULL: no incident). NULL: there is none. */
struct work *response_join(struct response *rs, enum action_kind kind, const char *database,
                           const struct incident *i, int method);
/* A new one: its intent is on its way to the store, and it begins when that is safe. NULL: out of memory.
 * @verdict may be NULL; @method as work.method. */
struct work *response_add(struct daemon *d, struct guard *g, enum action_kind kind, const struct incident *i,
                          const char *reason, const char *verdict, int method);
/* A new one, by the method of the policy, unless one was joined. @return whether it is new */
bool response_begin(struct daemon *d, struct guard *g, enum action_kind kind, const struct incident *i,
                    const char *reason, const char *verdict);
/* Whether one of that kind is on its way or waits. */
bool response_goes_on(const struct daemon *d, enum action_kind kind, const char *database);
