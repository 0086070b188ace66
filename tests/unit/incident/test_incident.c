/* test_incident.c - which findings are one incident, and how it lives. */
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "incident/incident.h"
#include "sample.h"

static struct incident_finding trouble(const char *code, enum severity severity)
{
        struct incident_finding f = death(1);
        f.code = code;
        f.severity = severity;
        f.certificate = NULL;
        f.cause = (struct incident_cause){0};
        return f;
}

START_TEST(ten_deaths_of_one_cgroup_are_one_incident)
{
        static const char *const names[] = {"a", "b", "c"};
        struct incident *i = NULL;
        make();
        for (uint32_t n = 0; n < 10; n++) {
                struct incident_finding f = death(100 + n);
                f.database = names[n % 3];
                f.cause.cgroup_id = 77;
                f.ns += n * S / 5;
                i = add(f, n == 0);
        }
        ck_assert_uint_eq(count(), 1);
        ck_assert_uint_eq(i->nfindings, 10);
        ck_assert_uint_eq(i->ndatabases, 3);
        incidents_free(set);
}
END_TEST

START_TEST(two_unrelated_databases_are_two_incidents)
{
        make();
        struct incident_finding one = death(1), two = death(2);
        one.cause.cgroup_id = 5;
        two.cause.cgroup_id = 6;
        one.cause.sender = (struct vigil_ident){.tgid = 50, .start_ns = 50};
        two.cause.sender = (struct vigil_ident){.tgid = 50, .start_ns = 51};
        two.database = "b";
        struct incident *a = add(one, true), *b = add(two, true);
        ck_assert_str_ne(a->id, b->id);
        incidents_free(set);
}
END_TEST

START_TEST(what_deaths_have_in_common_within_the_window_makes_them_one)
{
        const struct {
                struct incident_cause one, two;
                const char *database; /* of the second; the first is on "a" */
                uint64_t apart_ns;
                bool same;
        } table[] = {
                {{.cgroup_id = 5}, {.cgroup_id = 5}, "b", 2 * S, true},
                {{.cgroup_id = 5}, {.cgroup_id = 5}, "b", 2 * S + 1, false},
                {{.cgroup_id = 0}, {.cgroup_id = 0}, "b", 0, false},
                {{.pidns_ino = 9}, {.pidns_ino = 9}, "b", S, true},
                {{.sender = {.tgid = 7, .start_ns = 3}}, {.sender = {.tgid = 7, .start_ns = 3}}, "b", S, true},
                {{.sender = {.tgid = 7, .start_ns = 3}}, {.sender = {.tgid = 7, .start_ns = 4}}, "b", S, false},
                {{.sender = {.tgid = 1, .start_ns = 3}}, {.sender = {.tgid = 1, .start_ns = 3}}, "b", S, false},
                {{.cgroup_id = 5, .pidns_ino = 1}, {.cgroup_id = 6, .pidns_ino = 1}, "b", S, true},
                {{.cgroup_id = 5}, {.cgroup_id = 6}, "a", S, true},
                {{.cgroup_id = 5}, {.cgroup_id = 6}, "a", 3 * S, false},
        };
        for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
                make();
                struct incident_finding one = death(1), two = death(2);
                one.cause = table[i].one;
                two.cause = table[i].two;
                one.cause.died = (struct vigil_ident){.tgid = 1, .start_ns = 1};
                two.cause.died = (struct vigil_ident){.tgid = 2, .start_ns = 1};
                two.database = table[i].database;
                two.ns += table[i].apart_ns;
                add(one, true);
                add(two, !table[i].same);
                incidents_free(set);
        }
}
END_TEST

/* A crash loop in which the deaths follow each other closely does not fill the list. */
START_TEST(the_window_moves_with_the_newest_death)
{
        make();
        for (uint32_t n = 0; n < 5; n++) {
                struct incident_finding f = death(n + 1);
                f.ns += n * 3 * S / 2;
                add(f, n == 0);
        }
        incidents_free(set);
}
END_TEST

