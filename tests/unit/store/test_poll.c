/* test_poll.c - what an operator sets in the shell is told once, and never overwritten before. */
#include "suite.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#include "fixture.h"

struct told {
        struct store *s;
        int n;
        char id[16], status[16];
        int64_t at_ns;
};

static void note(void *userdata, const char *id, const char *status, int64_t at_ns)
{
        struct told *t = userdata;
        t->n++;
        snprintf(t->id, sizeof(t->id), "%s", id);
        snprintf(t->status, sizeof(t->status), "%s", status);
        t->at_ns = at_ns;
        ck_assert_int_eq(store_take_over_alert(t->s, id, status, at_ns), 0);
}

static struct told poll_of(struct store *s)
{
        struct told t = {.s = s};
        int n = store_poll_alerts(s, note, &t);
        ck_assert_int_eq(n, t.n);
        return t;
}

#define RESOLVE     "UPDATE alerts SET status='resolved', resolved_at='2026-11-21 12:00:00' WHERE id='i-1'"
#define RESOLVED_NS (1795262400 * SECOND)

START_TEST(what_vigil_writes_itself_is_not_told)
{
        struct store *s = opened(NULL);
        put_incident(s, "i-1", "firing");
        put_incident(s, "i-1", "resolved");
        ck_assert_int_eq(poll_of(s).n, 0);
        store_close(s);
}
END_TEST

START_TEST(a_resolution_in_the_shell_is_told_once_with_its_time)
{
        struct store *s = opened(NULL);
        put_incident(s, "i-1", "firing");
        put_incident(s, "i-2", "firing");
        ck_assert_int_eq(poll_of(s).n, 0);
        shell(RESOLVE, NULL, 0);
        struct told t = poll_of(s);
        ck_assert_int_eq(t.n, 1);
        ck_assert_str_eq(t.id, "i-1");
        ck_assert_str_eq(t.status, "resolved");
        ck_assert_int_eq(t.at_ns, RESOLVED_NS);
        ck_assert_int_eq(poll_of(s).n, 0);
        json_t *d;
        const json_t *i = incident_of(s, "i-1", &d);
        ck_assert_str_eq(json_string_value(json_object_get(i, "resolved_at")), "2026-11-21T12:00:00.000000Z");
        ck_assert_str_eq(json_string_value(json_object_get(i, "resolved_by")), "shell");
        json_decref(d);
        store_close(s);
}
END_TEST

START_TEST(a_resolution_is_shown_before_it_is_told)
{
        struct store *s = opened(NULL);
        put_incident(s, "i-1", "firing");
        shell(RESOLVE, NULL, 0);
        json_t *d;
        const json_t *i = incident_of(s, "i-1", &d);
        ck_assert_str_eq(json_string_value(json_object_get(i, "status")), "resolved");
        ck_assert_str_eq(json_string_value(json_object_get(i, "resolved_at")), "2026-11-21T12:00:00.000000Z");
        json_decref(d);
        store_close(s);
}
END_TEST

START_TEST(a_row_that_vigil_puts_does_not_undo_what_the_operator_did)
{
        struct store *s = opened(NULL);
        put_incident(s, "i-1", "firing");
        shell(RESOLVE, NULL, 0);
        put_incident(s, "i-1", "acknowledged");
        char text[64];
        shell("SELECT status || ' ' || resolved_at FROM alerts", text, sizeof(text));
        ck_assert_str_eq(text, "resolved 2026-11-21 12:00:00");
        ck_assert_str_eq(poll_of(s).status, "resolved");
        store_close(s);
}
END_TEST

START_TEST(a_resolution_without_a_time_happened_just_now)
{
        struct store *s = opened(NULL);
        put_incident(s, "i-1", "firing");
        shell("UPDATE alerts SET status='resolved'", NULL, 0);
        ck_assert_int_gt(poll_of(s).at_ns, 0);
        ck_assert_int_eq(shell_number("SELECT resolved_ns > 0 AND resolved_at IS NOT NULL FROM alerts"), 1);
        store_close(s);
}
END_TEST

START_TEST(an_incident_that_is_opened_again_in_the_shell_is_open_in_every_column)
{
        struct store *s = opened(NULL);
        put_incident(s, "i-1", "resolved");
        shell("UPDATE alerts SET status='firing'", NULL, 0);
        ck_assert_str_eq(poll_of(s).status, "firing");
        ck_assert_int_eq(
                shell_number(
                        "SELECT resolved_ns IS NULL AND resolved_at IS NULL AND resolved_by IS NULL FROM alerts"),
                1);
        store_close(s);
}
END_TEST

