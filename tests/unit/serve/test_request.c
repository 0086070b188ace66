/* test_request.c - what is a request, and what is none. */
#include "serve/request.h"

#include <errno.h>
#include <string.h>

#include "suite.h"

static int parse(const char *text)
{
        struct control_request r = {0};
        int err = control_request_parse(text, strlen(text), &r);
        if (err == 0)
                control_request_done(&r);
        else
                ck_assert_ptr_null(r.line);
        return err;
}

START_TEST(a_request_has_a_command_and_its_arguments)
{
        static const char text[] =
                "{\"control\": 1, \"command\": \"incidents\", \"args\": {\"status\": \"firing\"}}";
        struct control_request r;
        ck_assert_int_eq(control_request_parse(text, strlen(text), &r), 0);
        ck_assert_str_eq(r.command, "incidents");
        ck_assert_str_eq(json_string_value(json_object_get(r.args, "status")), "firing");
        control_request_done(&r);
}
END_TEST

START_TEST(arguments_may_be_missing_and_unknown_members_are_ignored)
{
        static const char text[] = "{\"control\": 1, \"command\": \"incident-ack\", \"colour\": [1, 2]}";
        struct control_request r;
        ck_assert_int_eq(control_request_parse(text, strlen(text), &r), 0);
        ck_assert(json_is_object(r.args) && json_object_size(r.args) == 0);
        control_request_done(&r);
}
END_TEST

START_TEST(what_is_no_request_is_refused)
{
        static const char *const bad[] = {
                "",
                "{",
                "[]",
                "7",
                "{}",
                "GET / HTTP/1.1\r",
                "{\"command\": \"status\"}",
                "{\"control\": \"1\", \"command\": \"status\"}",
                "{\"control\": 0, \"command\": \"status\"}",
                "{\"control\": -1, \"command\": \"status\"}",
                "{\"control\": 1}",
                "{\"control\": 1, \"command\": 3}",
                "{\"control\": 1, \"command\": \"\"}",
                "{\"control\": 1, \"command\": \"../status\"}",
                "{\"control\": 1, \"command\": \"Status\"}",
                "{\"control\": 1, \"command\": \"a-name-that-is-longer-than-any-command-is\"}",
                "{\"control\": 1, \"command\": \"status\", \"args\": []}",
                "{\"control\": 1, \"command\": \"status\", \"args\": null}",
                "{\"control\": 1, \"control\": 1, \"command\": \"status\"}",
                "{\"control\": 1, \"command\": \"status\"} and more",
                "{\"control\": 1, \"command\": \"sta\\u0000tus\"}",
                "{\"control\": 1, \"command\": \"\xff\"}",
        };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                ck_assert_msg(parse(bad[i]) == -EINVAL, "%s", bad[i]);
}
END_TEST

/* What else a newer version says is not ours to judge. */
START_TEST(a_newer_request_is_told_apart_from_a_bad_one)
{
        ck_assert_int_eq(parse("{\"control\": 2, \"command\": \"status\"}"), -EPROTONOSUPPORT);
        ck_assert_int_eq(parse("{\"control\": 9223372036854775807, \"ask\": 1}"), -EPROTONOSUPPORT);
        ck_assert_int_eq(parse("{\"control\": 9223372036854775808, \"ask\": 1}"), -EINVAL);
}
END_TEST

START_TEST(deep_nesting_is_refused_and_costs_nothing)
{
        char deep[8000];
        memset(deep, '[', sizeof(deep));
        struct control_request r;
        ck_assert_int_eq(control_request_parse(deep, sizeof(deep), &r), -EINVAL);
}
END_TEST

SUITE("request", a_request_has_a_command_and_its_arguments,
      arguments_may_be_missing_and_unknown_members_are_ignored, what_is_no_request_is_refused,
      a_newer_request_is_told_apart_from_a_bad_one, deep_nesting_is_refused_and_costs_nothing)
