/* test_operator.c - the documents of the daemon as text. What a whole one looks like: tests/e2e/operators.bats. */
#include "report/operator.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "suite.h"

static char *text;

static const char *show(json_t *document, bool verbose)
{
        static size_t size;
        const struct report_style style = {.verbose = verbose};
        free(text);
        FILE *out = open_memstream(&text, &size);
        ck_assert_int_eq(operator_text(document, 1795230902000000000, &style, out), 0);
        fclose(out);
        json_decref(document);
        return text;
}

START_TEST(an_unknown_document_is_refused)
{
        json_t *o = json_pack("{s:s}", "schema", "vigil.other/1");
        const struct report_style style = {0};
        ck_assert_int_eq(operator_text(o, 0, &style, stdout), -EINVAL);
        json_decref(o);
}
END_TEST

static json_t *incident(const char *severity, const char *status, const char *code)
{
        return json_pack("{s:s, s:s, s:s, s:s}", "severity", severity, "status", status, "code", code, "summary",
                         "s");
}

START_TEST(what_fires_comes_before_what_is_acknowledged_whatever_its_severity)
{
        show(json_pack("{s:s, s:[o, o, o]}", "schema", "vigil.incidents/1", "incidents",
                       incident("P0", "acknowledged", "second"), incident("P3", "firing", "first"),
                       incident("P0", "resolved", "third")),
             false);
        ck_assert_ptr_eq(strstr(text, "1 firing, 1 acknowledged, 1 resolved\n"), text);
        ck_assert(strstr(text, "first") < strstr(text, "second"));
        ck_assert(strstr(text, "second") < strstr(text, "third"));
}
END_TEST

START_TEST(of_what_has_no_data_to_be_checked_no_check_is_missing)
{
        json_t *knot = incident("P1", "resolved", "lock-deadlock"),
               *death = incident("P1", "firing", "unclean-death");

        json_object_set_new(knot, "resolved_by", json_string("over"));
        json_object_set_new(knot, "integrity", json_pack("{s:s}", "result", "skipped"));
        json_object_set_new(death, "backup_skipped", json_string("the policy wants none"));
        show(json_pack("{s:s, s:[o]}", "schema", "vigil.incidents/1", "incidents", knot), true);
        ck_assert_ptr_null(strstr(text, "skipped"));
        ck_assert_ptr_null(strstr(text, "no backup"));
        ck_assert_ptr_nonnull(strstr(text, "ago; what it told of is no longer so"));
        show(json_pack("{s:s, s:[o]}", "schema", "vigil.incidents/1", "incidents", death), false);
        ck_assert_ptr_nonnull(strstr(text, "check skipped; no backup"));
}
END_TEST

START_TEST(one_that_fires_again_says_who_had_acknowledged_what)
{
        json_t *o = incident("P0", "firing", "no-journal");
        json_object_set_new(o, "reopened",
                            json_pack("{s:s, s:s, s:s, s:s}", "at", "2026-11-21T03:15:02.000000Z",
                                      "acknowledged_at", "2026-11-21T03:00:00.000000Z", "acknowledged_severity",
                                      "P2", "acknowledged_by", "operator"));
        show(json_pack("{s:s, s:[o, o]}", "schema", "vigil.incidents/1", "incidents", o,
                       incident("P0", "firing", "other")),
             false);
        const char *found = strstr(text,
                                   "fired again at 2026-11-21T03:15:02Z: it had been acknowledged by operator");
        ck_assert_ptr_nonnull(found);
        ck_assert_ptr_nonnull(strstr(found, "2026-11-21T03:00:00Z as P2"));
        ck_assert_ptr_null(strstr(found + 1, "fired again"));
}
END_TEST

/* A crash loop: whole, and firing because the program may die again. */
static json_t *loop(const char *owed)
{
        json_t *o = incident("P1", "firing", "unclean-death");
        json_object_update_new(o, json_pack("{s:{s:i}, s:{s:s, s:s, s:s}, s:[s, s]}", "deaths", "count", 2,
                                            "resolution", "by", "recovery", "sign", "committed-again", "seen_at",
                                            "2026-11-21T03:15:02.000000Z", "ends_by", "quiet", owed));
        return o;
}

