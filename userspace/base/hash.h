/* hash.h - SHA-256, as a stream. Layer: base.
 *
 * libcrypto does the work: it uses the processor's SHA instructions, without which hashing would cost more than copying. */
#pragma once

#include <stddef.h>

/** Lower-case hex of a SHA-256 and its NUL. */
#define HASH_HEX_LEN 65

/** A hash in progress. */
struct hash;

/** Starts a hash. @param ret_hash  release with hash_free(). @return 0, or -ENOMEM */
int hash_new(struct hash **ret_hash);

/** Adds @p n bytes. @return 0, or -EIO when libcrypto refuses (which it has no documented reason to) */
int hash_add(struct hash *h, const void *data, size_t n);

/** Ends the hash; nothing can be added afterwards. @return 0, or -EIO */
int hash_end(struct hash *h, char ret_hex[HASH_HEX_LEN]);

/** Releases @p h, which may be NULL. */
void hash_free(struct hash *h);

static inline void cleanup_hash_(struct hash **h)
{
        hash_free(*h);
}
#define _cleanup_hash_ __attribute__((cleanup(cleanup_hash_)))

/**
 * Hash of what @p fd holds from offset 0 to the end, by pread(2): the file position stays.
 * @return 0, -ENOMEM, -EIO or -errno of pread(2)
 */
int hash_fd(int fd, char ret_hex[HASH_HEX_LEN]);