START_TEST(all_findings_about_one_death_are_one)
{
        make();
        struct incident_finding one = death(1), two = death(1);
        two.code = "no-journal";
        two.severity = SEVERITY_P0;
        two.database = "b";
        two.ns += 60 * S;
        add(one, true);
        struct incident *i = add(two, false);
        ck_assert_str_eq(i->code, "no-journal");
        ck_assert_int_eq(i->severity, SEVERITY_P0);
        ck_assert_str_eq(i->database, "b");
        incidents_free(set);
}
END_TEST

START_TEST(the_worst_finding_gives_its_name_and_the_first_of_equals)
{
        make();
        struct incident_finding bad = death(1), worse = death(1), equal = death(1);
        bad.code = "abrupt-death";
        bad.severity = SEVERITY_P2;
        bad.detail = "bad";
        worse.detail = "worse";
        equal.detail = "equal";
        add(bad, true);
        add(worse, false);
        struct incident *i = add(equal, false);
        ck_assert_str_eq(i->code, "unclean-death");
        ck_assert_str_eq(i->summary, "worse");
        incidents_free(set);
}
END_TEST

START_TEST(a_failing_disk_is_one_incident_of_a_database_until_it_is_resolved)
{
        make();
        struct incident_finding first = trouble("sync-error", SEVERITY_P1),
                                later = trouble("writeback-error", SEVERITY_P0),
                                elsewhere = trouble("sync-error", SEVERITY_P1),
                                after = trouble("sync-error", SEVERITY_P1);
        later.ns += 3600 * S;
        elsewhere.database = "b";
        after.ns += 3601 * S;
        struct incident *i = add(first, true);
        ck_assert_ptr_eq(add(later, false), i);
        add(elsewhere, true);
        ck_assert_int_eq(incident_resolve(i, "operator", 5), 0);
        ck_assert_ptr_ne(add(after, true), i);
        incidents_free(set);
}
END_TEST

START_TEST(what_is_about_no_death_stays_apart_by_its_code)
{
        make();
        add(trouble("events-lost", SEVERITY_P2), true);
        add(trouble("sync-error", SEVERITY_P1), true);
        add(trouble("events-lost", SEVERITY_P2), false);
        add(death(1), true);
        struct incident_finding vigils_own = trouble("store-degraded", SEVERITY_P2);
        vigils_own.database = NULL;
        add(vigils_own, true);
        add(vigils_own, false);
        ck_assert_uint_eq(count(), 4);
        incidents_free(set);
}
END_TEST

START_TEST(what_is_known_to_have_one_cause_is_one_incident_and_over_with_the_last_of_it)
{
        struct incident_finding ring = {
                .id = "f-1", .code = "lock-deadlock", .severity = SEVERITY_P1, .database = "a", .ns = S};
        struct incident_finding job = {
                .id = "f-2", .code = "job-blocked", .severity = SEVERITY_P1, .database = "b", .ns = 9 * S};

        make();
        struct incident *i = add(ring, true);
        job.incident = i->id;
        ck_assert_ptr_eq(add(job, false), i);
        job.incident = NULL; /* more of these are its own, too */
        ck_assert_ptr_eq(add(job, false), i);
        ck_assert_str_eq(i->code, "lock-deadlock");
        ck_assert(incident_tells(i, "lock-deadlock", "a"));
        ck_assert(!incident_tells(i, "lock-deadlock", "b"));
        ck_assert(!incident_tells(i, "lock-deadlock", "nobody"));
        ck_assert_int_le(incident_over(i, "lock-deadlock", "b"), 0);
        ck_assert_int_le(incident_over(i, "job-blocked", "nobody"), 0);
        ck_assert_int_le(incident_over(i, "lock-deadlock", "a"), 0); /* a job goes on */
        add(ring, false);                                            /* and so does the ring, again */
        ck_assert_int_le(incident_over(i, "job-blocked", "b"), 0);
        ck_assert_int_le(incident_over(i, "job-blocked", "b"), 0);
        ck_assert_int_eq(incident_over(i, "lock-deadlock", "a"), 1);
        incidents_free(set);
}
END_TEST