START_TEST(a_loop_whose_database_is_whole_says_so)
{
        show(json_pack("{s:s, s:[o]}", "schema", "vigil.incidents/1", "incidents", loop("actions")), false);
        ck_assert_ptr_nonnull(strstr(text, "the database has been recovered since"));
        show(json_pack("{s:s, s:[o]}", "schema", "vigil.incidents/1", "incidents", loop("recovery")), false);
        ck_assert_ptr_null(strstr(text, "recovered"));
        show(json_pack("{s:s, s:[o], s:[]}", "schema", "vigil.incidents/1", "incidents", loop("actions"),
                       "finding_details"),
             false);
        ck_assert_ptr_nonnull(strstr(text, "2026-11-21T03:15:02Z: committed-again"));
        ck_assert_ptr_nonnull(strstr(text, "the program has not died again for ten minutes"));
}
END_TEST

START_TEST(nobody_is_said_to_have_recovered_what_was_not)
{
        json_t *o = incident("P1", "resolved", "unclean-death");
        json_object_update_new(o, json_pack("{s:s, s:{s:s, s:s, s:s}, s:[]}", "resolved_by", "recovery",
                                            "resolution", "by", "recovery", "sign", "opened-without-recovery",
                                            "seen_at", "2026-11-21T03:15:02.000000Z", "ends_by"));
        show(json_pack("{s:s, s:[o]}", "schema", "vigil.incidents/1", "incidents", o), false);
        ck_assert_ptr_nonnull(strstr(text, "ago; there was nothing to recover"));
        ck_assert_ptr_null(strstr(text, "recovered"));

        o = incident("P1", "firing", "unclean-death");
        json_object_update_new(o, json_pack("{s:{s:s, s:s, s:{s:i, s:s}}, s:[s]}", "read_only_since", "database",
                                            "app", "seen_at", "2026-11-21T03:15:02.000000Z", "process", "pid", 77,
                                            "comm", "sqlite3", "ends_by", "recovery"));
        show(json_pack("{s:s, s:[O]}", "schema", "vigil.incidents/1", "incidents", o), false);
        ck_assert_ptr_nonnull(strstr(text, "; opened since by a reader that could recover nothing"));
        show(json_pack("{s:s, s:[o], s:[]}", "schema", "vigil.incidents/1", "incidents", o, "finding_details"),
             false);
        ck_assert_ptr_nonnull(strstr(text, "not recovered"));
        ck_assert_ptr_nonnull(strstr(text, "(2026-11-21T03:15:02Z: sqlite3, pid 77)"));
}
END_TEST

/* An incident of that status, and its death with what was foretold then. */
static void show_foretold(const char *status, bool recovered)
{
        json_t *c = json_pack("{s:s, s:s, s:b}", "verdict", "unclean", "prediction", "next open rolls back",
                              "recovered", recovered);
        show(json_pack("{s:s, s:[o], s:[], s:[o]}", "schema", "vigil.incidents/1", "incidents",
                       incident("P1", status, "unclean-death"), "finding_details", "certificate_details", c),
             false);
}

START_TEST(what_was_foretold_is_not_to_come_when_it_is_over)
{
        show_foretold("firing", false);
        ck_assert_ptr_nonnull(strstr(text, "  next            next open rolls back\n"));
        show_foretold("resolved", false);
        ck_assert_ptr_nonnull(strstr(text, "  at the death    next open rolls back\n"));
        show_foretold("firing", true);
        ck_assert_ptr_nonnull(strstr(text, "  at the death    next open rolls back\n"));
}
END_TEST

START_TEST(what_ends_an_orphaned_job_is_named)
{
        static const char *const codes[] = {"job-orphaned", "lock-convoy"};
        static const char *const texts[] = {"ends when       no row says any more that a job runs",
                                            "ends when       it is seen to be over"};
        for (size_t i = 0; i < 2; i++) {
                json_t *o = incident("P1", "firing", codes[i]);
                json_object_update_new(o, json_pack("{s:[s]}", "ends_by", "over"));
                show(json_pack("{s:s, s:[o], s:[]}", "schema", "vigil.incidents/1", "incidents", o,
                               "finding_details"),
                     false);
                ck_assert_ptr_nonnull(strstr(text, texts[i]));
        }
}
END_TEST

