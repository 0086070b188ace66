/* test_retain.c - what is old goes in small steps; nothing of an unresolved incident does. */
#include "suite.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#include "fixture.h"

#define DAY   (86400 * SECOND)
#define NOW   (T0 + 400 * DAY)
#define AGE   (30ull * 86400000)
#define YEAR  (365ull * 86400000)
#define LARGE (1ull << 40)

/* All steps there are. @return how many there were */
static int retain_all(struct store *s, int64_t now_ns, uint64_t bytes, unsigned rows)
{
        int n = 0, r;
        while ((r = store_retain(s, now_ns, AGE, YEAR, bytes, rows, 0)) > 0)
                ck_assert_int_lt(++n, 20000);
        ck_assert_int_eq(r, 0);
        return n;
}

static void add_minute(struct store *s, int64_t start_s, const struct vigil_hist *h)
{
        ck_assert_int_eq(store_add_summary(s, &(struct store_summary){.database = "app",
                                                                      .file = "wal",
                                                                      .process = "",
                                                                      .op = "sync",
                                                                      .start_s = start_s,
                                                                      .span_s = STORE_MINUTE_S,
                                                                      .count = 2,
                                                                      .bytes = 3,
                                                                      .errors = 1,
                                                                      .hist = h}),
                         0);
}

/* An incident that started at @p ns, with one row of everything that belongs to it. */
static void put_all_of(struct store *s, const char *id, const char *status, int64_t ns)
{
        char text[32];
        int64_t action;
        struct store_incident i = an_incident(id);
        i.status = status;
        i.started_ns = ns;
        i.resolved_ns = strcmp(status, "resolved") == 0 ? ns : 0;
        ck_assert_int_eq(store_put_incident(s, &i), 0);
        snprintf(text, sizeof(text), "c%s", id);
        ck_assert_int_eq(store_put_certificate(s, text, "app", id, "unclean", ns, NULL), 0);
        snprintf(text, sizeof(text), "f%s", id);
        ck_assert_int_eq(store_put_finding(s, text, "app", id, "unclean-death", "P1", ns, NULL), 0);
        ck_assert_int_eq(store_put_check(s, "app", id, "unclean", ns, NULL), 0);
        ck_assert_int_eq(store_begin_action(s, "check", "app", id, "unclean", ns, &action), 0);
        ck_assert_int_eq(store_end_action(s, action, "done", ns, NULL), 0);
}

static long long belongings(const char *id)
{
        char sql[512];
        snprintf(sql, sizeof(sql),
                 "SELECT (SELECT count(*) FROM alerts WHERE id='%s') + (SELECT count(*) FROM certificates WHERE "
                 "incident='%s')"
                 " + (SELECT count(*) FROM findings WHERE incident='%s') + (SELECT count(*) FROM checks WHERE "
                 "incident='%s')"
                 " + (SELECT count(*) FROM actions WHERE incident='%s')",
                 id, id, id, id, id);
        return shell_number(sql);
}

START_TEST(old_minutes_become_an_hour_with_the_same_sums)
{
        struct store *s = opened(NULL);
        struct vigil_hist h = {.count = 2, .sum_ns = 30, .max_ns = 20};
        h.bucket[5] = 2;
        int64_t hour = T0 / SECOND / 3600 * 3600;
        for (int i = 0; i < 120; i++)
                add_minute(s, hour + i * 60, &h);
        retain_all(s, (hour + 3600 + 48 * 3600) * SECOND, LARGE, 7);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM summaries WHERE span_s=60"), 60);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM summaries WHERE span_s=3600"), 1);
        char text[128];
        shell("SELECT count || ' ' || bytes || ' ' || errors || ' ' || sum_ns || ' ' || max_ns || ' ' || hex(hist)"
              " FROM summaries WHERE span_s=3600",
              text, sizeof(text));
        ck_assert_str_eq(text, "120 180 60 1800 20 0578000000");
        store_close(s);
}
END_TEST

