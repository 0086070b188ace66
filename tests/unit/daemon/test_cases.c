/* test_cases.c - what of an incident outlives the daemon. */
#include "daemon/cases.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cases_fixture.h"
#include "daemon/work.h"
#include "suite.h"

static struct daemon *d;
static char id[DETECT_ID_LEN];

/* A finding about @p name, of the incident of this test if there is one. */
static struct incident *find_dead(const char *name)
{
        char its_name[32], path[64];
        struct guard g = {.name = its_name, .path = path};

        snprintf(its_name, sizeof(its_name), "%s", name);
        snprintf(path, sizeof(path), "/srv/%s.db", name);
        struct incident *i = case_raise_in(d, "unclean-death", &g, "it died", NULL, *id ? id : NULL);
        ck_assert_ptr_nonnull(i);
        strcpy(id, i->id);
        return i;
}

static struct incident *restart(void)
{
        cases_end(d);
        d = cases_begin();
        struct incident *i = incidents_find(d->incidents, id);
        ck_assert_ptr_nonnull(i);
        return i;
}

START_TEST(an_incident_of_several_databases_keeps_all_of_them)
{
        d = cases_begin();
        find_dead("a");
        find_dead("b");
        int64_t since = work_oldest_open(d, "b");
        ck_assert_int_ne(since, 0);
        struct incident *i = restart();
        ck_assert_uint_eq(i->ndatabases, 2);
        ck_assert_str_eq(i->databases[0].name, "a");
        ck_assert_str_eq(i->databases[0].path, "/srv/a.db");
        ck_assert_str_eq(i->databases[1].name, "b");
        ck_assert_int_eq(work_oldest_open(d, "b"), since);
        ck_assert_int_eq(work_oldest_open(d, "c"), 0);
        /* What is stored of it next is not less. */
        find_dead("a");
        i = restart();
        ck_assert_uint_eq(i->ndatabases, 2);
        cases_end(d);
}
END_TEST

START_TEST(of_an_incident_of_more_databases_than_are_listed_each_may_be_one)
{
        char name[16];

        d = cases_begin();
        for (unsigned n = 0; n <= INCIDENT_MAX_DATABASES; n++) {
                snprintf(name, sizeof(name), "db%u", n);
                find_dead(name);
        }
        struct incident *i = restart();
        ck_assert_uint_eq(i->ndatabases, INCIDENT_MAX_DATABASES);
        ck_assert(i->more_databases);
        ck_assert_int_ne(work_oldest_open(d, name), 0);
        cases_end(d);
}
END_TEST

START_TEST(a_name_that_cannot_be_stored_as_it_is_may_be_any)
{
        d = cases_begin();
        find_dead("a");
        find_dead("glob/\xff");
        struct incident *i = restart();
        ck_assert_uint_eq(i->ndatabases, 1);
        ck_assert_int_ne(work_oldest_open(d, "glob/\xff"), 0);
        cases_end(d);
}
END_TEST

/* A death of program 5 on "app", now. */
static struct incident *die(uint32_t tgid)
{
        char finding[DETECT_ID_LEN];
        uint64_t now = clock_boottime_ns();

        snprintf(finding, sizeof(finding), "f-%016u", tgid);
        const struct incident_finding f = {.id = finding,
                                           .code = "unclean-death",
                                           .severity = SEVERITY_P1,
                                           .database = "app",
                                           .path = "/srv/app.db",
                                           .ns = now,
                                           .at_ns = daemon_realtime(now),
                                           .certificate = "c-0000000000000001",
                                           .detail = "it died",
                                           .cause = {.died = {.tgid = tgid, .start_ns = now - 1}, .program = 5}};
        struct incident *i = case_add(d, &f, json_object());
        ck_assert_ptr_nonnull(i);
        strcpy(id, i->id);
        return i;
}

static void with_loop(uint64_t ms)
{
        d->config->limits.crash_loop_ms = ms;
}

