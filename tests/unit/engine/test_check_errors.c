/* test_check_errors.c - SQLite's words into errors with pages. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "engine/check_errors.h"

START_TEST(the_page_is_the_one_the_error_is_about)
{
        static const struct {
                const char *text;
                uint32_t page;
        } lines[] = {
                {"Page 5: btreeInitPage() returns error code 11", 5},
                {"Tree 3 page 9 cell 1: Rowid 12 out of order", 9},
                {"On tree page 4 cell 0: 2nd reference to page 7", 4},
                {"Main freelist: invalid page number 12", 12},
                {"Page 4294967295 is never used", 4294967295u},
                {"Freelist: size is 3 but should be 4", 0},
                {"row 3 missing from index i", 0},
                {"Page 4294967296: too large", 0},
                {"homepage 7 is no page", 0},
                {"page ", 0},
                {"", 0},
        };
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
                uint32_t page = 0;
                bool found = check_error_page(lines[i].text, strlen(lines[i].text), &page);
                ck_assert_msg(page == lines[i].page && found == (page != 0), "%s", lines[i].text);
        }
}
END_TEST

START_TEST(one_row_may_hold_several_lines)
{
        static const char row[] = "*** in database main ***\nPage 2: a\nTree 1 page 3: b\n";
        struct check_errors e = {0};
        ck_assert_int_eq(check_errors_add(&e, row, strlen(row)), 0);
        ck_assert_int_eq(check_errors_add(&e, "ok", 2), 0);
        ck_assert_int_eq(check_errors_end(&e), 0);
        ck_assert_uint_eq(json_array_size(e.list), 2);
        ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(e.list, 1), "page")), 3);
        json_decref(e.list);
}
END_TEST

START_TEST(ok_is_no_error)
{
        struct check_errors e = {0};
        ck_assert_int_eq(check_errors_add(&e, "ok", 2), 0);
        ck_assert_int_eq(check_errors_end(&e), 0);
        ck_assert_uint_eq(json_array_size(e.list), 0);
        json_decref(e.list);
}
END_TEST

START_TEST(beyond_a_hundred_they_are_counted)
{
        struct check_errors e = {0};
        for (int i = 0; i < 250; i++)
                ck_assert_int_eq(check_errors_add(&e, "Page 1: x", 9), 0);
        ck_assert_int_eq(check_errors_end(&e), 0);
        ck_assert_uint_eq(json_array_size(e.list), 101);
        const json_t *last = json_array_get(e.list, 100);
        ck_assert_str_eq(json_string_value(json_object_get(last, "text")), "150 more errors were found");
        ck_assert(json_is_null(json_object_get(last, "page")));
        json_decref(e.list);
}
END_TEST

START_TEST(hostile_names_stay_text_and_bounded)
{
        struct check_errors e = {0};
        char row[2000];
        memset(row, 0xff, sizeof(row));
        ck_assert_int_eq(check_errors_add(&e, row, sizeof(row)), 0);
        ck_assert_int_eq(check_errors_end(&e), 0);
        ck_assert_uint_le(strlen(json_string_value(json_object_get(json_array_get(e.list, 0), "text"))),
                          3 * CHECK_TEXT_MAX);
        json_decref(e.list);
}
END_TEST

SUITE("check_errors", the_page_is_the_one_the_error_is_about, one_row_may_hold_several_lines, ok_is_no_error,
      beyond_a_hundred_they_are_counted, hostile_names_stay_text_and_bounded)
