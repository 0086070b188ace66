/* test_fnv.c - FNV-1a as its authors publish it, and put together out of parts. */
#include "suite.h"

#include "base/fnv.h"

/* test_fnv.c of the reference implementation, 64 bits. */
START_TEST(known_texts_have_known_hashes)
{
        ck_assert_uint_eq(fnv_add(FNV_BEGIN, "", 0), 0xcbf29ce484222325ull);
        ck_assert_uint_eq(fnv_add(FNV_BEGIN, "a", 1), 0xaf63dc4c8601ec8cull);
        ck_assert_uint_eq(fnv_add(FNV_BEGIN, "foobar", 6), 0x85944171f73967e8ull);
}
END_TEST

START_TEST(parts_one_after_the_other_are_the_whole)
{
        ck_assert_uint_eq(fnv_add(fnv_add(FNV_BEGIN, "foo", 3), "bar", 3), fnv_add(FNV_BEGIN, "foobar", 6));
}
END_TEST

/* Ids and names of pins are on disk: no byte may count otherwise on a machine whose char is signed. */
START_TEST(bytes_are_unsigned)
{
        ck_assert_uint_eq(fnv_add(FNV_BEGIN, "\xff\x00\x01", 3), 0xf9210a1be4164051ull);
}
END_TEST

SUITE("fnv", known_texts_have_known_hashes, parts_one_after_the_other_are_the_whole, bytes_are_unsigned)
