/* test_hash.c - SHA-256 as FIPS 180-4 has it. */
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hash.h"

static void expect(const char *text, size_t times, const char *hex)
{
        _cleanup_hash_ struct hash *h = NULL;
        char got[HASH_HEX_LEN];
        ck_assert_int_eq(hash_new(&h), 0);
        for (size_t i = 0; i < times; i++)
                ck_assert_int_eq(hash_add(h, text, strlen(text)), 0);
        ck_assert_int_eq(hash_end(h, got), 0);
        ck_assert_str_eq(got, hex);
}

/* The examples of NIST for SHA-256. */
START_TEST(known_texts_have_known_hashes)
{
        expect("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        expect("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        expect("a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

START_TEST(a_file_is_hashed_from_its_start_and_keeps_its_position)
{
        _cleanup_fclose_ FILE *f = tmpfile();
        for (int i = 0; i < 1000000; i++)
                putc('a', f);
        fflush(f);
        off_t position = lseek(fileno(f), 17, SEEK_SET);
        char got[HASH_HEX_LEN];
        ck_assert_int_eq(hash_fd(fileno(f), got), 0);
        ck_assert_str_eq(got, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
        ck_assert_int_eq(lseek(fileno(f), 0, SEEK_CUR), position);
        ck_assert_int_eq(hash_fd(-1, got), -EBADF);
}
END_TEST

SUITE("hash", known_texts_have_known_hashes, a_file_is_hashed_from_its_start_and_keeps_its_position)
