/* test_globals.c - global options stand anywhere before a `--`. */
#include "suite.h"

#include <string.h>

#include "cli/globals.h"

static const struct command exec = {.name = "exec"}, record = {.name = "record"}, replay = {.name = "replay"};
static const struct command *const table[] = {&exec, &record, &replay, NULL};

#define PARSE(...)                                                                                                 \
        char *argv[] = {"vigil", __VA_ARGS__, NULL};                                                               \
        struct invocation in = {0};                                                                                \
        int status = globals_parse((int)(sizeof(argv) / sizeof(argv[0])) - 1, argv, table, &in)

START_TEST(global_options_stand_on_both_sides_of_the_command)
{
        PARSE("-v", "--config=a.conf", "exec", "--db", "x", "--json", "--state-dir", "/s");
        ck_assert_int_eq(status, CLI_OK);
        ck_assert_ptr_eq(in.command, &exec);
        ck_assert(in.cli.verbose && in.cli.json && !in.cli.quiet);
        ck_assert_str_eq(in.cli.config, "a.conf");
        ck_assert_str_eq(in.cli.state_dir, "/s");
        ck_assert_int_eq(in.argc, 3);
        ck_assert_str_eq(in.argv[0], "exec");
        ck_assert_str_eq(in.argv[2], "x");
        ck_assert_ptr_null(in.argv[3]);
}
END_TEST

START_TEST(help_may_stand_before_the_command_as_a_word)
{
        PARSE("help", "exec");
        ck_assert_int_eq(status, CLI_OK);
        ck_assert(in.help);
        ck_assert_ptr_eq(in.command, &exec);
}
END_TEST

START_TEST(help_of_help_is_that_of_all_commands)
{
        PARSE("help", "help");
        ck_assert_int_eq(status, CLI_OK);
        ck_assert(in.help);
        ck_assert_ptr_null(in.command);
}
END_TEST

START_TEST(help_alone_is_that_of_all_commands)
{
        PARSE("help");
        ck_assert_int_eq(status, CLI_OK);
        ck_assert(in.help);
        ck_assert_ptr_null(in.command);
}
END_TEST

START_TEST(the_watched_command_keeps_its_options)
{
        PARSE("exec", "-q", "--", "grep", "-v", "--json", "--help");
        ck_assert_int_eq(status, CLI_OK);
        ck_assert(in.cli.quiet && !in.cli.verbose && !in.cli.json && !in.help);
        ck_assert_int_eq(in.argc, 6);
        ck_assert_str_eq(in.argv[1], "--");
        ck_assert_str_eq(in.argv[5], "--help");
}
END_TEST

START_TEST(help_and_version_are_asked_for)
{
        PARSE("exec", "--help");
        ck_assert_int_eq(status, CLI_OK);
        ck_assert(in.help);
        ck_assert_ptr_eq(in.command, &exec);
        char *again[] = {"vigil", "--version", NULL};
        ck_assert_int_eq(globals_parse(2, again, table, &in), CLI_OK);
        ck_assert(in.version && !in.help);
        ck_assert_ptr_null(in.command);
}
END_TEST

START_TEST(mistakes_are_usage_errors)
{
        static const char *const wrong[][3] = {{"exce"},
                                               {"--jsno", "exec"},
                                               {"exec", "--config"},
                                               {"--json=1", "exec"},
                                               {"exec", "-q", "-v"},
                                               {"nothing-like-it"},
                                               {""},
                                               {"exec", "--config", ""},
                                               {"exec", "--state-dir="}};
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                char *argv[5] = {"vigil"};
                int argc = 1;
                for (size_t k = 0; k < 3 && wrong[i][k]; k++)
                        argv[argc++] = (char *)wrong[i][k];
                struct invocation in;
                ck_assert_int_eq(globals_parse(argc, argv, table, &in), CLI_USAGE);
        }
}
END_TEST

START_TEST(a_slip_finds_the_command_that_was_meant)
{
        ck_assert_str_eq(globals_nearest("exce", table), "exec");
        ck_assert_str_eq(globals_nearest("recrod", table), "record");
        ck_assert_str_eq(globals_nearest("reply", table), "replay");
        ck_assert_ptr_null(globals_nearest("summary", table));
        ck_assert_ptr_null(globals_nearest("", table));
}
END_TEST

SUITE("globals", global_options_stand_on_both_sides_of_the_command, help_may_stand_before_the_command_as_a_word,
      help_alone_is_that_of_all_commands, help_of_help_is_that_of_all_commands,
      the_watched_command_keeps_its_options, help_and_version_are_asked_for, mistakes_are_usage_errors,
      a_slip_finds_the_command_that_was_meant)