START_TEST(what_is_older_than_its_age_goes_and_what_is_younger_stays)
{
        struct store *s = opened(NULL);
        for (int i = 0; i < 2; i++) {
                int64_t ns = i ? NOW - 29 * DAY : NOW - 31 * DAY, id;
                ck_assert_int_eq(store_put_event(s, "exit", "app", ns, NULL, NULL), 0);
                ck_assert_int_eq(store_put_metric(s, "error", 1, NULL, ns), 0);
                ck_assert_int_eq(store_put_certificate(s, i ? "c-new" : "c-old", "app", NULL, "clean", ns, NULL),
                                 0);
                ck_assert_int_eq(store_put_check(s, "app", NULL, "schedule", ns, NULL), 0);
                ck_assert_int_eq(store_begin_action(s, "check", "app", NULL, "schedule", ns, &id), 0);
                ck_assert_int_eq(store_end_action(s, id, "done", ns, NULL), 0);
                ck_assert_int_eq(store_begin_run(s, "boot", 1, "0.1.0", ns, &id), 0);
                add_minute(s, ns / SECOND, NULL);
                const struct store_baseline b = {.database = "app",
                                                 .file = "wal",
                                                 .op = i ? "sync" : "commit",
                                                 .updated_s = ns / SECOND,
                                                 .learned = "x",
                                                 .size = 1};
                ck_assert_int_eq(store_put_baseline(s, &b), 0);
        }
        retain_all(s, NOW, LARGE, 100);
        static const char *const tables[] = {"events",  "metrics", "certificates", "checks",
                                             "actions", "runs",    "summaries",    "baselines"};
        for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
                char sql[64];
                snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", tables[i]);
                ck_assert_msg(shell_number(sql) == 1, "%s", tables[i]);
        }
        ck_assert_int_eq(shell_number("SELECT count(*) FROM certificates WHERE id='c-new'"), 1);
        store_close(s);
}
END_TEST

START_TEST(an_open_incident_and_what_belongs_to_it_stay_however_old)
{
        struct store *s = opened(NULL);
        put_all_of(s, "i-1", "firing", T0 - 4000 * DAY);
        put_all_of(s, "i-2", "acknowledged", T0 - 3000 * DAY);
        put_all_of(s, "i-3", "resolved", NOW - 364 * DAY);
        put_all_of(s, "i-4", "resolved", NOW - 366 * DAY);
        retain_all(s, NOW, LARGE, 100);
        ck_assert_int_eq(belongings("i-1"), 5);
        ck_assert_int_eq(belongings("i-2"), 5);
        ck_assert_int_eq(belongings("i-3"), 5);
        ck_assert_int_eq(belongings("i-4"), 0);
        store_close(s);
}
END_TEST

START_TEST(an_intent_without_an_outcome_stays)
{
        struct store *s = opened(NULL);
        int64_t id;
        ck_assert_int_eq(store_begin_action(s, "check", "app", NULL, "schedule", T0, &id), 0);
        retain_all(s, NOW, LARGE, 100);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM actions"), 1);
        store_close(s);
}
END_TEST

START_TEST(one_step_removes_no_more_than_it_may)
{
        struct store *s = opened(NULL);
        for (int i = 0; i < 50; i++)
                ck_assert_int_eq(store_put_event(s, "exit", "app", T0, NULL, NULL), 0);
        ck_assert_int_eq(store_retain(s, NOW, AGE, YEAR, LARGE, 20, 0), 20);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM events"), 30);
        store_close(s);
}
END_TEST

