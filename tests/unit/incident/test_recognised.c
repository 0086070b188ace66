/* test_recognised.c - what belongs to an incident belongs to it after a restart, too. */
#include <string.h>

#include "sample.h"
#include "suite.h"

/* An empty set instead of the one that is there. */
static void make_anew(void)
{
        incidents_free(set);
        make();
}

/* A copy of @i in a set of its own, as a run in @boot restores it. */
static struct incident *restored(const struct incident *i, uint64_t death_ns, const char *boot)
{
        json_t *stored = incident_recognised(i, BOOT);
        struct incidents *before = set;

        make();
        struct incident *again = incidents_restore(set, i, death_ns);
        ck_assert_ptr_nonnull(again);
        incidents_free(before);
        incident_recognise(again, stored, boot);
        json_decref(stored);
        return again;
}

static struct incident_finding about(const char *code, const char *database)
{
        struct incident_finding f = death(1); /* for an id of its own */

        f.code = code;
        f.database = database;
        f.path = NULL;
        f.certificate = NULL;
        f.cause = (struct incident_cause){0};
        return f;
}

/* A ring of locks, and a job that it keeps from going on, on another database. */
static struct incident *ring_and_job(void)
{
        struct incident_finding job = about("job-blocked", "b");

        make_anew();
        struct incident *i = add(about("lock-deadlock", "a"), true);
        job.incident = i->id;
        add(job, false);
        return i;
}

START_TEST(later_codes_draw_what_is_theirs_and_the_first_one_too)
{
        struct incident *i = restored(ring_and_job(), 0, BOOT);

        ck_assert_ptr_eq(add(about("job-blocked", "b"), false), i);
        ck_assert_ptr_eq(add(about("lock-deadlock", "a"), false), i);
        add(about("job-blocked", "a"), true);
        add(about("lock-deadlock", "b"), true);
        incidents_free(set);
}
END_TEST

START_TEST(it_is_over_with_the_last_of_its_codes_and_not_before)
{
        struct incident *i = restored(ring_and_job(), 0, "another boot");

        ck_assert_int_le(incident_over(i, "lock-deadlock", "a"), 0);
        ck_assert_int_eq(incident_over(i, "job-blocked", "b"), 1);

        i = ring_and_job();
        ck_assert_int_le(incident_over(i, "lock-deadlock", "a"), 0);
        i = restored(i, 0, BOOT);
        ck_assert_int_le(incident_over(i, "lock-deadlock", "a"), 0); /* that was told before */
        ck_assert_int_eq(incident_over(i, "job-blocked", "b"), 1);

        i = restored(ring_and_job(), 0, BOOT);
        ck_assert_int_le(incident_over(i, "job-blocked", "b"), 0);
        ck_assert_int_eq(incident_over(i, "lock-deadlock", "a"), 1);
        incidents_free(set);
}
END_TEST

START_TEST(a_topic_whose_name_could_not_be_stored_is_nobodys_and_not_over)
{
        struct incident_finding job = about("job-blocked", "b\xff");

        make();
        struct incident *i = add(about("lock-deadlock", "a"), true);
        job.incident = i->id;
        add(job, false);
        struct incident stored = *i;
        stored.ndatabases = 1;
        json_t *as_stored = incident_recognised(i, BOOT);
        for (int run = 0; run < 2; run++) { /* so it is after the second restart */
                struct incidents *before = set;
                make();
                i = incidents_restore(set, &stored, 0);
                stored = *i;
                incidents_free(before);
                incident_recognise(i, as_stored, BOOT);
                json_decref(as_stored);
                as_stored = incident_recognised(i, BOOT);
        }
        json_decref(as_stored);
        struct incident_finding nobodys = about("job-blocked", NULL);
        add(nobodys, true);
        ck_assert_int_le(incident_over(i, "lock-deadlock", "a"), 0);
        incidents_free(set);
}
END_TEST

/* The daemon was killed in the midst of a kill of a container. */
START_TEST(the_rest_of_one_kill_belongs_to_it)
{
        struct incident_finding first = death(1), same = death(1), sent = death(2), inside = death(3),
                                other = death(4), late = death(5);

        first.cause.cgroup_id = 7;
        first.cause.sender = (struct vigil_ident){.tgid = 50, .start_ns = 50};
        sent.database = inside.database = other.database = late.database = "b";
        sent.cause.sender = first.cause.sender;
        inside.cause.cgroup_id = late.cause.cgroup_id = 7;
        other.cause.cgroup_id = 8;
        late.ns += 3 * S;
        same.ns += 3 * S;
        same.code = "no-journal";
        make();
        struct incident *i = restored(add(first, true), 0, BOOT);
        add(other, true);
        add(late, true);
        ck_assert_ptr_eq(add(sent, false), i);
        ck_assert_ptr_eq(add(inside, false), i);
        ck_assert_ptr_eq(add(same, false), i);
        incidents_free(set);
}
END_TEST

