/* test_predict.c - the sentence about the next open. */
#include "suite.h"

#include <string.h>

#include "engine/predict.h"

#define SQLITE_FILE (VIGIL_OBS_MAIN | VIGIL_OBS_SQLITE)

static const char *predict(struct vigil_observed o)
{
        static char text[PREDICT_LEN];
        ck_assert_int_eq(predict_next_open(&o, text, sizeof(text)), 0);
        return text;
}

START_TEST(an_idle_database_has_nothing_to_recover)
{
        ck_assert_str_eq(predict((struct vigil_observed){.flags = SQLITE_FILE}), "nothing to recover");
}
END_TEST

START_TEST(a_wal_of_zero_bytes_has_nothing_to_recover)
{
        ck_assert_str_eq(
                predict((struct vigil_observed){.flags = SQLITE_FILE | VIGIL_OBS_WAL | VIGIL_OBS_WAL_MODE}),
                "nothing to recover");
}
END_TEST

START_TEST(uncommitted_frames_are_discarded_and_nothing_is_lost)
{
        struct vigil_observed o = {.flags = SQLITE_FILE | VIGIL_OBS_WAL | VIGIL_OBS_WAL_HEADER,
                                   .wal_bytes = 8272,
                                   .wal_frames = 2,
                                   .wal_tail_frames = 2};
        ck_assert_str_eq(predict(o),
                         "next open discards 2 uncommitted WAL frames; no committed transaction is lost");
}
END_TEST

START_TEST(commits_of_the_wal_are_recovered)
{
        struct vigil_observed o = {.flags = SQLITE_FILE | VIGIL_OBS_WAL | VIGIL_OBS_WAL_HEADER,
                                   .wal_bytes = 100000,
                                   .wal_commits = 5,
                                   .wal_tail_frames = 1};
        ck_assert_str_eq(predict(o), "next open recovers 5 committed transactions from the WAL and discards 1 "
                                     "uncommitted WAL frame; no committed transaction is lost");
}
END_TEST

START_TEST(counts_of_a_cut_scan_are_lower_bounds)
{
        struct vigil_observed o = {.flags = SQLITE_FILE | VIGIL_OBS_WAL_HEADER | VIGIL_OBS_WAL_CUT,
                                   .wal_bytes = 100000,
                                   .wal_commits = 5,
                                   .wal_tail_frames = 7};
        ck_assert_str_eq(predict(o),
                         "next open recovers at least 5 committed transactions from the WAL; no committed "
                         "transaction is lost");
}
END_TEST

START_TEST(a_hot_journal_is_rolled_back)
{
        struct vigil_observed o = {.flags = SQLITE_FILE | VIGIL_OBS_JOURNAL | VIGIL_OBS_JOURNAL_HOT,
                                   .journal_bytes = 50000,
                                   .journal_pages = 12};
        ck_assert_str_eq(predict(o),
                         "next open rolls back the hot journal (12 pages); no committed transaction is lost");
}
END_TEST

START_TEST(a_cold_journal_is_nothing_to_recover)
{
        struct vigil_observed o = {.flags = SQLITE_FILE | VIGIL_OBS_JOURNAL, .journal_bytes = 512};
        ck_assert_str_eq(predict(o), "nothing to recover");
}
END_TEST

START_TEST(a_journal_whose_super_journal_is_gone_is_not_rolled_back)
{
        struct vigil_observed o = {.flags = SQLITE_FILE | VIGIL_OBS_JOURNAL | VIGIL_OBS_JOURNAL_STALE};
        ck_assert_ptr_nonnull(strstr(predict(o), "deletes the journal unread"));
        ck_assert_ptr_null(strstr(predict(o), "rolls back"));
}
END_TEST

START_TEST(an_emptied_main_file_loses_what_the_wal_holds)
{
        struct vigil_observed o = {.flags = VIGIL_OBS_MAIN | VIGIL_OBS_EMPTY | VIGIL_OBS_WAL_HEADER,
                                   .wal_bytes = 9000,
                                   .wal_commits = 1};
        ck_assert_str_eq(predict(o), "next open finds an empty main file; it deletes the WAL unread: 1 committed "
                                     "transaction is lost");
}
END_TEST

START_TEST(what_cannot_be_read_is_unknown)
{
        ck_assert_str_eq(predict((struct vigil_observed){.error = -13}),
                         "unknown: the files could not be looked at (Permission denied)");
        ck_assert_ptr_nonnull(
                strstr(predict((struct vigil_observed){.error = -40}), "is a symbolic link")); /* ELOOP */
        struct vigil_observed encrypted = {.flags = VIGIL_OBS_MAIN | VIGIL_OBS_ENCRYPTED};
        ck_assert_int_eq(strncmp(predict(encrypted), "unknown: ", 9), 0);
}
END_TEST

START_TEST(a_short_buffer_is_cut_and_terminated)
{
        struct vigil_observed o = {.flags = SQLITE_FILE | VIGIL_OBS_JOURNAL_HOT, .journal_pages = 3};
        char text[12];
        ck_assert_int_eq(predict_next_open(&o, text, sizeof(text)), 0);
        ck_assert_str_eq(text, "next open r");
        ck_assert_int_lt(predict_next_open(&o, text, 0), 0);
}
END_TEST

SUITE("predict", an_idle_database_has_nothing_to_recover, a_wal_of_zero_bytes_has_nothing_to_recover,
      uncommitted_frames_are_discarded_and_nothing_is_lost, commits_of_the_wal_are_recovered,
      counts_of_a_cut_scan_are_lower_bounds, a_hot_journal_is_rolled_back, a_cold_journal_is_nothing_to_recover,
      a_journal_whose_super_journal_is_gone_is_not_rolled_back, an_emptied_main_file_loses_what_the_wal_holds,
      what_cannot_be_read_is_unknown, a_short_buffer_is_cut_and_terminated)
