/* test_loop.c - a program that dies again and again is one incident, with a count. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "incident/incident.h"
#include "sample.h"

/* The Nth start of program 5, that dies at @p at. */
static struct incident_finding start_of_5(uint32_t n, uint64_t begun, uint64_t at)
{
        struct incident_finding f = death(1000 + n);
        f.cause.died.start_ns = begun;
        f.cause.program = 5;
        f.ns = at;
        f.at_ns = (int64_t)at;
        return f;
}

START_TEST(a_program_that_dies_again_is_one_incident_with_a_count)
{
        make();
        struct incident *i = add(start_of_5(0, 1 * S, 10 * S), true);
        ck_assert_uint_eq(i->deaths, 1);
        ck_assert(!(i->owed & 1u << ENDS_WHEN_QUIET));
        for (uint32_t n = 1; n < 14; n++)
                ck_assert_ptr_eq(add(start_of_5(n, 10 * S + n * 40 * S - 1, 10 * S + n * 40 * S), false), i);
        ck_assert_uint_eq(i->deaths, 14);
        ck_assert_uint_eq(count(), 1);
        ck_assert_ptr_nonnull(strstr(i->summary, "died 14 times in "));
        ck_assert_ptr_nonnull(strstr(i->summary, "it died"));
        ck_assert(i->owed & 1u << ENDS_WHEN_QUIET);
        incidents_free(set);
}
END_TEST

START_TEST(starts_that_follow_each_other_within_a_second_count_and_workers_of_one_kill_do_not)
{
        make();
        struct incident *i = add(start_of_5(0, 1 * S, 10 * S), true);
        for (uint32_t n = 1; n < 8; n++) /* all were there before the first of them died */
                add(start_of_5(n, 1 * S, 10 * S + n), false);
        ck_assert_uint_eq(i->deaths, 1);
        add(start_of_5(9, 10 * S + S / 10, 10 * S + S / 2), false);
        ck_assert_uint_eq(i->deaths, 2);
        /* A second finding about the same death. */
        struct incident_finding more = start_of_5(9, 10 * S + S / 10, 10 * S + S / 2);
        more.code = "killed-in-sync";
        add(more, false);
        ck_assert_uint_eq(i->deaths, 2);
        incidents_free(set);
}
END_TEST

START_TEST(what_ended_by_itself_fires_again_and_what_was_resolved_by_hand_does_not)
{
        make();
        struct incident *i = add(start_of_5(0, 1 * S, 10 * S), true);
        incident_resolve(i, "recovery", 11 * S);
        ck_assert(incidents_may_return(set, i, 20 * S));
        ck_assert(!incidents_may_return(set, i, 11 * S + INCIDENT_LOOP_NS));
        ck_assert_ptr_eq(add(start_of_5(1, 12 * S, 20 * S), false), i);
        ck_assert(i->returned);
        ck_assert_int_eq(i->status, INCIDENT_FIRING);
        ck_assert_int_eq(i->resolved_ns, 0);
        ck_assert_uint_eq(i->deaths, 2);
        incident_resolve(i, "operator", 21 * S);
        ck_assert(!incidents_may_return(set, i, 22 * S));
        ck_assert_ptr_ne(add(start_of_5(2, 22 * S, 30 * S), true), i);
        incidents_free(set);
}
END_TEST

/* The same of a start that had no transaction. */
static struct incident_finding abrupt(uint32_t n, uint64_t begun, uint64_t at)
{
        struct incident_finding f = start_of_5(n, begun, at);
        f.code = "abrupt-death";
        f.severity = SEVERITY_P2;
        f.detail = "a connection was open";
        return f;
}

START_TEST(what_was_over_is_as_severe_as_the_death_that_brings_it_back)
{
        make();
        struct incident *i = add(start_of_5(0, 1 * S, 10 * S), true);
        incident_resolve(i, "recovery", 11 * S);
        add(abrupt(1, 12 * S, 20 * S), false);
        ck_assert_int_eq(i->severity, SEVERITY_P2);
        ck_assert_str_eq(i->code, "abrupt-death");
        ck_assert_ptr_nonnull(strstr(i->summary, "died 2 times in 10 s; at last: a connection was open"));
        /* Recovered, though it goes on firing until it is quiet: what comes next may be worse, and after that better again. */
        incident_fulfil(i, ENDS_BY_RECOVERY);
        add(start_of_5(2, 21 * S, 30 * S), false);
        ck_assert_int_eq(i->severity, SEVERITY_P1);
        incident_fulfil(i, ENDS_BY_RECOVERY);
        add(abrupt(3, 31 * S, 40 * S), false);
        ck_assert_int_eq(i->severity, SEVERITY_P2);
        ck_assert_str_eq(i->code, "abrupt-death");
        incidents_free(set);
}
END_TEST