START_TEST(a_store_that_is_too_large_gives_room_from_the_oldest_and_keeps_open_incidents)
{
        struct store *s = opened(NULL);
        const uint64_t limit = 600000;
        char big[1000];
        memset(big, 'x', sizeof(big) - 1);
        big[sizeof(big) - 1] = '\0';
        json_t *doc = json_pack("{s:s}", "text", big);
        put_all_of(s, "i-1", "firing", NOW - 2 * DAY);
        put_all_of(s, "i-2", "resolved", NOW - 2 * DAY + SECOND);
        ck_assert_int_eq(store_begin(s), 0);
        for (int i = 0; i < 3000; i++)
                ck_assert_int_eq(store_put_event(s, "exit", "app", NOW - DAY + i * SECOND, doc, NULL), 0);
        ck_assert_int_eq(store_commit(s), 0);
        json_decref(doc);
        ck_assert_uint_gt(store_bytes(s), 3000000);
        retain_all(s, NOW, limit, 100);
        ck_assert_uint_le(store_bytes(s), limit);
        ck_assert_int_gt(shell_number("SELECT count(*) FROM events"), 100);
        ck_assert_int_eq(shell_number("SELECT max(seq) FROM events"), 3000);
        ck_assert_int_eq(belongings("i-2"), 5);
        retain_all(s, NOW, 1, 100);
        ck_assert_int_eq(belongings("i-1"), 5);
        ck_assert_int_eq(belongings("i-2"), 0);
        char text[16];
        shell("PRAGMA quick_check", text, sizeof(text));
        ck_assert_str_eq(text, "ok");
        store_close(s);
}
END_TEST

START_TEST(where_room_is_needed_minutes_become_hours_before_anything_goes)
{
        struct store *s = opened(NULL);
        int64_t hour = T0 / SECOND / 3600 * 3600;
        for (int i = 0; i < 180; i++)
                add_minute(s, hour + i * 60, NULL);
        ck_assert_int_eq(store_put_event(s, "exit", "app", T0, NULL, NULL), 0);
        int64_t now_ns = (hour + 4 * 3600) * SECOND;
        ck_assert_int_eq(store_retain(s, now_ns, AGE, YEAR, 1, 120, 0), 121); /* and the free pages */
        ck_assert_int_eq(shell_number("SELECT count(*) FROM summaries WHERE span_s=3600"), 2);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM summaries WHERE span_s=60"), 60);
        ck_assert_int_eq(shell_number("SELECT sum(count) FROM summaries"), 360);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM events"), 1);
        store_close(s);
}
END_TEST

START_TEST(while_the_shell_holds_the_file_nothing_is_removed)
{
        struct store *s = opened(NULL);
        ck_assert_int_eq(store_put_event(s, "exit", "app", T0, NULL, NULL), 0);
        sqlite3 *db = other("BEGIN IMMEDIATE");
        ck_assert_int_eq(store_retain(s, NOW, AGE, YEAR, LARGE, 20, 0), -EBUSY);
        sqlite3_close(db);
        ck_assert_int_eq(store_retain(s, NOW, AGE, YEAR, LARGE, 20, 0), 1);
        store_close(s);
}
END_TEST

/* On a disk where each row costs seconds. */
START_TEST(a_step_that_takes_too_long_is_broken_off_and_nothing_of_it_is_done)
{
        struct store *s = opened(NULL);
        ck_assert_int_eq(store_put_event(s, "exit", "app", T0, NULL, NULL), 0);
        ck_assert_int_eq(store_put_metric(s, "error", 1, NULL, T0), 0);
        shell("CREATE VIEW endless AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT "
              "count(*) AS n FROM c",
              NULL, 0);
        shell("CREATE TRIGGER slow AFTER DELETE ON events BEGIN UPDATE metrics SET type=(SELECT n FROM endless); "
              "END",
              NULL, 0);
        ck_assert_int_eq(store_retain(s, NOW, AGE, YEAR, LARGE, 20, 50), -ETIME);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM metrics"), 1);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM events"), 1);
        shell("DROP TRIGGER slow", NULL, 0);
        ck_assert_int_eq(store_retain(s, NOW, AGE, YEAR, LARGE, 20, 60000), 2);
        store_close(s);
}
END_TEST

SUITE("retention", old_minutes_become_an_hour_with_the_same_sums,
      what_is_older_than_its_age_goes_and_what_is_younger_stays,
      an_open_incident_and_what_belongs_to_it_stay_however_old, an_intent_without_an_outcome_stays,
      one_step_removes_no_more_than_it_may,
      a_store_that_is_too_large_gives_room_from_the_oldest_and_keeps_open_incidents,
      where_room_is_needed_minutes_become_hours_before_anything_goes,
      while_the_shell_holds_the_file_nothing_is_removed,
      a_step_that_takes_too_long_is_broken_off_and_nothing_of_it_is_done)
