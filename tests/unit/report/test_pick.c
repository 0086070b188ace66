/* test_pick.c - members of documents as people read them. */
#include "report/pick.h"

#include "suite.h"

static const char *age(const char *at, int64_t now_s)
{
        static char text[PICK_WHEN_LEN];
        json_t *o = json_pack("{s:s?}", "at", at);
        pick_age(text, o, "at", now_s * 1000000000);
        json_decref(o);
        return text;
}

START_TEST(an_age_has_one_unit_and_is_never_negative)
{
        /* 2026-11-21T03:15:02Z is 1795230902 */
        static const char at[] = "2026-11-21T03:15:02.123456Z";
        ck_assert_str_eq(age(at, 1795230902), "0 s");
        ck_assert_str_eq(age(at, 1795230902 + 119), "119 s");
        ck_assert_str_eq(age(at, 1795230902 + 120), "2 min");
        ck_assert_str_eq(age(at, 1795230902 + 7200), "2 h");
        ck_assert_str_eq(age(at, 1795230902 + 172800), "2 d");
        ck_assert_str_eq(age(at, 1795230902 - 50), "0 s");
}
END_TEST

START_TEST(no_time_is_a_dash)
{
        char when[PICK_WHEN_LEN];
        json_t *o = json_pack("{s:s, s:i, s:s}", "a", "yesterday", "b", 7, "c", "2026-11-21T03:15:02.123456Z");
        ck_assert_str_eq(age(NULL, 1795230902), "-");
        ck_assert_str_eq(age("yesterday", 1795230902), "-");
        pick_when(when, o, "a");
        ck_assert_str_eq(when, "-");
        pick_when(when, o, "b");
        ck_assert_str_eq(when, "-");
        pick_when(when, o, "c");
        ck_assert_str_eq(when, "2026-11-21T03:15:02Z");
        json_decref(o);
}
END_TEST

START_TEST(texts_are_joined_as_far_as_there_is_room)
{
        char text[12];
        json_t *list = json_pack("[s, s, i, s]", "one", "two", 3, "four");
        pick_join(text, sizeof(text), list, ", ");
        ck_assert_str_eq(text, "one, two, ?");
        pick_join(text, sizeof(text), NULL, ", ");
        ck_assert_str_eq(text, "");
        json_decref(list);
}
END_TEST

SUITE("pick", an_age_has_one_unit_and_is_never_negative, no_time_is_a_dash,
      texts_are_joined_as_far_as_there_is_room)
