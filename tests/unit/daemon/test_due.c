/* test_due.c - an incident does not end before Vigil has done what it owes it, whoever is killed meanwhile. */
#include "daemon/due.h"

#include <string.h>

#include "base/clock.h"
#include "cases_fixture.h"
#include "daemon/cases.h"
#include "suite.h"

static struct incident *died(struct daemon *d)
{
        struct incident *i = case_raise(d, "unclean-death", cases_guard(), "killed inside a write transaction",
                                        NULL);

        ck_assert_ptr_nonnull(i);
        return i;
}

static const char *text(const struct incident *i, const char *object, const char *key)
{
        const char *t = json_string_value(json_object_get(json_object_get(i->tag, object), key));

        return t ? t : "";
}

START_TEST(a_recovery_does_not_end_what_is_still_due_and_stays_the_proof)
{
        struct daemon *d = cases_begin();
        struct incident *i = died(d);

        due_add(d, i, ACTION_BACKUP, "app");
        due_add(d, i, ACTION_CHECK, "app");
        case_fulfil(d, i, ENDS_BY_RECOVERY, "recovery", json_pack("{s:s}", "sign", "wal-recovered"));
        ck_assert_int_eq(i->status, INCIDENT_FIRING);
        due_done(d, i, ACTION_CHECK, "app");
        ck_assert_int_eq(i->status, INCIDENT_FIRING);
        due_done(d, i, ACTION_BACKUP, "app");
        ck_assert_int_eq(i->status, INCIDENT_RESOLVED);
        ck_assert_str_eq(i->resolved_by, "recovery");
        ck_assert_str_eq(text(i, "resolution", "sign"), "wal-recovered");
        cases_end(d);
}
END_TEST

START_TEST(what_has_been_done_for_it_alone_ends_nothing)
{
        struct daemon *d = cases_begin();
        struct incident *i = died(d);

        due_add(d, i, ACTION_CHECK, "app");
        due_done(d, i, ACTION_CHECK, "app");
        ck_assert_int_eq(i->status, INCIDENT_FIRING);
        ck_assert_ptr_null(i->proven_by);
        case_fulfil(d, i, ENDS_BY_RECOVERY, "recovery", NULL);
        ck_assert_str_eq(i->resolved_by, "recovery");
        cases_end(d);
}
END_TEST

START_TEST(each_database_has_its_own_debts_and_once_more_is_the_same)
{
        struct daemon *d = cases_begin();
        struct incident *i = died(d);

        due_add(d, i, ACTION_BACKUP, "app");
        due_add(d, i, ACTION_BACKUP, "other");
        due_add(d, i, ACTION_BACKUP, "app");
        ck_assert_uint_eq(due_count(i), 2);
        ck_assert_ptr_nonnull(due_since(i, ACTION_BACKUP, "app"));
        ck_assert_ptr_null(due_since(i, ACTION_CHECK, "app"));
        due_done(d, i, ACTION_BACKUP, "app");
        ck_assert(!due_has(i, ACTION_BACKUP, "app"));
        ck_assert(due_has(i, ACTION_BACKUP, "other"));
        due_done(d, i, ACTION_BACKUP, "no such one");
        ck_assert(i->owed & 1u << ENDS_BY_ACTIONS);
        cases_end(d);
}
END_TEST

START_TEST(debts_outlive_the_daemon_and_so_does_a_proof)
{
        struct daemon *d = cases_begin();
        struct incident *i = died(d);
        char id[DETECT_ID_LEN];

        strcpy(id, i->id);
        due_add(d, i, ACTION_BACKUP, "app");
        case_fulfil(d, i, ENDS_BY_RECOVERY, "recovery", NULL);
        cases_end(d);
        d = cases_begin();
        i = incidents_find(d->incidents, id);
        ck_assert_ptr_nonnull(i);
        ck_assert(due_has(i, ACTION_BACKUP, "app"));
        ck_assert_int_eq(i->status, INCIDENT_FIRING);
        due_done(d, i, ACTION_BACKUP, "app");
        ck_assert_str_eq(i->resolved_by, "recovery");
        cases_end(d);
}
END_TEST

START_TEST(a_helper_that_failed_adds_no_silence_to_wait_for)
{
        struct daemon *d = cases_begin();
        struct incident *i = died(d);
        unsigned owed = i->owed;

        case_raise_in(d, "worker-failed", cases_guard(), "it died", NULL, i->id);
        ck_assert_uint_eq(i->nfindings, 2);
        ck_assert_uint_eq(i->owed, owed);
        /* By itself it is an incident that silence ends. */
        struct incident *alone = case_raise(d, "worker-failed", cases_guard(), "it died", NULL);
        ck_assert_ptr_ne(alone, i);
        ck_assert_uint_eq(alone->owed, 1u << ENDS_WHEN_QUIET);
        cases_end(d);
}
END_TEST

START_TEST(silence_ends_nothing_that_is_still_due)
{
        struct daemon *d = cases_begin();
        struct incident *i = case_raise(d, "no-space", cases_guard(), "the disk is full", NULL);

        due_add(d, i, ACTION_CHECK, "app");
        i->last_ns = 1;
        d->begun_ns = 0;
        cases_turn(d);
        ck_assert_int_eq(clock_boottime_ns() > INCIDENT_QUIET_NS ? i->status : INCIDENT_FIRING, INCIDENT_FIRING);
        due_done(d, i, ACTION_CHECK, "app");
        if (clock_boottime_ns() > INCIDENT_QUIET_NS)
                ck_assert_str_eq(i->resolved_by, "quiet");
        cases_end(d);
}
END_TEST

START_TEST(what_an_earlier_run_stored_is_not_quiet_at_once)
{
        struct daemon *d = cases_begin();
        struct incident *i = case_raise(d, "no-space", cases_guard(), "the disk is full", NULL);
        char id[DETECT_ID_LEN];

        strcpy(id, i->id);
        cases_end(d);
        d = cases_begin();
        cases_turn(d);
        i = incidents_find(d->incidents, id);
        ck_assert_ptr_nonnull(i);
        ck_assert_int_eq(i->status, INCIDENT_FIRING);
        cases_end(d);
}
END_TEST

SUITE("due", a_recovery_does_not_end_what_is_still_due_and_stays_the_proof,
      what_has_been_done_for_it_alone_ends_nothing, each_database_has_its_own_debts_and_once_more_is_the_same,
      debts_outlive_the_daemon_and_so_does_a_proof, a_helper_that_failed_adds_no_silence_to_wait_for,
      silence_ends_nothing_that_is_still_due, what_an_earlier_run_stored_is_not_quiet_at_once)
