/* fingerprint.c - GMAC by libcrypto. */
#include "base/fingerprint.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/cleanup.h"

#define RAW_LEN ((FINGERPRINT_HEX_LEN - 1) / 2)

struct fingerprint {
        EVP_MAC *mac;
        EVP_MAC_CTX *context;
};

static int begin(EVP_MAC_CTX *context)
{
        /* No secrets: the same bytes shall have the same fingerprint everywhere. */
        static const unsigned char key[16] = "vigilfingerprint";
        static unsigned char iv[12];
        char cipher[] = "AES-128-GCM";
        OSSL_PARAM params[] = {
                OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
                OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_IV, iv, sizeof(iv)),
                OSSL_PARAM_construct_end(),
        };
        return EVP_MAC_init(context, key, sizeof(key), params) == 1 ? 0 : -ENOMEM;
}

int fingerprint_new(struct fingerprint **ret)
{
        if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) != 1)
                return -ENOMEM;
        _cleanup_fingerprint_ struct fingerprint *f = calloc(1, sizeof(*f));
        if (!f)
                return -ENOMEM;
        f->mac = EVP_MAC_fetch(NULL, "GMAC", NULL);
        f->context = f->mac ? EVP_MAC_CTX_new(f->mac) : NULL;
        if (!f->context || begin(f->context) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(f);
        return 0;
}

int fingerprint_add(struct fingerprint *f, const void *data, size_t n)
{
        return EVP_MAC_update(f->context, data, n) == 1 ? 0 : -EIO;
}

int fingerprint_end(struct fingerprint *f, char ret_hex[FINGERPRINT_HEX_LEN])
{
        static const char digits[] = "0123456789abcdef";
        unsigned char raw[RAW_LEN];
        size_t n = 0;
        if (EVP_MAC_final(f->context, raw, &n, sizeof(raw)) != 1 || n != sizeof(raw))
                return -EIO;
        for (size_t i = 0; i < n; i++) {
                ret_hex[2 * i] = digits[raw[i] >> 4];
                ret_hex[2 * i + 1] = digits[raw[i] & 15];
        }
        ret_hex[FINGERPRINT_HEX_LEN - 1] = '\0';
        return 0;
}

void fingerprint_free(struct fingerprint *f)
{
        if (!f)
                return;
        EVP_MAC_CTX_free(f->context);
        EVP_MAC_free(f->mac);
        free(f);
}
