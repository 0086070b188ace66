/* known_checks.c - see known_checks.h. */
#include "daemon/known_checks.h"

#include "daemon/core.h"
#include "daemon/guard.h"

void known_checks_read(struct daemon *d)
{
        struct store *s = keeper_store(d->keeper);

        for (size_t i = 0; s && i < guards_count(d->guards); i++) {
                struct guard *g = guards_at(d->guards, i);
                /* One that is not known, or cannot be read now, is none. */
                store_last_check(s, g->name, &g->checked_ns, g->check_result, sizeof(g->check_result));
        }
}
