/* test_recovered.c - when what a death left behind counts as recovered. */
#include "model/model.h"
#include "suite.h"

#define DIED 1000

static int recovered(struct vigil_db then, struct vigil_db now)
{
        return model_recovered(&then, NULL, DIED, &now, DIED + 1, NULL);
}

START_TEST(an_account_that_stands_still_tells_of_no_recovery)
{
        struct vigil_db db = {.id = 1, .wal_commits = 5, .checkpoints = 2};
        ck_assert_int_eq(recovered(db, db), 0);
}
END_TEST

START_TEST(a_recovery_or_a_later_commit_is_one)
{
        struct vigil_db then = {.id = 1}, wal = {.wal_recoveries = 1}, journal = {.rb_recoveries = 1},
                        commit = {.wal_commits = 1}, rollback = {.rb_commits = 1}, checkpoint = {.checkpoints = 1};
        ck_assert_int_eq(recovered(then, wal), 1);
        ck_assert_int_eq(recovered(then, journal), 1);
        ck_assert_int_eq(recovered(then, commit), 1);
        ck_assert_int_eq(recovered(then, rollback), 1);
        ck_assert_int_eq(recovered(then, checkpoint), 1);
}
END_TEST

START_TEST(a_hot_journal_that_the_account_never_knew_and_that_is_gone_was_rolled_back)
{
        struct vigil_db then = {.id = 1};
        struct vigil_observed seen = {.hdr.ns = DIED, .flags = VIGIL_OBS_MAIN | VIGIL_OBS_JOURNAL_HOT},
                              gone = {.hdr.ns = DIED + 1, .flags = VIGIL_OBS_MAIN},
                              hot = {.hdr.ns = DIED + 1, .flags = VIGIL_OBS_MAIN | VIGIL_OBS_JOURNAL_HOT},
                              before = {.hdr.ns = DIED - 1, .flags = VIGIL_OBS_MAIN};
        ck_assert_int_eq(model_recovered(&then, &seen, DIED, &then, DIED + 1, &gone), 1);
        ck_assert_int_eq(model_recovered(&then, &seen, DIED, &then, DIED + 1, &hot), 0);
        ck_assert_int_eq(model_recovered(&then, &seen, DIED, &then, DIED + 1, &before), 0);
}
END_TEST

START_TEST(a_hot_journal_that_is_gone_without_a_recovery_was_not_rolled_back)
{
        struct vigil_db then = {.id = 1, .journal_hot = 1};
        struct vigil_observed gone = {.hdr.ns = DIED + 1, .flags = VIGIL_OBS_MAIN};
        ck_assert_int_eq(model_recovered(&then, NULL, DIED, &then, DIED + 1, &gone), 0);
}
END_TEST

START_TEST(what_was_taken_away_is_not_recovered_by_later_commits)
{
        struct vigil_db journal = {.id = 1, .journal_hot = 1}, wal = {.id = 1, .wal_commit_end = 4152};
        struct vigil_db now = {.id = 1, .flags = VIGIL_DB_JOURNAL_TAKEN, .rb_commits = 3};
        ck_assert_int_eq(recovered(journal, now), 0);
        now = (struct vigil_db){.id = 1, .flags = VIGIL_DB_WAL_TAKEN, .wal_commits = 3, .wal_recoveries = 1};
        ck_assert_int_eq(recovered(wal, now), 0);
}
END_TEST

START_TEST(a_journal_that_was_rolled_back_before_another_was_taken_is_recovered)
{
        struct vigil_db then = {.id = 1, .journal_hot = 1};
        struct vigil_db now = {.id = 1, .flags = VIGIL_DB_JOURNAL_TAKEN, .rb_recoveries = 1};
        ck_assert_int_eq(recovered(then, now), 1);
}
END_TEST

START_TEST(without_an_account_from_after_the_death_it_cannot_be_known)
{
        struct vigil_db db = {.id = 1};
        ck_assert_int_eq(model_recovered(NULL, NULL, DIED, &db, DIED + 1, NULL), -1);
        ck_assert_int_eq(model_recovered(&db, NULL, DIED, NULL, 0, NULL), -1);
        ck_assert_int_eq(model_recovered(&db, NULL, DIED, &db, DIED, NULL), -1);
}
END_TEST

SUITE("recovered", an_account_that_stands_still_tells_of_no_recovery, a_recovery_or_a_later_commit_is_one,
      a_hot_journal_that_the_account_never_knew_and_that_is_gone_was_rolled_back,
      a_hot_journal_that_is_gone_without_a_recovery_was_not_rolled_back,
      what_was_taken_away_is_not_recovered_by_later_commits,
      a_journal_that_was_rolled_back_before_another_was_taken_is_recovered,
      without_an_account_from_after_the_death_it_cannot_be_known)