/* Checked at @p checked, copied at @p copied, and the last death at 03:15:02. */
static json_t *checked_and_copied(const char *checked, const char *copied)
{
        json_t *o = incident("P1", "firing", "unclean-death");
        json_object_update_new(o, json_pack("{s:s, s:{s:s, s:s}, s:{s:s, s:b, s:s}}", "last_death_at",
                                            "2026-11-21T03:15:02.000000Z", "integrity", "result", "ok", "at",
                                            checked, "backup", "id", "b-1", "verified", 1, "at", copied));
        return o;
}

START_TEST(what_is_older_than_the_last_death_is_said_to_be_and_what_is_due)
{
        static const char before[] = "2026-11-21T03:15:01.999999Z", after[] = "2026-11-21T03:15:02.000001Z";
        json_t *o = checked_and_copied(before, after);
        json_object_set_new(o, "due",
                            json_pack("[{s:s, s:s, s:s}]", "action", "check", "database", "a", "since",
                                      "2026-11-21T03:15:03.000000Z"));
        show(json_pack("{s:s, s:[O]}", "schema", "vigil.incidents/1", "incidents", o), false);
        ck_assert_ptr_nonnull(
                strstr(text, "check ok, before the last death, a new one is due; backup verified: b-1\n"));
        show(json_pack("{s:s, s:[o], s:[]}", "schema", "vigil.incidents/1", "incidents", o, "finding_details"),
             false);
        ck_assert_ptr_nonnull(strstr(text, "ok, 2026-11-21T03:15:01Z, before the last death\n"));
        ck_assert_ptr_nonnull(strstr(text, "check of a, since 2026-11-21T03:15:03Z\n"));
        show(json_pack("{s:s, s:[o]}", "schema", "vigil.incidents/1", "incidents",
                       checked_and_copied(after, before)),
             false);
        ck_assert_ptr_nonnull(strstr(text, "check ok; backup verified: b-1, before the last death\n"));
}
END_TEST

START_TEST(of_many_that_are_resolved_ten_are_shown)
{
        json_t *list = json_array();
        for (int i = 0; i < 25; i++)
                json_array_append_new(list, incident("P2", "resolved", "abrupt-death"));
        json_t *o = json_pack("{s:s, s:o}", "schema", "vigil.incidents/1", "incidents", list);
        show(json_incref(o), false);
        ck_assert_ptr_nonnull(strstr(text, "and 15 more that are resolved"));
        show(o, true);
        ck_assert_ptr_null(strstr(text, "more that are resolved"));
}
END_TEST

START_TEST(deaths_that_were_all_clean_are_one_line)
{
        json_t *list = json_array();
        for (int i = 0; i < 3; i++)
                json_array_append_new(list, json_pack("{s:s}", "verdict", "clean"));
        show(json_pack("{s:s, s:o}", "schema", "vigil.certificates/1", "certificates", list), false);
        ck_assert_str_eq(text, "  all clean: 3 processes ended clean; -v shows them\n");
        show(json_pack("{s:s, s:[{s:s}]}", "schema", "vigil.certificates/1", "certificates", "verdict", "clean"),
             false);
        ck_assert_str_eq(text, "  all clean: 1 process ended clean; -v shows them\n");
}
END_TEST

START_TEST(of_500_databases_those_in_trouble_are_shown_and_20_in_all)
{
        json_t *list = json_array();
        for (int i = 0; i < 500; i++)
                json_array_append_new(list, json_pack("{s:s, s:s}", "name", i == 499 ? "lost" : "well", "state",
                                                      i == 499 ? "gone" : "watched"));
        show(json_pack("{s:s, s:o}", "schema", "vigil.status/1", "databases", list), false);
        ck_assert_ptr_nonnull(strstr(text, "lost"));
        ck_assert(strstr(text, "lost") < strstr(text, "well"));
        ck_assert_ptr_nonnull(strstr(text, "and 480 more; -v shows all"));
}
END_TEST

