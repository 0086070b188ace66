/* test_codes.c - what may be configured about a code, and what is known of it, is of the same codes. */
#include "incident/incident.h"

#include <string.h>

#include "config/codes.h"
#include "suite.h"

START_TEST(each_code_can_be_given_a_severity)
{
        for (const struct incident_code *c = incident_codes; c->code; c++) {
                const char *const *known = config_codes;
                while (*known && strcmp(*known, c->code) != 0)
                        known++;
                ck_assert_msg(*known != NULL, "config/codes.c lacks %s", c->code);
        }
}
END_TEST

START_TEST(each_code_of_the_configuration_is_one)
{
        for (const char *const *code = config_codes; *code; code++) {
                ck_assert_msg(incident_code(*code) != NULL, "incident/codes.c lacks %s", *code);
                ck_assert_msg(!code[1] || strcmp(code[0], code[1]) < 0, "%s is out of order", code[1]);
        }
}
END_TEST

SUITE("codes", each_code_can_be_given_a_severity, each_code_of_the_configuration_is_one)