START_TEST(what_was_done_while_nobody_ran_is_told_after_the_start)
{
        struct store *s = opened(NULL);
        put_incident(s, "i-1", "firing");
        store_close(s);
        shell(RESOLVE, NULL, 0);
        s = opened(NULL);
        ck_assert_int_eq(poll_of(s).n, 1);
        store_close(s);
}
END_TEST

START_TEST(more_changes_than_one_call_takes_come_with_the_next)
{
        struct store *s = opened(NULL);
        ck_assert_int_eq(store_begin(s), 0);
        for (int i = 0; i < 300; i++) {
                char id[16];
                snprintf(id, sizeof(id), "i-%d", i);
                struct store_incident x = an_incident(id);
                ck_assert_int_eq(store_put_incident(s, &x), 0);
        }
        ck_assert_int_eq(store_commit(s), 0);
        shell("UPDATE alerts SET status='resolved', resolved_at=datetime('now')", NULL, 0);
        ck_assert_int_eq(poll_of(s).n, 256);
        ck_assert_int_eq(poll_of(s).n, 44);
        ck_assert_int_eq(poll_of(s).n, 0);
        store_close(s);
}
END_TEST

static void only_count(void *userdata, const char *id, const char *status, int64_t at_ns)
{
        (void)id, (void)status, (void)at_ns;
        ++*(int *)userdata;
}

START_TEST(what_was_told_and_not_taken_over_is_told_again_by_the_next_connection)
{
        struct store *s = opened(NULL);
        put_incident(s, "i-1", "firing");
        shell(RESOLVE, NULL, 0);
        sqlite3 *db = other("BEGIN IMMEDIATE");
        int n = 0;
        ck_assert_int_eq(store_poll_alerts(s, only_count, &n), 1);
        ck_assert_int_eq(store_take_over_alert(s, "i-1", "resolved", RESOLVED_NS), -EBUSY);
        sqlite3_close(db);
        ck_assert_int_eq(store_poll_alerts(s, only_count, &n), 0);
        store_close(s);
        s = opened(NULL);
        ck_assert_int_eq(poll_of(s).n, 1);
        ck_assert_int_eq(n, 1);
        store_close(s);
}
END_TEST

START_TEST(a_status_that_has_changed_again_is_not_taken_over)
{
        struct store *s = opened(NULL);
        put_incident(s, "i-1", "firing");
        shell("UPDATE alerts SET status='acknowledged'", NULL, 0);
        int n = 0;
        ck_assert_int_eq(store_poll_alerts(s, only_count, &n), 1);
        shell(RESOLVE, NULL, 0);
        ck_assert_int_eq(store_take_over_alert(s, "i-1", "acknowledged", RESOLVED_NS), 0);
        ck_assert_str_eq(poll_of(s).status, "resolved");
        store_close(s);
}
END_TEST

static void put_as(struct store *s, const char *severity)
{
        const struct store_incident i = {.id = "i-1",
                                         .code = "c",
                                         .severity = severity,
                                         .status = "firing",
                                         .summary = "s",
                                         .started_ns = RESOLVED_NS};
        ck_assert_int_eq(store_put_incident(s, &i), 0);
}

START_TEST(what_was_acknowledged_in_the_shell_before_it_became_worse_is_not)
{
        static const char ack[] = "UPDATE alerts SET status='acknowledged', acknowledged_at=datetime('now')";
        struct store *s = opened(NULL);
        char text[64];
        put_as(s, "P2");
        shell(ack, NULL, 0);
        put_as(s, "P2");
        shell("SELECT status FROM alerts", text, sizeof(text));
        ck_assert_str_eq(text, "acknowledged");
        put_as(s, "P0");
        shell("SELECT status || ' ' || (acknowledged_at IS NULL) FROM alerts", text, sizeof(text));
        ck_assert_str_eq(text, "firing 1");
        int n = 0;
        ck_assert_int_eq(store_poll_alerts(s, only_count, &n), 0);
        shell(RESOLVE, NULL, 0); /* he who resolves it says that it is over */
        put_as(s, "P0");
        ck_assert_str_eq(poll_of(s).status, "resolved");
        store_close(s);
}
END_TEST

SUITE("changes from the shell", what_vigil_writes_itself_is_not_told,
      a_resolution_in_the_shell_is_told_once_with_its_time, a_resolution_is_shown_before_it_is_told,
      a_row_that_vigil_puts_does_not_undo_what_the_operator_did, a_resolution_without_a_time_happened_just_now,
      what_was_acknowledged_in_the_shell_before_it_became_worse_is_not,
      an_incident_that_is_opened_again_in_the_shell_is_open_in_every_column,
      what_was_done_while_nobody_ran_is_told_after_the_start, more_changes_than_one_call_takes_come_with_the_next,
      what_was_told_and_not_taken_over_is_told_again_by_the_next_connection,
      a_status_that_has_changed_again_is_not_taken_over)
