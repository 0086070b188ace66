/* test_page.c - lines within the page. */
#include "report/page.h"

#include <stdlib.h>
#include <string.h>

#include "suite.h"

static char *text;
static size_t size;

static struct page page(unsigned width, bool colour)
{
        return (struct page){.out = open_memstream(&text, &size), .width = width, .colour = colour};
}

static const char *close_page(struct page *p)
{
        fclose(p->out);
        return text;
}

START_TEST(long_text_is_wrapped_under_its_own_column)
{
        struct page p = page(24, false);
        page_paragraph(&p, INK_PLAIN, "held", 10, "one two three four five");
        ck_assert_str_eq(close_page(&p), "  held    one two three\n          four five\n");
        free(text);
}
END_TEST

START_TEST(a_word_longer_than_the_line_is_not_broken)
{
        struct page p = page(12, false);
        page_paragraph(&p, INK_PLAIN, "", 4, "a /a/very/long/path b");
        ck_assert_str_eq(close_page(&p), "    a\n    /a/very/long/path\n    b\n");
        free(text);
}
END_TEST

START_TEST(a_label_that_fills_its_column_keeps_a_space)
{
        struct page p = page(40, false);
        page_paragraph(&p, INK_PLAIN, "long label", 8, "text");
        ck_assert_str_eq(close_page(&p), "  long label text\n");
        free(text);
}
END_TEST

START_TEST(colour_only_when_told)
{
        struct page p = page(40, true);
        page_ink(&p, INK_BAD, "UNCLEAN");
        ck_assert_str_eq(close_page(&p), "\033[1;31mUNCLEAN\033[0m");
        free(text);
        p = page(40, false);
        page_ink(&p, INK_BAD, "UNCLEAN");
        ck_assert_str_eq(close_page(&p), "UNCLEAN");
        free(text);
}
END_TEST

SUITE("page", long_text_is_wrapped_under_its_own_column, a_word_longer_than_the_line_is_not_broken,
      a_label_that_fills_its_column_keeps_a_space, colour_only_when_told)
