/* test_fingerprint.c - a checksum that sees every change. */
#include "suite.h"

#include <string.h>

#include "base/fingerprint.h"

static const char *of(const void *data, size_t n, size_t piece)
{
        static char hex[4][FINGERPRINT_HEX_LEN];
        static size_t next;
        char *h = hex[next++ % 4];
        _cleanup_fingerprint_ struct fingerprint *f = NULL;
        ck_assert_int_eq(fingerprint_new(&f), 0);
        for (size_t at = 0; at < n; at += piece)
                ck_assert_int_eq(fingerprint_add(f, (const char *)data + at, n - at < piece ? n - at : piece), 0);
        ck_assert_int_eq(fingerprint_end(f, h), 0);
        return h;
}

/* Computed by hand with `openssl mac -cipher AES-128-GCM -macopt hexkey:… -macopt hexiv:000000000000000000000000 GMAC`. */
START_TEST(the_same_bytes_have_the_same_fingerprint_everywhere)
{
        ck_assert_str_eq(of("abc", 3, 3), "5187c3bcdd753457d3b81bd88be428d5");
        ck_assert_str_eq(of("", 0, 1), "8c49fb7b5d4bbba1e8b76cf1f84ebad8");
}
END_TEST

START_TEST(pieces_make_no_difference)
{
        char data[5000];
        memset(data, 7, sizeof(data));
        ck_assert_str_eq(of(data, sizeof(data), 1), of(data, sizeof(data), sizeof(data)));
        ck_assert_str_eq(of(data, sizeof(data), 17), of(data, sizeof(data), sizeof(data)));
}
END_TEST

START_TEST(every_bit_every_length_and_every_order_counts)
{
        char data[256];
        memset(data, 0, sizeof(data));
        char whole[FINGERPRINT_HEX_LEN];
        strcpy(whole, of(data, sizeof(data), 64));
        for (size_t bit = 0; bit < 8 * sizeof(data); bit += 13) {
                data[bit / 8] = (char)(1 << bit % 8);
                ck_assert_str_ne(of(data, sizeof(data), 64), whole);
                data[bit / 8] = 0;
        }
        ck_assert_str_ne(of(data, sizeof(data) - 1, 64), whole);
        data[0] = 1;
        strcpy(whole, of(data, sizeof(data), 64));
        data[0] = 0;
        data[16] = 1;
        ck_assert_str_ne(of(data, sizeof(data), 64), whole);
}
END_TEST

SUITE("fingerprint", the_same_bytes_have_the_same_fingerprint_everywhere, pieces_make_no_difference,
      every_bit_every_length_and_every_order_counts)
