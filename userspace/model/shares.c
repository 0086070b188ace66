/* shares.c - see shares.h. */
#include "model/shares.h"

void shares_per_mille(const struct vigil_attribution *a, unsigned *ret)
{
        double rest[VIGIL_DELAYS];
        unsigned given = 0;

        for (unsigned i = 0; i < VIGIL_DELAYS; i++) {
                double part = a->total_ns ? (double)a->ns[i] * 1000 / (double)a->total_ns : 0;
                ret[i] = (unsigned)part;
                rest[i] = part - ret[i];
                given += ret[i];
        }
        while (a->total_ns && given < 1000) {
                unsigned most = 0;
                for (unsigned i = 1; i < VIGIL_DELAYS; i++)
                        if (rest[i] > rest[most])
                                most = i;
                ret[most]++;
                rest[most] = 0;
                given++;
        }
}

static int has_fallen(const struct vigil_attribution *before, const struct vigil_attribution *now)
{
        if (now->count < before->count || now->total_ns < before->total_ns)
                return 1;
        for (unsigned i = 0; i < VIGIL_DELAYS; i++)
                if (i != VIGIL_DELAY_UNEXPLAINED && now->ns[i] + now->total_ns < before->ns[i])
                        return 1;
        return 0;
}

void shares_between(const struct vigil_attribution *before, const struct vigil_attribution *now,
                    struct vigil_attribution *ret)
{
        *ret = *now;
        for (unsigned i = 0; i < VIGIL_ATTRIBUTION_LOSSES; i++)
                ret->lost[i] = now->lost[i] > before->lost[i] ? now->lost[i] - before->lost[i] : 0;
        if (has_fallen(before, now))
                return;
        ret->count -= before->count;
        ret->total_ns = 0;
        /* A share may fall a little: what was open then and unexplained, or estimated, is known now. */
        for (unsigned i = 0; i < VIGIL_DELAYS; i++) {
                ret->ns[i] = now->ns[i] > before->ns[i] ? now->ns[i] - before->ns[i] : 0;
                ret->total_ns += ret->ns[i];
        }
}

unsigned shares_order(const struct vigil_attribution *a, unsigned *ret)
{
        unsigned n = 0;

        for (unsigned i = 0; i < VIGIL_DELAYS; i++) {
                unsigned k = i;
                for (; k > 0 && a->ns[ret[k - 1]] < a->ns[i]; k--)
                        ret[k] = ret[k - 1];
                ret[k] = i;
                n += a->ns[i] > 0;
        }
        return n;
}
