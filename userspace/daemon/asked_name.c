/* asked_name.c - see asked_name.h. */
#include "daemon/asked_name.h"

#include <stdio.h>

#include "base/suggest.h"
#include "daemon/core.h"
#include "daemon/guard.h"
#include "store/store.h"

bool asked_name_known(const struct daemon *d, struct store *s, const char *name, char ret_why[ASKED_NAME_WHY])
{
        char near[128] = "";
        size_t best = SUGGEST_NONE;

        if (guards_by_name(d->guards, name) || !s || store_knows_database(s, name, near, sizeof(near)) != 0)
                return true;
        if (*near)
                suggest_nearer(name, near, &best);
        for (size_t i = 0; i < guards_count(d->guards); i++)
                if (suggest_nearer(name, guards_at(d->guards, i)->name, &best))
                        snprintf(near, sizeof(near), "%s", guards_at(d->guards, i)->name);
        if (*near)
                snprintf(ret_why, ASKED_NAME_WHY, "no such database: %.128s; did you mean '%s'?", name, near);
        else
                snprintf(ret_why, ASKED_NAME_WHY, "no such database: %.128s; vigil status -v lists them", name);
        return false;
}
