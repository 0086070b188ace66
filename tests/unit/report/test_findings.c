/* test_findings.c - the first findings, and how many more there are. */
#include "report/findings.h"

#include <stdlib.h>
#include <string.h>

#include "suite.h"

static json_t *findings(int n)
{
        json_t *list = json_array();

        for (int i = 0; i < n; i++)
                json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "severity", "P1", "code", "unclean-death",
                                                      "detail", "killed"));
        return list;
}

/* What is printed of @n findings, of which @most are wanted; freed by the caller. */
static char *printed(int n, size_t most, bool verbose)
{
        char *text = NULL;
        size_t size;
        struct page p = {.out = open_memstream(&text, &size), .width = 100};
        json_t *list = findings(n);

        findings_print(&p, list, most, verbose);
        fclose(p.out);
        json_decref(list);
        return text;
}

START_TEST(each_is_a_line_and_only_the_first_has_a_label)
{
        char *text = printed(2, 8, false);

        ck_assert_str_eq(text, "  findings        P1 unclean-death: killed\n"
                               "                  P1 unclean-death: killed\n");
        free(text);
}
END_TEST

START_TEST(of_more_than_are_wanted_it_is_said_how_many)
{
        char *text = printed(5, 2, false);

        ck_assert_ptr_nonnull(strstr(text, "and 3 more; -v shows all\n"));
        free(text);
}
END_TEST

START_TEST(verbose_shows_all_and_none_shows_nothing)
{
        char *text = printed(5, 2, true);

        ck_assert_ptr_null(strstr(text, "more"));
        free(text);
        text = printed(0, 2, false);
        ck_assert_str_eq(text, "");
        free(text);
}
END_TEST

SUITE("findings", each_is_a_line_and_only_the_first_has_a_label, of_more_than_are_wanted_it_is_said_how_many,
      verbose_shows_all_and_none_shows_nothing)
