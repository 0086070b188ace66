/* test_events.c - events come out in their order, once each; metrics are for the shell. */
#include "suite.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "fixture.h"

static void put_events(struct store *s, int n)
{
        for (int i = 1; i <= n; i++) {
                json_t *doc = json_pack("{s:s, s:i}", "type", "exit", "n", i);
                int64_t seq = 0;
                ck_assert_int_eq(store_put_event(s, "exit", i % 2 ? "a" : "b", T0 + i * SECOND, doc, &seq), 0);
                ck_assert_int_eq(seq, i);
                json_decref(doc);
        }
}

struct seen {
        int n, stop_at;
        int64_t last;
        char line[128];
};

static int see(void *userdata, int64_t seq, const char *line)
{
        struct seen *t = userdata;
        ck_assert_int_gt(seq, t->last);
        t->last = seq;
        snprintf(t->line, sizeof(t->line), "%s", line);
        return ++t->n == t->stop_at ? 7 : 0;
}

START_TEST(a_reader_goes_on_where_it_stopped)
{
        struct store *s = opened(NULL);
        struct seen t = {0};
        put_events(s, 10);
        ck_assert_int_eq(store_events(s, &(struct store_query){.limit = 4}, 0, see, &t), 0);
        ck_assert_int_eq(t.n, 4);
        ck_assert_int_eq(store_events(s, &(struct store_query){0}, t.last, see, &t), 0);
        ck_assert_int_eq(t.n, 10);
        ck_assert_str_eq(t.line, "{\"type\":\"exit\",\"n\":10}");
        store_close(s);
}
END_TEST

START_TEST(events_are_asked_for_by_time_and_database)
{
        struct store *s = opened(NULL);
        struct seen t = {0};
        put_events(s, 10);
        struct store_query q = {.since_ns = T0 + 3 * SECOND, .until_ns = T0 + 9 * SECOND, .database = "a"};
        ck_assert_int_eq(store_events(s, &q, 0, see, &t), 0);
        ck_assert_int_eq(t.n, 3);
        t = (struct seen){0};
        ck_assert_int_eq(store_events(s, &q, 5, see, &t), 0);
        ck_assert_int_eq(t.n, 1);
        store_close(s);
}
END_TEST

START_TEST(a_reader_that_has_enough_ends_it)
{
        struct store *s = opened(NULL);
        struct seen t = {.stop_at = 2};
        put_events(s, 5);
        ck_assert_int_eq(store_events(s, &(struct store_query){0}, 0, see, &t), 7);
        ck_assert_int_eq(t.n, 2);
        put_incident(s, "i-1", "firing");
        store_close(s);
}
END_TEST

START_TEST(a_metric_has_its_labels_and_the_time_that_the_runbooks_compare_with)
{
        struct store *s = opened(NULL);
        json_t *labels = json_pack("{s:s, s:s}", "operation", "sync", "error", "EIO");
        char text[128];
        ck_assert_int_eq(store_put_metric(s, "error", 1, labels, T0), 0);
        ck_assert_int_eq(store_put_metric(s, "lag", 0.5, NULL, T0), 0);
        json_decref(labels);
        shell("SELECT json_extract(labels_json, '$.error') || ' ' || recorded_at FROM metrics WHERE type='error'",
              text, sizeof(text));
        ck_assert_str_eq(text, "EIO 2026-11-21 11:20:00");
        ck_assert_int_eq(
                shell_number("SELECT count(*) FROM metrics WHERE recorded_at >= datetime('2026-11-21 11:20:00')"),
                2);
        ck_assert_int_eq(store_put_metric(s, "lag", (double)NAN, NULL, T0), -EINVAL);
        store_close(s);
}
END_TEST

SUITE("events and metrics", a_reader_goes_on_where_it_stopped, events_are_asked_for_by_time_and_database,
      a_reader_that_has_enough_ends_it, a_metric_has_its_labels_and_the_time_that_the_runbooks_compare_with)
