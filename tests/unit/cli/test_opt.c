/* test_opt.c - a command's options are taken out, its operands stay. */
#include "suite.h"

#include <stdlib.h>
#include <string.h>

#include "cli/opt.h"

static const struct command command = {.name = "exec"};
static const char *const colours[] = {"red", "green", NULL};

static struct values {
        bool flag;
        const char *text;
        struct opt_list list;
        uint64_t ms, bytes;
        int colour;
} v;

static const struct opt opts[] = {
        {.name = "--flag", .kind = OPT_FLAG, .ret = &v.flag},
        {.name = "--out", .kind = OPT_TEXT, .ret = &v.text},
        {.name = "-o", .kind = OPT_TEXT, .ret = &v.text},
        {.name = "--db", .kind = OPT_LIST, .ret = &v.list},
        {.name = "--for", .kind = OPT_DURATION, .ret = &v.ms},
        {.name = "--size", .kind = OPT_SIZE, .ret = &v.bytes},
        {.name = "--colour", .kind = OPT_CHOICE, .ret = &v.colour, .choices = colours},
        {0},
};

#define PARSE(...)                                                                                                 \
        char *argv[] = {"exec", __VA_ARGS__, NULL};                                                                \
        int argc = (int)(sizeof(argv) / sizeof(argv[0])) - 1, behind = -1;                                         \
        int status = opt_parse(&command, opts, &argc, argv, &behind)

START_TEST(options_of_every_kind_are_read)
{
        PARSE("--flag", "--out", "x.json", "--db=a.db", "one", "--db", "b.db", "--for", "2m", "--colour", "green");
        ck_assert_int_eq(status, CLI_OK);
        ck_assert(v.flag);
        ck_assert_str_eq(v.text, "x.json");
        ck_assert_uint_eq(v.list.n, 2);
        ck_assert_str_eq(v.list.items[0], "a.db");
        ck_assert_str_eq(v.list.items[1], "b.db");
        ck_assert_ptr_null(v.list.items[2]);
        ck_assert_uint_eq(v.ms, 120000);
        ck_assert_int_eq(v.colour, 1);
        ck_assert_int_eq(argc, 2);
        ck_assert_str_eq(argv[1], "one");
        ck_assert_int_eq(behind, 2);
        free(v.list.items);
}
END_TEST

START_TEST(what_stands_behind_two_dashes_is_not_looked_at)
{
        PARSE("-o", "y", "--", "sh", "--flag", "--", "--nonsense");
        ck_assert_int_eq(status, CLI_OK);
        ck_assert(!v.flag);
        ck_assert_int_eq(argc, 5);
        ck_assert_int_eq(behind, 1);
        ck_assert_str_eq(argv[behind], "sh");
        ck_assert_str_eq(argv[3], "--");
        ck_assert_ptr_null(argv[5]);
}
END_TEST

START_TEST(every_size_is_bytes_or_has_a_unit)
{
        static const struct {
                const char *text;
                uint64_t bytes;
        } rows[] = {{"4096", 4096}, {"16K", 16384}, {"500M", 500ull << 20}, {"20g", 20ull << 30}};

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                PARSE("--size", (char *)rows[i].text);
                ck_assert_int_eq(status, CLI_OK);
                ck_assert_uint_eq(v.bytes, rows[i].bytes);
        }
}
END_TEST

START_TEST(a_single_dash_is_an_operand)
{
        PARSE("-");
        ck_assert_int_eq(status, CLI_OK);
        ck_assert_str_eq(argv[1], "-");
}
END_TEST

START_TEST(mistakes_are_usage_errors)
{
        static const char *const wrong[][3] = {
                {"--nonsense"},     {"--out"},         {"--flag=1"},      {"--for", "soon"},
                {"--out="},         {"--colour=blue"}, {"--for", "9e99"}, {"--for", "99999999999999999999"},
                {"--outx", "1"},    {"--out", "--"},   {"--for", "0"},    {"--for=0s"},
                {"--size", "5X"},   {"--size", "0"},   {"--size=-1"},     {"--size=99999999999T"},
                {"--out", "--flag"}};
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                char *argv[] = {"exec", (char *)wrong[i][0], (char *)wrong[i][1], NULL};
                int argc = wrong[i][1] ? 3 : 2;
                ck_assert_int_eq(opt_parse(&command, opts, &argc, argv, NULL), CLI_USAGE);
        }
}
END_TEST

START_TEST(an_empty_operand_is_a_mistake_unless_it_is_somebody_elses)
{
        char *before[] = {"check", "a.db", "", NULL}, *behind[] = {"check", "--", "", NULL};
        int argc = 3, at = 0;
        ck_assert_int_eq(opt_parse(&command, opts, &argc, before, &at), CLI_USAGE);
        argc = 3;
        ck_assert_int_eq(opt_parse(&command, opts, &argc, behind, NULL), CLI_USAGE);
        argc = 3;
        ck_assert_int_eq(opt_parse(&command, opts, &argc, behind, &at), CLI_OK);
        ck_assert_str_eq(behind[at], "");
}
END_TEST

SUITE("opt", options_of_every_kind_are_read, what_stands_behind_two_dashes_is_not_looked_at,
      every_size_is_bytes_or_has_a_unit, a_single_dash_is_an_operand, mistakes_are_usage_errors,
      an_empty_operand_is_a_mistake_unless_it_is_somebody_elses)
