/* fnv.h - FNV-1a, 64 bits (www.isthe.com/chongo/tech/comp/fnv): tells apart what nobody forges, without a library. Layer: base. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FNV_BEGIN 0xcbf29ce484222325ull

/** The hash of what @p h is the hash of, with @p n more bytes. */
static inline uint64_t fnv_add(uint64_t h, const void *bytes, size_t n)
{
        const unsigned char *b = bytes;

        for (size_t i = 0; i < n; i++)
                h = (h ^ b[i]) * 0x100000001b3ull;
        return h;
}
