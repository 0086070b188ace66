/* suite.h - the main() of a Check program: one suite out of a list of tests. Tests include "suite.h" and end with
 * SUITE("text", first_test, second_test). A test that is left out of the list is an unused variable, hence no build. */
#pragma once

#include <check.h>
#include <stdlib.h>

/** Runs @p tests, ended by NULL, each in a process of its own. @return status for main() */
static inline int suite_run(const char *name, const TTest *const *tests)
{
        Suite *suite = suite_create(name);
        TCase *tcase = tcase_create(name);
        tcase_set_timeout(tcase, 60);
        for (size_t i = 0; tests[i]; i++)
                tcase_add_test(tcase, tests[i]);
        suite_add_tcase(suite, tcase);
        SRunner *runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        int failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define SUITE(name, ...)                                                                                           \
        int main(void)                                                                                             \
        {                                                                                                          \
                return suite_run(name, (const TTest *const[]){__VA_ARGS__, NULL});                                 \
        }
