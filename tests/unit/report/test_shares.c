/* test_shares.c - where time went, as JSON and in words: what was lost is told beside it. */
#include "report/shares.h"

#include <string.h>

#include "suite.h"

static const struct vigil_attribution whole = {.op = VIGIL_OP_COMMIT,
                                               .count = 2,
                                               .total_ns = 1000000,
                                               .ns = {[VIGIL_DELAY_LOCK] = 900000, [VIGIL_DELAY_CPU] = 100000}};

START_TEST(shares_without_a_loss_say_nothing_of_one)
{
        json_t *o = shares_json(&whole);
        char text[256];

        ck_assert(json_is_null(json_object_get(o, "lost")));
        shares_text(text, sizeof(text), o);
        ck_assert_str_eq(text, "lock-wait 90.0%, cpu 10.0%");
        json_decref(o);
}
END_TEST

START_TEST(a_loss_is_told_with_its_kind)
{
        struct vigil_attribution a = whole;
        char text[256];

        a.lost[VIGIL_UNSEEN_STACKS] = 3;
        a.lost[VIGIL_UNSEEN_RUNS] = 1;
        json_t *o = shares_json(&a);
        ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(o, "lost"), "stacks")), 3);
        ck_assert_ptr_null(json_object_get(json_object_get(o, "lost"), "waits"));
        shares_text(text, sizeof(text), o);
        ck_assert_str_eq(text,
                         "lock-wait 90.0%, cpu 10.0%; not all was seen: 3 stacks, 1 runs lost, on all databases");
        json_decref(o);
}
END_TEST

START_TEST(a_text_that_is_too_long_is_cut_and_ends)
{
        json_t *o = shares_json(&whole);
        char text[16];

        shares_text(text, sizeof(text), o);
        ck_assert_uint_lt(strlen(text), sizeof(text));
        json_decref(o);
}
END_TEST

SUITE("report-shares", shares_without_a_loss_say_nothing_of_one, a_loss_is_told_with_its_kind,
      a_text_that_is_too_long_is_cut_and_ends)
