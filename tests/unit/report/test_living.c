/* test_living.c - a watch that ends before its processes do. */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#include "suite.h"

#define PATH "/srv/app.db"

static json_t *process(const char *comm, int pid, const char *transaction, const char *since, int late,
                       const char *lock)
{
        return json_pack("{s:s, s:i, s:s, s:s?, s:b, s:[s, s]}", "comm", comm, "pid", pid, "transaction",
                         transaction, "transaction_since", since, "seen_late", late, "locks", "shared", lock);
}

/* The text of a report on one database with these living processes; takes the references. */
static char *text_of(const char *verdict, json_t *processes, json_t *at_risk, bool verbose)
{
        char *text = NULL;
        size_t n;
        FILE *out = open_memstream(&text, &n);
        struct report_style style = {.verbose = verbose};
        json_t *report = json_pack("{s:s, s:[{s:s, s:s, s:o, s:o, s:b, s:i}], s:{s:s, s:[]}}", "schema",
                                   "vigil.report/1", "databases", "path", PATH, "verdict", verdict, "processes",
                                   processes, "at_risk", at_risk, "at_risk_lower_bound", 1, "commits_at_risk", 2,
                                   "trust", "level", "full", "reasons");
        ck_assert_ptr_nonnull(report);
        ck_assert_int_eq(report_text(report, out, &style), 0);
        fclose(out);
        json_decref(report);
        return text;
}

static void begins(const char *text, const char *with)
{
        ck_assert_msg(strncmp(text, with, strlen(with)) == 0, "does not begin with %s: %s", with, text);
}

static void says(const char *text, const char *what)
{
        ck_assert_msg(strstr(text, what) != NULL, "does not say %s: %s", what, text);
}

static void is_silent(const char *text, const char *of)
{
        ck_assert_msg(strstr(text, of) == NULL, "says %s: %s", of, text);
}

START_TEST(what_is_in_use_is_not_called_clean)
{
        json_t *writer = process("app", 7, "write", "2026-11-21T03:15:02.000000Z", 0, "wal-write");
        char *text = text_of("clean", json_pack("[o]", writer), json_array(), false);
        begins(text, "IN USE  " PATH);
        is_silent(text, "CLEAN");
        free(text);
}
END_TEST

START_TEST(nobody_alive_leaves_the_verdict_alone)
{
        char *text = text_of("clean", json_array(), json_array(), false);
        begins(text, "NOT USED  " PATH);
        is_silent(text, "still alive");
        free(text);
}
END_TEST

START_TEST(a_bad_death_outranks_the_living)
{
        json_t *reader = process("app", 7, "read", NULL, 0, "wal-read-1");
        char *text = text_of("unclean", json_pack("[o]", reader), json_array(), false);
        begins(text, "UNCLEAN  " PATH);
        says(text, "still alive");
        free(text);
}
END_TEST

START_TEST(who_holds_what_since_when_is_said)
{
        json_t *writer = process("app", 7, "write", "2026-11-21T03:15:02.000000Z", 1, "wal-write");
        char *text = text_of("clean", json_pack("[o]", writer), json_array(), false);
        says(text, "app (pid 7) is in a write transaction since 2026-11-21T03:15:02.000000Z");
        says(text, "shared, wal-write");
        is_silent(text, "before the watch;");
        free(text);
}
END_TEST

START_TEST(a_transaction_older_than_the_watch_has_no_time)
{
        json_t *writer = process("app", 7, "checkpoint", NULL, 1, "wal-checkpoint");
        char *text = text_of("clean", json_pack("[o]", writer), json_array(), false);
        says(text, "app (pid 7) is in a checkpoint, begun before the watch");
        free(text);
}
END_TEST

START_TEST(what_is_not_durable_is_said_as_a_lower_bound)
{
        json_t *risk = json_pack("[{s:s, s:i, s:b}, {s:s, s:i, s:b}]", "file", "wal", "bytes", 8192, "volatile", 0,
                                 "file", "main", "bytes", 4096, "volatile", 1);
        char *text = text_of("clean", json_pack("[o]", process("app", 7, "none", NULL, 1, "dms")), risk, false);
        says(text, "at least 8 KiB of the wal file would be lost");
        says(text, "4 KiB of the main file (it is in memory");
        is_silent(text, "at least 4");
        says(text, "2 commits would be undone");
        free(text);
}
END_TEST

START_TEST(nothing_seen_at_risk_is_no_promise)
{
        char *text = text_of("clean", json_pack("[o]", process("app", 7, "none", NULL, 1, "dms")), json_array(),
                             false);
        says(text, "nothing that was written since the watch began");
        free(text);
}
END_TEST

START_TEST(the_idle_are_counted_and_the_worst_come_first)
{
        json_t *all = json_array();
        for (int i = 0; i < 9; i++)
                json_array_append_new(all, process("idle", 100 + i, "none", NULL, 0, "dms"));
        for (int i = 0; i < 9; i++)
                json_array_append_new(all, process("reader", 200 + i, "read", NULL, 0, "wal-read-1"));
        json_array_append_new(all, process("writer", 300, "write", NULL, 0, "wal-write"));
        char *text = text_of("clean", json_incref(all), json_array(), false);
        says(text, "19 processes");
        ck_assert(strstr(text, "writer (pid 300)") < strstr(text, "reader (pid 200)"));
        says(text, "and 5 in a read transaction");
        says(text, "and 9 in no transaction");
        is_silent(text, "pid 204");
        is_silent(text, "idle (");
        free(text);
        text = text_of("clean", all, json_array(), true);
        says(text, "idle (pid 108) is in no transaction; locks shared, dms");
        free(text);
}
END_TEST

SUITE("living", what_is_in_use_is_not_called_clean, nobody_alive_leaves_the_verdict_alone,
      a_bad_death_outranks_the_living, who_holds_what_since_when_is_said,
      a_transaction_older_than_the_watch_has_no_time, what_is_not_durable_is_said_as_a_lower_bound,
      nothing_seen_at_risk_is_no_promise, the_idle_are_counted_and_the_worst_come_first)