START_TEST(what_belonged_to_one_that_was_resolved_by_hand_is_one_incident_from_then_on)
{
        struct incident_finding ring = {
                .id = "f-1", .code = "lock-deadlock", .severity = SEVERITY_P1, .database = "a", .ns = S};
        struct incident_finding job = {
                .id = "f-2", .code = "job-blocked", .severity = SEVERITY_P1, .database = "a", .ns = 9 * S};

        make();
        struct incident *i = add(ring, true);
        job.incident = i->id;
        ck_assert_ptr_eq(add(job, false), i);
        ck_assert_int_eq(incident_resolve(i, "operator", 10 * S), 0);
        job.id = "f-3";
        struct incident *next = add(job, true);
        job.id = "f-4"; /* there are more of these jobs */
        ck_assert_ptr_eq(add(job, false), next);
        incidents_free(set);
}
END_TEST

START_TEST(what_a_check_found_belongs_to_its_incident)
{
        make();
        struct incident *i = add(death(1), true);
        struct incident_finding f = trouble("silent-loss-suspected", SEVERITY_P1);
        f.ns += 60 * S;
        f.incident = i->id;
        ck_assert_ptr_eq(add(f, false), i);
        /* Then a recovery alone does not end it. */
        ck_assert(!incident_fulfil(i, ENDS_BY_RECOVERY));
        ck_assert(incident_fulfil(i, ENDS_BY_HAND));
        incidents_free(set);
}
END_TEST

START_TEST(a_recovery_is_all_that_a_death_owes)
{
        make();
        struct incident *i = add(death(1), true);
        ck_assert(incident_fulfil(i, ENDS_BY_RECOVERY));
        incidents_free(set);
}
END_TEST

START_TEST(ids_are_the_same_for_the_same_finding_and_boot)
{
        make();
        struct incident_finding f = death(1);
        char id[DETECT_ID_LEN];
        memcpy(id, add(f, true)->id, sizeof(id));
        ck_assert_uint_eq(strlen(id), 18);
        incidents_free(set);
        make();
        ck_assert_str_eq(add(f, true)->id, id);
        incidents_free(set);
        set = incidents_new("another boot", NULL, NULL);
        ck_assert_str_ne(add(f, true)->id, id);
        incidents_free(set);
}
END_TEST

/* The same finding again, after a restart: no second incident, though the first may be resolved. */
START_TEST(a_finding_that_is_told_again_belongs_to_what_was_stored)
{
        make();
        struct incident_finding f = death(1);
        struct incident stored = *add(f, true);
        struct incidents *before = set;
        make();
        struct incident *i = incidents_restore(set, &stored, 0);
        ck_assert_ptr_nonnull(i);
        ck_assert_str_eq(i->summary, "it died");
        ck_assert_str_eq(i->path, "/srv/a.db");
        ck_assert_uint_eq(i->owed, 1u << ENDS_BY_RECOVERY);
        ck_assert_ptr_eq(add(f, false), i);
        ck_assert_ptr_eq(incidents_find(set, stored.id), i);
        incidents_free(before);
        incidents_free(set);
}
END_TEST

START_TEST(a_stored_trouble_goes_on_under_its_old_id)
{
        make();
        struct incident stored = *add(trouble("sync-error", SEVERITY_P1), true);
        struct incidents *before = set;
        make();
        struct incident *i = incidents_restore(set, &stored, 0);
        ck_assert_ptr_eq(add(trouble("media-error", SEVERITY_P1), false), i);
        incidents_free(before);
        incidents_free(set);
}
END_TEST

static enum severity harmless(void *userdata, const char *code, enum severity given)
{
        (void)userdata;
        return strcmp(code, "abrupt-death") == 0 ? SEVERITY_P3 : given;
}