START_TEST(deaths_of_an_earlier_boot_say_nothing_of_this_one)
{
        struct incident_finding first = death(1), number_again = death(1), near = death(2);

        first.cause.cgroup_id = near.cause.cgroup_id = 7;
        first.cause.program = number_again.cause.program = 9;
        make();
        struct incident *i = restored(add(first, true), 10 * S, "another boot");
        add(number_again, true);
        near.database = "b";
        near.ns = 30 * S;
        add(near, true);
        ck_assert_uint_eq(i->deaths, 1);
        incidents_free(set);
}
END_TEST

START_TEST(each_of_its_programs_goes_on_counting)
{
        struct incident_finding one = death(1), other = death(2);

        one.cause.program = 5;
        other.cause.program = 6;
        make();
        add(one, true);
        struct incident *i = restored(add(other, false), 0, BOOT);
        one.cause.died = (struct vigil_ident){.tgid = 11, .start_ns = 20 * S};
        other.cause.died = (struct vigil_ident){.tgid = 12, .start_ns = 40 * S};
        one.ns = 30 * S;
        other.ns = 50 * S;
        ck_assert_ptr_eq(add(other, false), i);
        ck_assert_uint_eq(i->deaths, 2);
        ck_assert_ptr_eq(add(one, false), i);
        ck_assert_uint_eq(i->deaths, 2);
        incidents_free(set);
}
END_TEST

START_TEST(what_is_not_of_this_form_changes_nothing)
{
        static const char *const texts[] = {
                "null",
                "7",
                "{}",
                "[3, 4, []]",
                "[\"" BOOT "\", \"\", 3, [3, []], {}]",
                "[\"" BOOT "\", 4, [3, [], [\"no-such\", \"a\", true], [4, 5, 6]], [[]], [[], [3, 4]]]",
        };

        for (size_t n = 0; n < sizeof(texts) / sizeof(texts[0]); n++) {
                json_t *stored = json_loads(texts[n], JSON_DECODE_ANY, NULL);
                ck_assert_ptr_nonnull(stored);
                make_anew();
                struct incident was = *add(about("lock-deadlock", "a"), true);
                struct incidents *before = set;
                make();
                struct incident *i = incidents_restore(set, &was, 0);
                incidents_free(before);
                incident_recognise(i, stored, BOOT);
                add(death(0), true);
                json_decref(stored);
                ck_assert_ptr_eq(add(about("lock-deadlock", "a"), false), i);
        }
        incidents_free(set);
}
END_TEST

START_TEST(the_reasons_of_its_trust_are_its_own)
{
        char reason[] = "events-lost";
        struct incident_finding f = death(1);
        struct trust trust = {0};

        make();
        struct incident stored = *add(f, true);
        trust_lower(&stored.trust, reason);
        struct incidents *before = set;
        make();
        struct incident *i = incidents_restore(set, &stored, 0);
        incidents_free(before);
        memset(reason, 'x', sizeof(reason) - 1);
        trust_lower(&trust, "second-name");
        f.trust = &trust;
        add(f, false);
        ck_assert_int_eq(i->trust.level, TRUST_PARTIAL);
        ck_assert(trust_has(&i->trust, "events-lost") && trust_has(&i->trust, "second-name"));
        incidents_free(set);
}
END_TEST

START_TEST(what_is_told_anew_after_a_restart_goes_on_and_is_told_so_once)
{
        struct incident *i = restored(ring_and_job(), 0, BOOT);

        ck_assert(add(about("job-blocked", "b"), false)->goes_on);
        ck_assert(!add(about("job-blocked", "b"), false)->goes_on);
        ck_assert(add(about("lock-deadlock", "a"), false)->goes_on);
        ck_assert(!add(about("lock-deadlock", "b"), true)->goes_on);
        ck_assert_ptr_nonnull(i);

        /* What was over begins again, and a further death of a kind is a death. */
        i = ring_and_job();
        incident_over(i, "job-blocked", "b");
        i = restored(i, 0, BOOT);
        ck_assert(!add(about("job-blocked", "b"), false)->goes_on);
        make_anew();
        i = restored(add(about("wal-growing", "a"), true), 0, BOOT);
        i->severity = SEVERITY_P3; /* it has become worse meanwhile */
        ck_assert(!add(about("wal-growing", "a"), false)->goes_on);
}
END_TEST

SUITE("recognised", what_is_told_anew_after_a_restart_goes_on_and_is_told_so_once,
      later_codes_draw_what_is_theirs_and_the_first_one_too, it_is_over_with_the_last_of_its_codes_and_not_before,
      a_topic_whose_name_could_not_be_stored_is_nobodys_and_not_over, the_rest_of_one_kill_belongs_to_it,
      deaths_of_an_earlier_boot_say_nothing_of_this_one, each_of_its_programs_goes_on_counting,
      what_is_not_of_this_form_changes_nothing, the_reasons_of_its_trust_are_its_own)
