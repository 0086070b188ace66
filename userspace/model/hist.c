/* hist.c - see hist.h. */
#include "model/hist.h"

void hist_add(struct vigil_hist *into, const struct vigil_hist *from)
{
        into->count += from->count;
        into->errors += from->errors;
        into->sum_ns += from->sum_ns;
        if (from->max_ns > into->max_ns)
                into->max_ns = from->max_ns;
        for (unsigned i = 0; i < VIGIL_HIST_BUCKETS; i++) {
                uint64_t sum = (uint64_t)into->bucket[i] + from->bucket[i];
                into->bucket[i] = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
        }
}

uint64_t hist_bound(unsigned i)
{
        if (i == 0)
                return 1ull << VIGIL_HIST_MIN;
        if (i >= VIGIL_HIST_BUCKETS - 1)
                return UINT64_MAX;
        /* Bucket 1 is the first quarter of the octave that begins at 2^VIGIL_HIST_MIN. */
        unsigned octave = (i - 1) >> VIGIL_HIST_SUB_BITS;
        unsigned part = (i - 1) & (VIGIL_HIST_SUB - 1);
        uint64_t base = 1ull << (VIGIL_HIST_MIN + octave);
        return base + (base >> VIGIL_HIST_SUB_BITS) * (part + 1);
}

static uint64_t less(uint64_t now, uint64_t before)
{
        return now >= before ? now - before : now;
}

struct vigil_hist hist_since(const struct vigil_hist *now, const struct vigil_hist *before)
{
        struct vigil_hist h = *now;

        if (now->count < before->count)
                return h;
        h.count -= before->count;
        h.errors = less(now->errors, before->errors);
        h.sum_ns = less(now->sum_ns, before->sum_ns);
        for (unsigned i = 0; i < VIGIL_HIST_BUCKETS; i++)
                h.bucket[i] = (uint32_t)less(now->bucket[i], before->bucket[i]);
        /* The longest one ever may have been long ago. */
        for (unsigned i = VIGIL_HIST_BUCKETS; i-- > 0;) {
                if (!h.bucket[i])
                        continue;
                if (hist_bound(i) < h.max_ns)
                        h.max_ns = hist_bound(i);
                break;
        }
        return h;
}

uint64_t hist_quantile(const struct vigil_hist *h, unsigned per_mille)
{
        uint64_t total = 0;
        for (unsigned i = 0; i < VIGIL_HIST_BUCKETS; i++)
                total += h->bucket[i];
        if (total == 0)
                return 0;
        /* Samples are at most 2^32 per bucket: the product stays far below 2^64. */
        uint64_t rank = (total * per_mille + 999) / 1000;
        uint64_t seen = 0;
        for (unsigned i = 0; i < VIGIL_HIST_BUCKETS; i++) {
                seen += h->bucket[i];
                if (seen >= rank && seen > 0)
                        return hist_bound(i) < h->max_ns ? hist_bound(i) : h->max_ns;
        }
        return h->max_ns;
}