START_TEST(the_configuration_overrides_the_severity)
{
        set = incidents_new(BOOT, harmless, NULL);
        struct incident_finding f = death(1);
        f.code = "abrupt-death";
        f.severity = SEVERITY_P2;
        ck_assert_int_eq(add(f, true)->severity, SEVERITY_P3);
        incidents_free(set);
}
END_TEST

START_TEST(the_life_of_an_incident_goes_forwards_only)
{
        make();
        struct incident *i = add(death(1), true);
        ck_assert_int_eq(incident_acknowledge(i, 5), 0);
        ck_assert_int_eq(incident_acknowledge(i, 6), -EALREADY);
        ck_assert_int_eq(i->acknowledged_ns, 5);
        ck_assert_int_eq(incident_resolve(i, "recovery", 7), 0);
        ck_assert_int_eq(incident_resolve(i, "operator", 8), -EALREADY);
        ck_assert_int_eq(incident_acknowledge(i, 9), -EALREADY);
        ck_assert_str_eq(i->resolved_by, "recovery");
        incidents_drop(set, i);
        ck_assert_uint_eq(count(), 0);
        incidents_free(set);
}
END_TEST

START_TEST(what_was_acknowledged_fires_again_only_when_it_becomes_worse)
{
        make();
        struct incident_finding bad = trouble("sync-error", SEVERITY_P1), equal = bad, milder = bad, worst = bad;
        equal.code = "media-error";
        milder.code = "short-write";
        milder.severity = SEVERITY_P2;
        worst.code = "writeback-error";
        worst.severity = SEVERITY_P0;
        struct incident *i = add(bad, true);
        ck_assert_int_eq(incident_acknowledge(i, 5), 0);
        add(equal, false);
        add(milder, false);
        ck_assert(!i->reopened);
        ck_assert_int_eq(i->status, INCIDENT_ACKNOWLEDGED);
        add(worst, false);
        ck_assert(i->reopened && !i->returned);
        ck_assert_int_eq(i->status, INCIDENT_FIRING);
        ck_assert_int_eq(i->acknowledged_ns, 0);
        ck_assert_int_eq(i->seen_ns, 5);
        ck_assert_int_eq(i->seen_severity, SEVERITY_P1);
        add(worst, false); /* it fires already */
        ck_assert(!i->reopened);
        ck_assert_int_eq(incident_acknowledge(i, 6), 0);
        add(worst, false);
        ck_assert_int_eq(i->status, INCIDENT_ACKNOWLEDGED);
        incidents_free(set);
}
END_TEST

START_TEST(what_was_acknowledged_before_a_restart_fires_again_when_it_becomes_worse)
{
        make();
        struct incident_finding worst = trouble("writeback-error", SEVERITY_P0);
        struct incident stored = *add(trouble("sync-error", SEVERITY_P1), true);
        struct incidents *before = set;
        ck_assert_int_eq(incident_acknowledge(&stored, 5), 0);
        make();
        struct incident *i = incidents_restore(set, &stored, 0);
        ck_assert_ptr_eq(add(trouble("media-error", SEVERITY_P1), false), i);
        ck_assert_int_eq(i->status, INCIDENT_ACKNOWLEDGED);
        ck_assert_ptr_eq(add(worst, false), i);
        ck_assert(i->reopened);
        ck_assert_int_eq(i->seen_severity, SEVERITY_P1);
        incidents_free(before);
        incidents_free(set);
}
END_TEST

START_TEST(what_the_configuration_makes_milder_reopens_nothing)
{
        set = incidents_new(BOOT, harmless, NULL);
        struct incident_finding worse = death(1);
        worse.code = "abrupt-death";
        worse.severity = SEVERITY_P0;
        struct incident_finding first = death(1);
        first.severity = SEVERITY_P2;
        struct incident *i = add(first, true);
        ck_assert_int_eq(incident_acknowledge(i, 5), 0);
        add(worse, false);
        ck_assert_int_eq(i->status, INCIDENT_ACKNOWLEDGED);
        incidents_free(set);
}
END_TEST

