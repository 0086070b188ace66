/* test_advice.c - what to do comes from what was found. */
#include "report/advice.h"

#include <string.h>

#include "suite.h"

static json_t *database(const char *finding, const char *reason, int recovered)
{
        json_t *findings = json_array(), *certificates = json_array();
        if (finding)
                json_array_append_new(findings, json_pack("{s:s}", "code", finding));
        if (reason)
                json_array_append_new(certificates,
                                      json_pack("{s:[s], s:b}", "reasons", reason, "recovered", recovered));
        return json_pack("{s:o, s:o}", "findings", findings, "certificates", certificates);
}

/* The advice for one finding and one reason; @return how many sentences. */
static size_t advise(const char *finding, const char *reason, int recovered, const char *ret[ADVICE_MAX])
{
        json_t *o = database(finding, reason, recovered);
        size_t n = advice_for(o, ret);
        json_decref(o);
        return n;
}

START_TEST(a_clean_end_needs_no_advice)
{
        const char *a[ADVICE_MAX];
        ck_assert_uint_eq(advise(NULL, "others-still-open", 0, a), 0);
}
END_TEST

START_TEST(a_hot_journal_must_be_kept)
{
        const char *a[ADVICE_MAX];
        ck_assert_uint_eq(advise(NULL, "hot-journal", 0, a), 1);
        ck_assert_ptr_nonnull(strstr(a[0], "Keep the -journal"));
}
END_TEST

START_TEST(an_end_that_was_not_seen_must_be_looked_into)
{
        const char *a[ADVICE_MAX];
        ck_assert_uint_eq(advise("abrupt-death", "transaction-end-unseen", 0, a), 1);
        ck_assert_ptr_nonnull(strstr(a[0], "Compare the last transaction"));
        ck_assert_uint_eq(advise("abrupt-death", "rollback-unseen", 0, a), 1);
        ck_assert_ptr_nonnull(strstr(a[0], "Nothing that was committed is lost"));
        ck_assert_uint_eq(advise("no-journal", "transaction-end-unseen", 0, a), 2);
        ck_assert_ptr_nonnull(strstr(a[0], "nothing can undo it"));
}
END_TEST

START_TEST(what_was_recovered_needs_nothing_more)
{
        const char *a[ADVICE_MAX];
        ck_assert_uint_eq(advise(NULL, "hot-journal", 1, a), 0);
}
END_TEST

START_TEST(what_is_damaged_is_not_to_be_opened_again)
{
        const char *a[ADVICE_MAX];
        ck_assert_uint_eq(advise("integrity-failed", "write-transaction-open", 0, a), 1);
        ck_assert_ptr_nonnull(strstr(a[0], "Stop every writer"));
        ck_assert_uint_eq(advise("wal-unreadable", "connection-left-open", 0, a), 1);
        ck_assert_ptr_nonnull(strstr(a[0], "the first open loses"));
}
END_TEST

/* The advice for a connection left open at an end with exit status @code, or by exec; @integrity: result of the check. */
static const char *left_open(const char *by, int code, const char *integrity)
{
        const char *a[ADVICE_MAX];
        json_t *o = database(NULL, "connection-left-open", 0);
        json_t *c = json_array_get(json_object_get(o, "certificates"), 0);
        json_object_set_new(c, "ended_by", json_string(by));
        json_object_set_new(c, "exit", code < 0 ? json_pack("{s:n}", "code") : json_pack("{s:i}", "code", code));
        json_object_set_new(o, "integrity", json_pack("{s:s}", "result", integrity));
        size_t n = advice_for(o, a);
        ck_assert_uint_le(n, 1);
        json_decref(o);
        return n ? a[0] : "";
}

START_TEST(what_was_done_need_not_be_started_again)
{
        ck_assert_ptr_nonnull(strstr(left_open("exit", 1, "ok"), "Start it again"));
        ck_assert_ptr_nonnull(strstr(left_open("exit", -1, "ok"), "Start it again"));
        ck_assert_ptr_nonnull(strstr(left_open("exit", 0, "ok"), "nothing is to be done"));
        ck_assert_ptr_nonnull(strstr(left_open("exec", -1, "skipped"), "nothing is to be done"));
}
END_TEST

START_TEST(of_what_could_not_be_checked_nobody_says_that_nothing_is_lost)
{
        ck_assert_str_eq(left_open("exit", 1, "failed"), "");
        ck_assert_str_eq(left_open("exit", 0, "failed"), "");
}
END_TEST

START_TEST(what_is_no_report_gives_no_advice)
{
        const char *a[ADVICE_MAX];
        json_t *o = json_object();
        ck_assert_uint_eq(advice_for(o, a), 0);
        json_decref(o);
}
END_TEST

SUITE("advice", a_clean_end_needs_no_advice, a_hot_journal_must_be_kept,
      an_end_that_was_not_seen_must_be_looked_into, what_was_recovered_needs_nothing_more,
      what_is_damaged_is_not_to_be_opened_again, what_was_done_need_not_be_started_again,
      of_what_could_not_be_checked_nobody_says_that_nothing_is_lost, what_is_no_report_gives_no_advice)