START_TEST(a_program_that_dies_before_and_after_a_restart_is_one_incident)
{
        d = cases_begin();
        with_loop(600000);
        int64_t first = die(1)->deaths_last_ns;
        struct incident *i = restart();
        /* A thousandth of a second or less is lost on the way. */
        ck_assert_int_lt(first - i->deaths_last_ns, 1000000);
        ck_assert_ptr_eq(die(2), i);
        ck_assert_uint_eq(i->deaths, 2);
        cases_end(d);
}
END_TEST

/* The next opener had recovered the database in between. */
START_TEST(so_it_is_when_the_first_had_ended_by_itself)
{
        d = cases_begin();
        with_loop(600000);
        case_fulfil(d, die(1), ENDS_BY_RECOVERY, "recovery", NULL);
        struct incident *i = restart();
        ck_assert_int_eq(i->status, INCIDENT_RESOLVED);
        ck_assert_str_eq(i->resolved_by, "recovery");
        ck_assert_ptr_eq(die(2), i);
        ck_assert_int_eq(i->status, INCIDENT_FIRING);
        ck_assert_uint_eq(i->deaths, 2);
        cases_end(d);
}
END_TEST

START_TEST(what_was_resolved_by_hand_or_long_ago_does_not_come_back)
{
        d = cases_begin();
        with_loop(600000);
        die(1);
        ck_assert_int_eq(case_resolve(d, id, "operator"), 0);
        cases_end(d);
        d = cases_begin();
        ck_assert_ptr_null(incidents_find(d->incidents, id));
        case_fulfil(d, die(2), ENDS_BY_RECOVERY, "recovery", NULL);
        with_loop(1);
        cases_end(d);
        d = cases_begin();
        ck_assert_ptr_null(incidents_find(d->incidents, id));
        with_loop(600000);
        cases_end(d);
        d = cases_begin();
        ck_assert_ptr_nonnull(incidents_find(d->incidents, id));
        cases_end(d);
}
END_TEST

/* What is stored in `alerts` and `events`, joined by blanks. */
static const char *stored(const char *sql)
{
        static char text[512];
        char path[128];
        sqlite3 *db;
        sqlite3_stmt *row;

        ck_assert(keeper_flush(d->keeper, 20000));
        snprintf(path, sizeof(path), "%s/vigil.db", cases_directory());
        ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
        ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
        ck_assert_int_eq(sqlite3_step(row), SQLITE_ROW);
        snprintf(text, sizeof(text), "%s", (const char *)sqlite3_column_text(row, 0));
        sqlite3_finalize(row);
        sqlite3_close(db);
        return text;
}

static const char status[] = "SELECT severity || ' ' || status FROM alerts";

/* One more finding of this test's incident. */
static struct incident *add_finding(const char *code, enum severity severity)
{
        struct incident *i = case_raise_as(d, code, severity, cases_guard(), "it is so", NULL, *id ? id : NULL);
        ck_assert_ptr_nonnull(i);
        strcpy(id, i->id);
        return i;
}

START_TEST(what_was_acknowledged_fires_again_when_something_worse_joins_it_and_outlives_a_restart)
{
        static const char told[] = "SELECT json_extract(doc, '$.detail') FROM events WHERE "
                                   "json_extract(doc, '$.what')='reopened'";
        static const char before[] = "SELECT json_extract(doc, '$.reopened.acknowledged_by') || ' ' || "
                                     "json_extract(doc, '$.reopened.acknowledged_severity') FROM alerts";
        static const char none[] = "SELECT count(*) FROM events WHERE json_extract(doc, '$.what')='reopened'";

        d = cases_begin();
        add_finding("abrupt-death", SEVERITY_P2);
        ck_assert_int_eq(case_acknowledge(d, id, "operator"), 0);
        add_finding("killed-in-sync", SEVERITY_P2);
        add_finding("backup-stale", SEVERITY_P3);
        ck_assert_str_eq(stored(status), "P2 acknowledged");
        ck_assert_int_eq(restart()->status, INCIDENT_ACKNOWLEDGED);
        add_finding("killed-in-sync", SEVERITY_P2);
        ck_assert_str_eq(stored(status), "P2 acknowledged");
        ck_assert_str_eq(stored(none), "0");

        add_finding("no-journal", SEVERITY_P0);
        ck_assert_str_eq(stored(status), "P0 firing");
        ck_assert_str_eq(stored(told), "was acknowledged by operator at P2; now P0: it is so");
        ck_assert_str_eq(stored(before), "operator P2");
        ck_assert_int_eq(restart()->status, INCIDENT_FIRING);
        ck_assert_str_eq(stored(before), "operator P2");

        ck_assert_int_eq(case_acknowledge(d, id, "operator"), 0);
        add_finding("no-journal", SEVERITY_P0);
        ck_assert_int_eq(restart()->status, INCIDENT_ACKNOWLEDGED);
        ck_assert_str_eq(stored("SELECT json_extract(doc, '$.acknowledged_by') || ' ' || (json_extract(doc, "
                                "'$.reopened') IS NULL) FROM alerts"),
                         "operator 1");
        ck_assert_str_eq(stored(none), "1");
        cases_end(d);
}
END_TEST

