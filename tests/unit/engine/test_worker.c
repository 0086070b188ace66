/* test_worker.c - answers that are not trusted. */
#include "suite.h"

#include <errno.h>
#include <string.h>

#include "engine/worker.h"

START_TEST(numbers_are_integers_that_are_there_and_not_negative)
{
        json_t *o = json_pack("{s:I,s:i,s:s}", "big", (json_int_t)1 << 60, "negative", -1, "text", "1");
        uint64_t v = 7;
        ck_assert_int_eq(worker_get_u64(o, "big", &v), 0);
        ck_assert_uint_eq(v, 1ULL << 60);
        ck_assert_int_eq(worker_get_u64(o, "negative", &v), -EBADMSG);
        ck_assert_int_eq(worker_get_u64(o, "text", &v), -EBADMSG);
        ck_assert_int_eq(worker_get_u64(o, "missing", &v), -EBADMSG);
        ck_assert_uint_eq(v, 1ULL << 60);
        json_decref(o);
}
END_TEST

START_TEST(any_bytes_travel_as_hex)
{
        static const char text[] = "/tmp/\xff\x01 x-mj1";
        char back[32];
        json_t *o = json_pack("{s:o}", "p", worker_hex(text));
        ck_assert_int_eq(worker_get_hex(o, "p", back, sizeof(back)), 0);
        ck_assert_str_eq(back, text);
        ck_assert_int_eq(worker_get_hex(o, "p", back, strlen(text)), -EBADMSG);
        ck_assert_int_eq(worker_get_hex(o, "p", back, strlen(text) + 1), 0);
        json_decref(o);
}
END_TEST

START_TEST(what_is_no_hex_is_refused)
{
        static const char *const bad[] = {"a", "0g", "0G", "AA", " 1"};
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                char back[8] = "kept";
                json_t *o = json_pack("{s:s}", "p", bad[i]);
                ck_assert_int_eq(worker_get_hex(o, "p", back, sizeof(back)), -EBADMSG);
                ck_assert_str_eq(back, "kept");
                json_decref(o);
        }
}
END_TEST

SUITE("worker", numbers_are_integers_that_are_there_and_not_negative, any_bytes_travel_as_hex,
      what_is_no_hex_is_refused)
