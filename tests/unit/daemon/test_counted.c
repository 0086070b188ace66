/* test_counted.c - which databases a failed sync of their directory is counted for. */
#include "daemon/counted.h"

#include "suite.h"

START_TEST(a_database_in_a_directory_that_is_synced_for_another_is_not_used)
{
        struct vigil_db before = {0}, now = {0};

        now.file[VIGIL_ROLE_DIRECTORY].sync_errors = 16;
        ck_assert(!counted_used(&before, &now));
}
END_TEST

START_TEST(one_of_which_a_file_was_touched_is)
{
        struct vigil_db before = {0}, now = {0};

        now.file[VIGIL_ROLE_MAIN].locks = 1;
        ck_assert(counted_used(&before, &now));
        before = now;
        ck_assert(!counted_used(&before, &now));
        now.file[VIGIL_ROLE_JOURNAL].unlinks = 1;
        ck_assert(counted_used(&before, &now));
}
END_TEST

SUITE("counted", a_database_in_a_directory_that_is_synced_for_another_is_not_used,
      one_of_which_a_file_was_touched_is)
