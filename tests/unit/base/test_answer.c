/* test_answer.c - what counts as an answer, whatever pieces it comes in. */
#include "suite.h"

#include <string.h>

#include "base/answer.h"
#include "base/cleanup.h"

static void sum_up(void *sum, uint64_t done, uint64_t total)
{
        *(uint64_t *)sum += done * 100 + total;
}

/* The answer to @p text fed in pieces of @p piece bytes, as compact JSON; "none" and "flooded" otherwise. */
static const char *read_in(const char *text, size_t piece, size_t limit)
{
        static char out[256];
        _cleanup_(answer_done) struct answer a = {.limit = limit};
        ck_assert_int_eq(answer_begin(&a), 0);
        size_t n = strlen(text);
        for (size_t at = 0; at < n; at += piece)
                answer_feed(&a, text + at, n - at < piece ? n - at : piece);
        json_t *answer = answer_end(&a);
        _cleanup_free_ char *dump = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
        json_decref(answer);
        strncpy(out, a.flooded ? "flooded" : dump ? dump : "none", sizeof(out) - 1);
        return out;
}

START_TEST(pieces_make_no_difference)
{
        for (size_t piece = 1; piece < 50; piece++)
                ck_assert_str_eq(read_in("{\"a\":1}\n{\"done\":1,\"total\":2}\n{\"b\":[2]}\n", piece, 100),
                                 "{\"b\":[2]}");
}
END_TEST

START_TEST(a_last_line_that_is_no_object_takes_the_answer_away)
{
        static const char *const ends[] = {"\n", "[1]\n", "1", "nonsense", "{\"a\":", "{\"a\":1,\"a\":2}", "\xff"};
        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
                char text[64] = "{\"a\":1}\n";
                strcat(text, ends[i]);
                ck_assert_str_eq(read_in(text, 7, 100), "none");
        }
}
END_TEST

START_TEST(only_two_numbers_that_are_not_negative_are_progress)
{
        uint64_t sum = 0;
        _cleanup_(answer_done) struct answer a = {.limit = 1000, .on_progress = sum_up, .userdata = &sum};
        static const char text[] = "{\"done\":1,\"total\":3}\n{\"done\":-1,\"total\":3}\n{\"done\":1}\n"
                                   "{\"done\":1,\"total\":3,\"x\":0}\n{\"done\":\"1\",\"total\":3}\n";
        ck_assert_int_eq(answer_begin(&a), 0);
        answer_feed(&a, text, sizeof(text) - 1);
        ck_assert_uint_eq(sum, 103);
        json_t *answer = answer_end(&a);
        ck_assert_str_eq(json_string_value(json_object_get(answer, "done")), "1");
        json_decref(answer);
}
END_TEST

START_TEST(progress_does_not_count_towards_the_limit_but_no_line_is_longer)
{
        ck_assert_str_eq(read_in("{\"done\":1,\"total\":2}\n{\"done\":2,\"total\":2}\n{\"a\":1}\n", 5, 20),
                         "{\"a\":1}");
        ck_assert_str_eq(read_in("{\"done\":1,\"total\":2}\n", 5, 19), "flooded");
        ck_assert_str_eq(read_in("{\"a\":1}\n{\"b\":2}\n", 5, 14), "{\"b\":2}");
        ck_assert_str_eq(read_in("{\"a\":1}\n{\"b\":2}\n", 5, 13), "flooded");
}
END_TEST

SUITE("answer", pieces_make_no_difference, a_last_line_that_is_no_object_takes_the_answer_away,
      only_two_numbers_that_are_not_negative_are_progress,
      progress_does_not_count_towards_the_limit_but_no_line_is_longer)
