/* packed.c - see packed.h. */
#include "store/packed.h"

size_t packed_write(const struct vigil_hist *h, uint8_t ret[PACKED_MAX])
{
        size_t n = 0;
        for (unsigned i = 0; i < VIGIL_HIST_BUCKETS; i++) {
                uint32_t count = h->bucket[i];
                if (count == 0)
                        continue;
                ret[n++] = (uint8_t)i;
                for (unsigned shift = 0; shift < 32; shift += 8)
                        ret[n++] = (uint8_t)(count >> shift);
        }
        return n;
}

void packed_add(struct vigil_hist *into, const void *data, size_t n)
{
        const uint8_t *p = data;
        for (; n >= PACKED_PAIR; n -= PACKED_PAIR, p += PACKED_PAIR) {
                uint32_t count = (uint32_t)p[1] | (uint32_t)p[2] << 8 | (uint32_t)p[3] << 16 | (uint32_t)p[4] << 24;
                if (p[0] >= VIGIL_HIST_BUCKETS)
                        continue;
                uint32_t *bucket = &into->bucket[p[0]];
                *bucket = UINT32_MAX - *bucket < count ? UINT32_MAX : *bucket + count;
                into->count += count;
        }
}
