/* test_table.c - a table within its page: names shrink, numbers do not. */
#include "report/table.h"

#include <stdlib.h>
#include <string.h>

#include "suite.h"

static const struct table_column columns[] = {{.title = "NAME"},
                                              {.title = "OTHER"},
                                              {.title = "N", .whole = true, .right = true},
                                              {.title = "P50", .whole = true, .right = true, .spare = true}};

static char *text;

/* One row of these in @p width columns. @return how many columns are left out */
static size_t show(unsigned width, const char *name, const char *other, const char *n, const char *p50)
{
        size_t size;
        free(text);
        struct page p = {.out = open_memstream(&text, &size), .width = width};
        struct table t = {.column = columns, .ncolumns = 4};
        table_add(&t, INK_PLAIN, name);
        table_add(&t, INK_PLAIN, other);
        table_add(&t, INK_PLAIN, n);
        table_add(&t, INK_PLAIN, p50);
        size_t out = table_fit(&t, &p);
        table_print_head(&t, &p);
        table_print_row(&t, &p, 0);
        table_done(&t);
        fclose(p.out);
        return out;
}

START_TEST(a_table_is_as_wide_as_what_stands_in_it)
{
        ck_assert_uint_eq(show(100, "a", "b", "12345", "1 us"), 0);
        ck_assert_str_eq(text, "\n  NAME  OTHER      N   P50\n  a     b      12345  1 us\n");
}
END_TEST

START_TEST(the_longest_name_shrinks_first)
{
        ck_assert_uint_eq(show(40, "short-name", "a-name-that-is-long-enough-to-be-cut", "12345", "1 us"), 0);
        ck_assert_str_eq(strchr(text + 1, '\n'), "\n  short-name  a-name-tha...  12345  1 us\n");
}
END_TEST

START_TEST(a_number_is_never_cut_and_what_is_spared_goes_before_the_page_is_exceeded)
{
        ck_assert_uint_eq(show(30, "short-name", "a-long-name", "123456789", "1.5 ms"), 1);
        ck_assert_str_eq(strchr(text + 1, '\n'), "\n  short-.. a-long.. 123456789\n");
        show(10, "short-name", "a-long-name", "123456789", "1.5 ms");
        ck_assert_ptr_nonnull(strstr(text, " 123456789\n"));
}
END_TEST

START_TEST(no_cell_reaches_the_terminal_as_a_sequence)
{
        show(100, "evil\033[2J\nname", "\xff", "1", "-");
        ck_assert_ptr_null(strchr(text, '\033'));
        ck_assert_ptr_nonnull(strstr(text, "evil?[2J?name"));
}
END_TEST

SUITE("table", a_table_is_as_wide_as_what_stands_in_it, the_longest_name_shrinks_first,
      a_number_is_never_cut_and_what_is_spared_goes_before_the_page_is_exceeded,
      no_cell_reaches_the_terminal_as_a_sequence)