START_TEST(where_time_went_is_told_with_who_was_behind_it_or_why_it_is_not_known)
{
        json_t *known = json_pack(
                "{s:s, s:i, s:[{s:s, s:i, s:i, s:[{s:s, s:f}], s:n}], s:{s:[{s:i, s:s, s:i}], s:s, s:[]}, s:n}",
                "db", "app", "span_ms", 30000, "attribution", "op", "commit", "count", 12, "total_us", 2400000,
                "shares", "cause", "lock-wait", "percent", 100.0, "lost", "neighbours", "lock_holders", "pid", 42,
                "comm", "nightly", "waited_us", 2300000, "device", "vda", "users", "attribution_why_not");
        json_t *off = json_pack("{s:s, s:n, s:n, s:n, s:s}", "db", "other", "span_ms", "attribution", "neighbours",
                                "attribution_why_not", "attribution is off");
        show(json_pack("{s:s, s:[], s:[], s:[], s:[o, o]}", "schema", "vigil.latency/1", "rows", "spikes",
                       "not_judged", "why", known, off),
             false);
        ck_assert_ptr_nonnull(strstr(text, "app, in the last 30 s"));
        ck_assert_ptr_nonnull(strstr(text, "commit: 12 in 2.4 s: lock-wait 100.0%"));
        ck_assert_ptr_nonnull(strstr(text, "nightly (pid 42) while others waited 2.3 s in all"));
        ck_assert_ptr_nonnull(strstr(text, "not measured: attribution is off"));
        ck_assert_ptr_null(strstr(text, "beside it on"));
}
END_TEST

static json_t *counted(const char *file, const char *op, int count, int errors, int refused, int timed, int p99)
{
        return json_pack("{s:s, s:s, s:n, s:s, s:i, s:i, s:i, s:i, s:i, s:o}", "db", "bills", "file", file,
                         "process", "op", op, "count", count, "bytes", 0, "errors", errors, "refused", refused,
                         "timed", timed, "p99_us", timed ? json_integer(p99) : json_null());
}

START_TEST(asked_for_refused_and_waited_for_are_rows_of_their_own)
{
        show(json_pack("{s:s, s:[o, o, o]}", "schema", "vigil.summary/1", "rows",
                       counted("shm", "lock", 474, 34, 34, 1, 2500000), counted("main", "lock", 12, 0, 0, 0, 0),
                       counted("wal", "sync", 64, 2, 0, 64, 200)),
             false);
        const char *lines[] = {"  bills     shm   lock         474      -       -    -    -      -    -\n",
                               "  bills     shm   lock-busy     34      -       -    -    -      -    -\n",
                               "  bills     shm   lock-wait      1      -       -    -    -  2.5 s    -\n",
                               "  bills     main  lock          12      -       -    -    -      -    -\n",
                               "  bills     wal   sync          64      -       2    -    - 200 us    -\n"};
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
                /* Gaps are not what is meant here. */
                char want[128], *to = want;
                for (const char *c = lines[i]; *c; c++)
                        if (*c != ' ' || c[1] != ' ')
                                *to++ = *c;
                *to = '\0';
                char *have = strdup(text), *out = have;
                for (const char *c = text; *c; c++)
                        if (*c != ' ' || c[1] != ' ')
                                *out++ = *c;
                *out = '\0';
                ck_assert_msg(strstr(have, want), "no '%s' in %s", want, have);
                free(have);
        }
}
END_TEST

START_TEST(refusals_that_are_summed_up_with_other_operations_are_no_errors)
{
        json_t *row = counted("main", "x", 500, 36, 34, 60, 900);
        json_object_set_new(row, "op", json_null());
        show(json_pack("{s:s, s:[o]}", "schema", "vigil.summary/1", "rows", row), false);
        ck_assert_ptr_nonnull(strstr(text, "-       2 "));
        ck_assert_ptr_null(strstr(text, "36"));
}
END_TEST

static json_t *judged(const char *op, const char *state, int usual_us)
{
        return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:{s:i}}", "db", "bills", "file", "wal",
                         "op", op, "state", state, "count", 3, "p50_us", 300, "p95_us", 310, "max_us", 320,
                         "slow_from_us", 7000, "usual", "p95_us", usual_us);
}

START_TEST(what_is_being_learnt_has_no_usual_and_a_lock_without_waits_says_so)
{
        show(json_pack("{s:s, s:[o, o, o]}", "schema", "vigil.latency/1", "rows", judged("sync", "learning", 5000),
                       judged("lock", "usual", 1), judged("commit", "usual", 5000)),
             false);
        ck_assert_ptr_nonnull(strstr(text, "320 us        -        -\n"));
        ck_assert_ptr_nonnull(strstr(text, "320 us     none     7 ms\n"));
        ck_assert_ptr_nonnull(strstr(text, "320 us     5 ms     7 ms\n"));
}
END_TEST

