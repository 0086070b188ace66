#include "histogram.h"

/* Values below HISTOGRAM_STEPS have a slot each; above, the bits after the leading one choose the step. */
static unsigned slot_of(uint64_t ns)
{
        if (ns < HISTOGRAM_STEPS)
                return (unsigned)ns;
        unsigned shift = 63u - (unsigned)__builtin_clzll(ns) - 6;

        return (shift + 1) * HISTOGRAM_STEPS + (unsigned)(ns >> shift) - HISTOGRAM_STEPS;
}

static uint64_t slot_begin(unsigned slot)
{
        if (slot < HISTOGRAM_STEPS)
                return slot;
        unsigned shift = slot / HISTOGRAM_STEPS - 1;

        return ((uint64_t)(slot % HISTOGRAM_STEPS) + HISTOGRAM_STEPS) << shift;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
        h->count++;
        h->slot[slot_of(ns)]++;
        if (ns > h->max)
                h->max = ns;
}

uint64_t histogram_at(const struct histogram *h, unsigned per_mille)
{
        uint64_t want = (h->count * per_mille + 999) / 1000, seen = 0;

        for (unsigned i = 0; want && i < HISTOGRAM_SLOTS; i++) {
                if (seen + h->slot[i] >= want) {
                        uint64_t begin = slot_begin(i), width = slot_begin(i + 1) - begin;
                        uint64_t at = begin + width * (want - seen) / h->slot[i];
                        return at < h->max ? at : h->max;
                }
                seen += h->slot[i];
        }
        return 0;
}
