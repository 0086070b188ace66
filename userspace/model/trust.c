/* trust.c - see trust.h. */
#include "model/trust.h"

#include <string.h>

bool trust_has(const struct trust *t, const char *reason)
{
        for (size_t i = 0; i < t->nreasons; i++)
                if (strcmp(t->reason[i], reason) == 0)
                        return true;
        return false;
}

void trust_lower(struct trust *t, const char *reason)
{
        if (t->level == TRUST_FULL)
                t->level = TRUST_PARTIAL;
        if (t->nreasons < TRUST_REASONS && !trust_has(t, reason))
                t->reason[t->nreasons++] = reason;
}

void trust_merge(struct trust *t, const struct trust *from)
{
        for (size_t i = 0; i < from->nreasons; i++)
                trust_lower(t, from->reason[i]);
        if (from->level > t->level)
                t->level = from->level;
}

const char *trust_level_name(enum trust_level l)
{
        static const char *const names[] = {
                [TRUST_FULL] = "full", [TRUST_PARTIAL] = "partial", [TRUST_NONE] = "none"};
        return names[l];
}