START_TEST(what_is_not_over_stays_as_severe_as_the_worst_of_it)
{
        make();
        struct incident *i = add(start_of_5(0, 1 * S, 10 * S), true);
        add(abrupt(1, 12 * S, 20 * S), false);
        ck_assert_int_eq(i->severity, SEVERITY_P1);
        ck_assert_str_eq(i->code, "unclean-death");
        /* All findings of one death are of one time. */
        incident_resolve(i, "recovery", 21 * S);
        struct incident_finding f = start_of_5(2, 22 * S, 30 * S);
        add(f, false);
        f.id = "f-0000000000000002";
        f.code = "killed-in-sync";
        f.severity = SEVERITY_P2;
        add(f, false);
        ck_assert_int_eq(i->severity, SEVERITY_P1);
        ck_assert_str_eq(i->code, "unclean-death");
        incidents_free(set);
}
END_TEST

START_TEST(another_program_database_or_time_is_another_incident)
{
        make();
        add(start_of_5(0, 1 * S, 10 * S), true);
        struct incident_finding f = start_of_5(1, 11 * S, 20 * S);
        f.cause.program = 6;
        add(f, true);
        f = start_of_5(2, 11 * S, 30 * S);
        f.database = "b";
        add(f, true);
        f = start_of_5(3, 11 * S, 40 * S);
        f.cause.program = 0; /* not known */
        add(f, true);
        add(start_of_5(4, 11 * S, 11 * S + INCIDENT_LOOP_NS), true);
        incidents_free(set);
}
END_TEST

START_TEST(without_a_window_each_death_stands_by_itself)
{
        make();
        incidents_loop(set, 0);
        struct incident *i = add(start_of_5(0, 1 * S, 10 * S), true);
        ck_assert_uint_eq(i->deaths, 0);
        add(start_of_5(1, 11 * S, 20 * S), true);
        incidents_free(set);
}
END_TEST

/* As an earlier run of the daemon has stored it. */
static const struct incident stored = {.id = "i-0000000000000001",
                                       .code = "unclean-death",
                                       .database = "a",
                                       .path = "/srv/a.db",
                                       .summary = "died 3 times",
                                       .deaths = 3,
                                       .deaths_first_ns = 5,
                                       .deaths_last_ns = 9,
                                       .program = 5};

START_TEST(a_stored_one_goes_on_counting)
{
        make();
        struct incident *i = incidents_restore(set, &stored, 10 * S);
        ck_assert_ptr_eq(add(start_of_5(1, 11 * S, 20 * S), false), i);
        ck_assert_uint_eq(i->deaths, 4);
        ck_assert_int_eq(i->deaths_first_ns, 5);
        incidents_free(set);
}
END_TEST

START_TEST(a_stored_one_that_had_ended_by_itself_fires_again)
{
        struct incident ended = stored;

        make();
        ended.status = INCIDENT_RESOLVED;
        ended.resolved_by = "recovery";
        struct incident *i = incidents_restore(set, &ended, 10 * S);
        ck_assert_uint_eq(i->owed, 0);
        ck_assert(incidents_may_return(set, i, 20 * S));
        ck_assert_ptr_eq(add(start_of_5(1, 11 * S, 20 * S), false), i);
        ck_assert(i->returned);
        ck_assert_int_eq(i->status, INCIDENT_FIRING);
        ck_assert_uint_eq(i->deaths, 4);
        incidents_free(set);
}
END_TEST

/* The daemon was killed while one kill after the other came. */
START_TEST(what_dies_on_its_database_at_the_same_time_belongs_to_a_stored_one)
{
        make();
        struct incident *i = incidents_restore(set, &stored, 10 * S);
        struct incident_finding near = death(7), later = death(8);
        near.ns = 10 * S + INCIDENT_WINDOW_NS / 2;
        later.ns = near.ns + 2 * INCIDENT_WINDOW_NS;
        ck_assert_ptr_eq(add(near, false), i);
        add(later, true);
        incidents_free(set);
}
END_TEST

START_TEST(a_death_soon_after_a_boot_is_no_further_one_of_an_earlier_boot)
{
        make();
        struct incident *i = incidents_restore(set, &stored, 0);
        ck_assert(!incidents_may_return(set, i, 20 * S));
        struct incident *other = add(start_of_5(1, 11 * S, 20 * S), true);
        ck_assert_ptr_ne(other, i);
        ck_assert_uint_eq(other->deaths, 1);
        ck_assert_uint_eq(i->deaths, 3);
        incident_resolve(i, "recovery", 21 * S);
        ck_assert(!incidents_may_return(set, i, 22 * S));
        incidents_free(set);
}
END_TEST

SUITE("loop", a_program_that_dies_again_is_one_incident_with_a_count,
      starts_that_follow_each_other_within_a_second_count_and_workers_of_one_kill_do_not,
      what_ended_by_itself_fires_again_and_what_was_resolved_by_hand_does_not,
      what_was_over_is_as_severe_as_the_death_that_brings_it_back,
      what_is_not_over_stays_as_severe_as_the_worst_of_it, another_program_database_or_time_is_another_incident,
      without_a_window_each_death_stands_by_itself, a_stored_one_goes_on_counting,
      a_stored_one_that_had_ended_by_itself_fires_again,
      what_dies_on_its_database_at_the_same_time_belongs_to_a_stored_one,
      a_death_soon_after_a_boot_is_no_further_one_of_an_earlier_boot)