START_TEST(an_acknowledgement_that_is_taken_back_in_the_shell_is_none)
{
        char path[128];
        sqlite3 *db;

        d = cases_begin();
        struct incident *i = add_finding("abrupt-death", SEVERITY_P2);
        ck_assert_int_eq(case_acknowledge(d, id, "operator"), 0);
        ck_assert_str_eq(stored(status), "P2 acknowledged");
        snprintf(path, sizeof(path), "%s/vigil.db", cases_directory());
        ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
        ck_assert_int_eq(sqlite3_exec(db, "UPDATE alerts SET status='firing'", NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        cases_turn(d);
        ck_assert_int_eq(i->status, INCIDENT_FIRING);
        add_finding("abrupt-death", SEVERITY_P2);
        ck_assert_str_eq(stored(status), "P2 firing");
        cases_end(d);
}
END_TEST

/* A second code joined later; the first is over by then. */
START_TEST(after_a_restart_all_codes_of_an_incident_are_known_and_how_far_it_may_be_trusted)
{
        d = cases_begin();
        strcpy(id, case_raise_doubtful(d, "lock-deadlock", SEVERITY_P2, cases_guard(), "a ring", NULL, NULL,
                                       "events-lost")
                           ->id);
        add_finding("job-blocked", SEVERITY_P1);
        cases_over(d, "lock-deadlock", "app", "over");
        struct incident *i = restart();
        ck_assert(trust_has(&i->trust, "events-lost"));
        ck_assert_ptr_eq(case_raise(d, "job-blocked", cases_guard(), "still", NULL), i);
        ck_assert_str_eq(stored("SELECT json_extract(doc, '$.trust.level') FROM alerts"), "partial");
        i = restart();
        cases_over(d, "job-blocked", "app", "over");
        ck_assert_int_eq(i->status, INCIDENT_RESOLVED);
        cases_end(d);
}
END_TEST

START_TEST(a_sentence_says_when_it_was_told_however_long_it_is)
{
        char told[DETECT_DETAIL_LEN], words[2 * DETECT_DETAIL_LEN];

        case_as_of(told, "it has waited for 3 s");
        ck_assert_ptr_eq(strstr(told, "it has waited for 3 s (as of "), told);
        ck_assert_str_eq(told + strlen(told) - 2, "Z)");
        memset(words, 'x', sizeof(words));
        words[sizeof(words) - 1] = '\0';
        case_as_of(told, words);
        ck_assert_uint_eq(strlen(told), DETECT_DETAIL_LEN - 1);
        ck_assert_str_eq(told + strlen(told) - 2, "Z)");
}
END_TEST

SUITE("cases", after_a_restart_all_codes_of_an_incident_are_known_and_how_far_it_may_be_trusted,
      what_was_acknowledged_fires_again_when_something_worse_joins_it_and_outlives_a_restart,
      an_acknowledgement_that_is_taken_back_in_the_shell_is_none,
      an_incident_of_several_databases_keeps_all_of_them,
      of_an_incident_of_more_databases_than_are_listed_each_may_be_one,
      a_name_that_cannot_be_stored_as_it_is_may_be_any,
      a_program_that_dies_before_and_after_a_restart_is_one_incident, so_it_is_when_the_first_had_ended_by_itself,
      what_was_resolved_by_hand_or_long_ago_does_not_come_back, a_sentence_says_when_it_was_told_however_long_it_is)
