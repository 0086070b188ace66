/* hash.c - SHA-256 by libcrypto. */
#include "base/hash.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/io.h"

#define CHUNK (256 * 1024)

struct hash {
        EVP_MD_CTX *context;
};

int hash_new(struct hash **ret_hash)
{
        /* What a SHA-256 is does not depend on the host's openssl.cnf, which a worker could not read anyway. */
        if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) != 1)
                return -ENOMEM;
        struct hash *h = calloc(1, sizeof(*h));
        if (!h)
                return -ENOMEM;
        h->context = EVP_MD_CTX_new();
        if (!h->context || EVP_DigestInit_ex(h->context, EVP_sha256(), NULL) != 1) {
                hash_free(h);
                return -ENOMEM;
        }
        *ret_hash = h;
        return 0;
}

int hash_add(struct hash *h, const void *data, size_t n)
{
        return EVP_DigestUpdate(h->context, data, n) == 1 ? 0 : -EIO;
}

int hash_end(struct hash *h, char ret_hex[HASH_HEX_LEN])
{
        static const char digits[] = "0123456789abcdef";
        unsigned char raw[EVP_MAX_MD_SIZE];
        unsigned int n = 0;
        if (EVP_DigestFinal_ex(h->context, raw, &n) != 1 || n != (HASH_HEX_LEN - 1) / 2)
                return -EIO;
        for (unsigned int i = 0; i < n; i++) {
                ret_hex[2 * i] = digits[raw[i] >> 4];
                ret_hex[2 * i + 1] = digits[raw[i] & 15];
        }
        ret_hex[HASH_HEX_LEN - 1] = '\0';
        return 0;
}

void hash_free(struct hash *h)
{
        if (!h)
                return;
        EVP_MD_CTX_free(h->context);
        free(h);
}

int hash_fd(int fd, char ret_hex[HASH_HEX_LEN])
{
        _cleanup_hash_ struct hash *h = NULL;
        _cleanup_free_ char *chunk = malloc(CHUNK);
        if (!chunk)
                return -ENOMEM;
        int r = hash_new(&h);
        uint64_t offset = 0;
        while (r == 0) {
                ssize_t got = io_pread_all(fd, chunk, CHUNK, offset);
                if (got < 0)
                        return (int)got;
                if (got == 0)
                        return hash_end(h, ret_hex);
                r = hash_add(h, chunk, (size_t)got);
                offset += (uint64_t)got;
        }
        return r;
}