/* Documents with the longest names and numbers that may come. */
static json_t *wide(int i)
{
        static const char name[] = "a-database-with-quite-a-long-name-and-more";
        json_t *row = json_pack(
                "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:i, s:i, s:I, s:I, s:I, s:I, s:s, s:{s:I}, s:I}", "db", name,
                "file", "directory", "process", "a-program-name1", "op", "checkpoint", "count", 123456789LL,
                "bytes", 1234567890123LL, "errors", 2449LL, "refused", 0, "timed", 1, "p50_us", 12345LL, "p95_us",
                123456LL, "p99_us", 123456LL, "max_us", 123456789LL, "state", "learning", "usual", "p95_us",
                123456LL, "slow_from_us", 123456LL);
        json_t *database = json_pack("{s:s, s:s, s:i, s:I, s:i, s:{s:s, s:s}, s:{s:b, s:s}}", "name", name, "state",
                                     "watched", "users", 1234, "bytes_at_risk", 123456789LL, "commits_at_risk",
                                     12345, "last_check", "result", "corrupt", "at", "2026-11-20T03:15:02.000000Z",
                                     "last_backup", "verified", 0, "created_at", "2026-11-20T03:15:02.000000Z");
        json_t *one = incident("P1", "acknowledged", "checkpoint-while-unlinked");
        json_object_set_new(one, "id", json_string("i-0123456789abcdef"));
        json_object_set_new(one, "database", json_string(name));
        json_t *all[] = {json_pack("{s:s, s:[O]}", "schema", "vigil.summary/1", "rows", row),
                         json_pack("{s:s, s:[O]}", "schema", "vigil.latency/1", "rows", row),
                         json_pack("{s:s, s:[o]}", "schema", "vigil.status/1", "databases", database),
                         json_pack("{s:s, s:[o]}", "schema", "vigil.incidents/1", "incidents", one)};
        json_decref(row);
        for (int k = 0; k < 4; k++)
                if (k != i)
                        json_decref(all[k]);
        return all[i];
}

START_TEST(no_line_is_longer_than_the_page)
{
        for (unsigned width = 80; width <= 100; width += 20)
                for (int i = 0; i < 4; i++) {
                        size_t size;
                        const struct report_style style = {.width = width};
                        json_t *o = wide(i);
                        free(text);
                        FILE *out = open_memstream(&text, &size);
                        ck_assert_int_eq(operator_text(o, 1795230902000000000, &style, out), 0);
                        fclose(out);
                        json_decref(o);
                        for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
                                ck_assert_msg(strcspn(line, "\n") <= width, "%u columns: %s", width, text);
                        ck_assert_ptr_nonnull(strstr(text, "a-da"));
                        ck_assert(i > 1 || strstr(text, " 123456789 "));
                }
}
END_TEST

static void show_event(json_t *event, unsigned width)
{
        size_t size;
        const struct report_style style = {.width = width};
        free(text);
        FILE *out = open_memstream(&text, &size);
        ck_assert_int_eq(operator_event(event, &style, out), 0);
        fclose(out);
        json_decref(event);
}

START_TEST(an_event_is_no_wider_than_the_page_and_loses_nothing)
{
        static const char detail[] =
                "a convoy: 5 processes have waited 8.2 s for the wal-write lock of bills, held by python3 "
                "(pid 1234) with wal-write for 12 s, and 97 more since a quarter past three";
        for (unsigned width = 80; width <= 100; width += 20) {
                show_event(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "at",
                                     "2026-11-21T03:15:02.000000Z", "type", "incident", "database", "bills",
                                     "severity", "P2", "code", "lock-convoy", "what", "opened", "detail", detail,
                                     "incident", "i-0123456789abcdef"),
                           width);
                ck_assert_ptr_eq(
                        strstr(text, "2026-11-21T03:15:02Z  incident  bills            P2 lock-convoy opened:"),
                        text);
                for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
                        ck_assert_uint_le(strcspn(line, "\n"), width);
                ck_assert_ptr_nonnull(strstr(text, "three"));
                ck_assert_ptr_nonnull(strstr(text, "i-0123456789abcdef\n"));
        }
}
END_TEST

