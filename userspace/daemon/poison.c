/* poison.c - see poison.h. */
#include "daemon/poison.h"

size_t poison_try(struct poison *p, size_t n)
{
        size_t wanted = p->control ? 0 : p->suspects > 1 ? p->suspects / 2 : p->suspects ? 1 : n;

        p->tried = wanted < n ? wanted : n;
        return p->tried;
}

void poison_died(struct poison *p)
{
        if (!p->tried) { /* no row was written: it is none of them */
                *p = (struct poison){0};
                return;
        }
        if (!p->suspects && ++p->deaths < POISON_DEATHS)
                return;
        p->suspects = p->tried;
        if (p->tried == 1) {
                p->proofs++;
                p->control = true;
        }
}

void poison_lived(struct poison *p, size_t n)
{
        if (p->control && n == 0)
                p->control = false;
        else if (p->suspects > n)
                p->suspects -= n;
        else
                *p = (struct poison){0};
}

bool poison_found(const struct poison *p)
{
        return p->proofs >= POISON_PROOFS && !p->control;
}
