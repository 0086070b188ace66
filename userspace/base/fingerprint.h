/* fingerprint.h - a fast checksum of 128 bits, as a stream. Layer: base.
 *
 * For bytes that a fault may change but nobody forges: GMAC (NIST SP 800-38D) under a fixed key, four times as fast as SHA-256
 * because the processor multiplies without carry. Two texts of the same length that differ agree with a chance of 2^-90 at
 * most, up to a terabyte. */
#pragma once

#include <stddef.h>

/** Lower-case hex of a fingerprint and its NUL. */
#define FINGERPRINT_HEX_LEN 33

/** A fingerprint in progress. */
struct fingerprint;

/** @param ret  release with fingerprint_free(). @return 0, or -ENOMEM (also where libcrypto has no GMAC) */
int fingerprint_new(struct fingerprint **ret);

/** Adds @p n bytes. @return 0, or -EIO when libcrypto refuses */
int fingerprint_add(struct fingerprint *f, const void *data, size_t n);

/** Ends it; nothing can be added afterwards. @return 0, or -EIO */
int fingerprint_end(struct fingerprint *f, char ret_hex[FINGERPRINT_HEX_LEN]);

/** Releases @p f, which may be NULL. */
void fingerprint_free(struct fingerprint *f);

static inline void cleanup_fingerprint_(struct fingerprint **f)
{
        fingerprint_free(*f);
}
#define _cleanup_fingerprint_ __attribute__((cleanup(cleanup_fingerprint_)))