START_TEST(one_more_finding_is_told_by_itself_and_not_as_the_worst_of_its_incident)
{
        json_t *e = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "at", "2026-11-21T03:15:02.000000Z",
                              "type", "incident", "database", "bills", "severity", "P0", "code", "no-journal",
                              "what", "finding", "detail", "it died", "incident", "i-1");
        json_object_set_new(e, "finding",
                            json_pack("{s:s, s:s, s:s, s:s}", "id", "f-1", "code", "silent-loss-suspected",
                                      "severity", "P1", "detail", "no damage"));
        show_event(json_incref(e), 0);
        ck_assert_str_eq(text,
                         "2026-11-21T03:15:02Z  incident  bills            P1 silent-loss-suspected finding: no "
                         "damage  i-1\n");
        /* What became of the incident is the incident's. */
        json_object_set_new(e, "what", json_string("reopened"));
        show_event(e, 0);
        ck_assert_str_eq(text,
                         "2026-11-21T03:15:02Z  incident  bills            P0 no-journal reopened: it died  i-1\n");
}
END_TEST

START_TEST(what_came_of_an_action_is_told_in_words)
{
        json_t *kept = json_pack("{s:i, s:i, s:s, s:i, s:n}", "error", 0, "bytes", 2048, "method", "copy",
                                 "kernel_lines", 1, "reason");
        json_t *e = json_pack("{s:s, s:s, s:s, s:s, s:i, s:O}", "at", "2026-11-21T03:15:02.000000Z", "type",
                              "action", "action", "evidence", "outcome", "done", "ms", 19, "result", kept);
        show_event(json_incref(e), 200);
        ck_assert_str_eq(text,
                         "2026-11-21T03:15:02Z  action    -                evidence done in 19 ms: 2 KiB kept "
                         "by copy, 1 line of the kernel\n");
        json_object_set_new(kept, "kernel_lines", json_null());
        json_object_set_new(kept, "reason", json_string("no space left"));
        json_decref(kept);
        show_event(e, 0);
        ck_assert_str_eq(text, "2026-11-21T03:15:02Z  action    -                evidence done in 19 ms: no space "
                               "left\n");
        show_event(json_pack("{s:s, s:s, s:{s:i, s:s, s:n}}", "at", "2026-11-21T03:15:02.000000Z", "type", "other",
                             "a", "n", 3, "b", "c", "none"),
                   0);
        ck_assert_str_eq(text, "2026-11-21T03:15:02Z  other     -                 a={n=3 b=c}\n");
}
END_TEST

START_TEST(an_event_that_fits_is_one_line)
{
        show_event(json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:i, s:s}}", "at", "2026-11-21T03:15:02.000000Z", "type",
                             "death", "database", "bills", "verdict", "clean", "certificate", "c-1", "process",
                             "pid", 12, "comm", "node"),
                   0);
        ck_assert_str_eq(text, "2026-11-21T03:15:02Z  death     bills            clean: node (pid 12)  c-1\n");
        show_event(json_pack("{s:s, s:s, s:s, s:i}", "at", "2026-11-21T03:15:02.000000Z", "type", "other", "a",
                             "b c", "n", 3),
                   0);
        ck_assert_str_eq(text, "2026-11-21T03:15:02Z  other     -                 a=b c n=3\n");
}
END_TEST

SUITE("operator", what_was_foretold_is_not_to_come_when_it_is_over, what_ends_an_orphaned_job_is_named,
      of_what_has_no_data_to_be_checked_no_check_is_missing, an_unknown_document_is_refused,
      what_fires_comes_before_what_is_acknowledged_whatever_its_severity,
      one_that_fires_again_says_who_had_acknowledged_what, a_loop_whose_database_is_whole_says_so,
      nobody_is_said_to_have_recovered_what_was_not,
      what_is_older_than_the_last_death_is_said_to_be_and_what_is_due, of_many_that_are_resolved_ten_are_shown,
      deaths_that_were_all_clean_are_one_line, of_500_databases_those_in_trouble_are_shown_and_20_in_all,
      where_time_went_is_told_with_who_was_behind_it_or_why_it_is_not_known,
      asked_for_refused_and_waited_for_are_rows_of_their_own,
      refusals_that_are_summed_up_with_other_operations_are_no_errors,
      what_is_being_learnt_has_no_usual_and_a_lock_without_waits_says_so, no_line_is_longer_than_the_page,
      an_event_is_no_wider_than_the_page_and_loses_nothing, an_event_that_fits_is_one_line,
      one_more_finding_is_told_by_itself_and_not_as_the_worst_of_its_incident,
      what_came_of_an_action_is_told_in_words)
