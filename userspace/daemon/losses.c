/* losses.c - see losses.h. */
#include "daemon/losses.h"

#include <string.h>

#define NCOUNTERS (sizeof(struct vigil_counters) / sizeof(uint64_t))

/* Of the counters, all but these two count something that is missing. */
static bool tells_of_loss(size_t i)
{
        return i != offsetof(struct vigil_counters, sent) / sizeof(uint64_t) &&
               i != offsetof(struct vigil_counters, canary) / sizeof(uint64_t);
}

static const uint64_t *counters(const struct vigil_stats *s)
{
        return (const uint64_t *)(const void *)&s->c;
}

static bool lost_more(const struct vigil_stats *then, const struct vigil_stats *now)
{
        if (now->missed > then->missed || now->gaps > then->gaps)
                return true;
        for (size_t i = 0; i < NCOUNTERS; i++)
                if (tells_of_loss(i) && counters(now)[i] > counters(then)[i])
                        return true;
        return false;
}

/* Of two marks that are close together the later goes: who began to take part after it is then told of a little more. */
static void make_room(struct losses *l)
{
        size_t victim = 1;

        for (size_t i = 2; i < l->nmarks; i++)
                if (l->mark[i].ns - l->mark[i - 1].ns < l->mark[victim].ns - l->mark[victim - 1].ns)
                        victim = i;
        memmove(&l->mark[victim], &l->mark[victim + 1], (l->nmarks - victim - 1) * sizeof(l->mark[0]));
        l->nmarks--;
}

void losses_note(struct losses *l, uint64_t ns, const struct vigil_stats *now, uint64_t gaps)
{
        if (l->nmarks == 0) {
                memset(&l->mark[0], 0, sizeof(l->mark[0]));
                l->nmarks = 1;
        }
        l->now = *now;
        l->now.gaps = gaps;
        /* A number that was missing may have come since: it was never lost. */
        for (size_t i = 0; i < l->nmarks; i++)
                if (l->mark[i].at.gaps > gaps)
                        l->mark[i].at.gaps = gaps;
        if (!lost_more(&l->mark[l->nmarks - 1].at, &l->now) || ns < l->mark[l->nmarks - 1].ns)
                return;
        if (l->nmarks == MEMORY_MARKS)
                make_room(l);
        l->mark[l->nmarks].ns = ns;
        l->mark[l->nmarks++].at = l->now;
}

struct vigil_stats losses_since(const struct losses *l, uint64_t ns)
{
        struct vigil_stats r = l->now;
        size_t i = l->nmarks;

        while (i > 0 && l->mark[i - 1].ns > ns)
                i--;
        if (i == 0)
                return r;
        const struct vigil_stats *then = &l->mark[i - 1].at;
        uint64_t *c = (uint64_t *)(void *)&r.c;
        for (size_t k = 0; k < NCOUNTERS; k++)
                if (tells_of_loss(k))
                        c[k] -= counters(then)[k] < c[k] ? counters(then)[k] : c[k];
        r.missed -= then->missed < r.missed ? then->missed : r.missed;
        r.gaps -= then->gaps < r.gaps ? then->gaps : r.gaps;
        return r;
}