START_TEST(open_incidents_are_bounded_and_nothing_is_lost)
{
        static char name[INCIDENT_MAX_OPEN + 8][16];
        make();
        for (size_t n = 0; n < INCIDENT_MAX_OPEN + 8; n++) {
                struct incident_finding f = trouble("sync-error", SEVERITY_P1);
                snprintf(name[n], sizeof(name[n]), "db%zu", n);
                f.database = name[n];
                add(f, n < INCIDENT_MAX_OPEN);
        }
        ck_assert_uint_eq(count(), INCIDENT_MAX_OPEN);
        struct incident *const *list;
        incidents_list(set, &list);
        ck_assert_uint_eq(list[0]->nfindings, 9);
        incidents_free(set);
}
END_TEST

START_TEST(databases_of_one_incident_are_bounded_and_it_says_so)
{
        make();
        struct incident *i = NULL;
        for (unsigned n = 0; n < INCIDENT_MAX_DATABASES + 1; n++) {
                struct incident_finding f = death(n + 1);
                char name[16];
                snprintf(name, sizeof(name), "db%u", n);
                f.database = name;
                f.cause.cgroup_id = 4;
                i = add(f, n == 0);
                ck_assert_int_eq(i->more_databases, n == INCIDENT_MAX_DATABASES);
        }
        ck_assert_uint_eq(i->ndatabases, INCIDENT_MAX_DATABASES);
        incidents_free(set);
}
END_TEST

START_TEST(an_incident_is_trusted_no_more_than_its_findings)
{
        make();
        struct trust lower = {0};
        trust_lower(&lower, "events-lost");
        struct incident_finding f = death(1), g = death(1);
        g.trust = &lower;
        ck_assert_int_eq(add(f, true)->trust.level, TRUST_FULL);
        struct incident *i = add(g, false);
        ck_assert_int_eq(i->trust.level, TRUST_PARTIAL);
        ck_assert_str_eq(i->trust.reason[0], "events-lost");
        incidents_free(set);
}
END_TEST

/* Two rows of one code would disagree one day. */
START_TEST(every_code_stands_once_in_the_table)
{
        for (const struct incident_code *c = incident_codes; c->code; c++)
                ck_assert_ptr_eq(incident_code(c->code), c);
        ck_assert_ptr_null(incident_code("no-such-code"));
}
END_TEST

SUITE("incident", ten_deaths_of_one_cgroup_are_one_incident, two_unrelated_databases_are_two_incidents,
      what_deaths_have_in_common_within_the_window_makes_them_one, the_window_moves_with_the_newest_death,
      all_findings_about_one_death_are_one, the_worst_finding_gives_its_name_and_the_first_of_equals,
      a_failing_disk_is_one_incident_of_a_database_until_it_is_resolved,
      what_is_about_no_death_stays_apart_by_its_code,
      what_is_known_to_have_one_cause_is_one_incident_and_over_with_the_last_of_it,
      what_belonged_to_one_that_was_resolved_by_hand_is_one_incident_from_then_on,
      what_a_check_found_belongs_to_its_incident, a_recovery_is_all_that_a_death_owes,
      ids_are_the_same_for_the_same_finding_and_boot, a_finding_that_is_told_again_belongs_to_what_was_stored,
      a_stored_trouble_goes_on_under_its_old_id, the_configuration_overrides_the_severity,
      the_life_of_an_incident_goes_forwards_only, what_was_acknowledged_fires_again_only_when_it_becomes_worse,
      what_was_acknowledged_before_a_restart_fires_again_when_it_becomes_worse,
      what_the_configuration_makes_milder_reopens_nothing, open_incidents_are_bounded_and_nothing_is_lost,
      databases_of_one_incident_are_bounded_and_it_says_so, an_incident_is_trusted_no_more_than_its_findings,
      every_code_stands_once_in_the_table)
