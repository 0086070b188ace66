/* test_response.c - what is begun for a finding, and what a program that dies again and again is spared. */
#include "daemon/response.h"

#include "cases_fixture.h"
#include "daemon/cases.h"
#include "daemon/due.h"
#include "suite.h"

#define DAY_NS 86400000000000

static const struct config_database all = {
        .check = {.method = CONFIG_CHECK_QUICK},
        .backup = {.on = CONFIG_ON_UNCLEAN | CONFIG_ON_CORRUPT, .max_per_hour = 6}};
static const struct config_database no_backups = {.check = {.method = CONFIG_CHECK_QUICK}};

static struct daemon *d;
static struct response *begun;
static struct guard *g;
static struct incident *i;

/* An incident of a database whose backups and checks are as @p of says. */
static void begin(const struct config_database *of)
{
        static struct guard guard;

        d = cases_begin();
        ck_assert_int_eq(response_new(&d->response), 0);
        ck_assert_int_eq(guards_new(&d->guards), 0);
        begun = d->response;
        guard = *cases_guard();
        guard.of = of;
        g = &guard;
        i = case_raise(d, "unclean-death", g, "killed inside a write transaction", NULL);
        ck_assert_ptr_nonnull(i);
}

/* What was begun finds no database under guard. */
static void end(void)
{
        struct guards *guards = d->guards;

        cases_end(d);
        response_free(begun);
        guards_free(guards);
}

/* Its program has died for the second time, and the first death has its copy. */
static void it_died_again(int64_t copied_ns, int64_t checked_ns)
{
        i->deaths = 2;
        g->backup_ns = copied_ns;
        g->check_ended_ns = checked_ns;
        case_set(d, i->id, "backup", json_pack("{s:b}", "verified", true));
}

static bool begins(enum action_kind kind)
{
        return response_wants(d, kind, g->name, i->id, NULL);
}

START_TEST(a_death_has_a_copy_and_a_further_one_of_the_same_program_only_owes_a_check)
{
        begin(&all);
        response_to(d, g, i, "unclean-death", SEVERITY_P1, NULL);
        ck_assert(begins(ACTION_BACKUP));
        end();
        begin(&all);
        it_died_again(daemon_now(), daemon_now());
        response_to(d, g, i, "unclean-death", SEVERITY_P1, NULL);
        ck_assert(!begins(ACTION_CHECK)); /* a backup would be one, too */
        ck_assert(due_has(i, ACTION_CHECK, g->name));
        end();
}
END_TEST

START_TEST(damage_is_kept_though_the_program_dies_again_and_again)
{
        begin(&all);
        it_died_again(daemon_now(), daemon_now());
        response_to(d, g, i, "integrity-failed", SEVERITY_P0, NULL);
        ck_assert(begins(ACTION_BACKUP));
        end();
}
END_TEST

START_TEST(damage_that_no_backup_is_wanted_for_has_its_files_kept_and_no_further_check)
{
        begin(&no_backups);
        response_to(d, g, i, "integrity-failed", SEVERITY_P0, NULL);
        ck_assert(begins(ACTION_EVIDENCE));
        ck_assert(!begins(ACTION_CHECK));
        end();
}
END_TEST

START_TEST(a_copy_and_a_check_that_lie_ahead_of_a_clock_that_was_set_back_are_old)
{
        begin(&all);
        it_died_again(daemon_now() + DAY_NS, daemon_now());
        response_to(d, g, i, "unclean-death", SEVERITY_P1, NULL);
        ck_assert(begins(ACTION_BACKUP));
        end();
        begin(&all);
        it_died_again(daemon_now(), daemon_now() + DAY_NS);
        response_to(d, g, i, "unclean-death", SEVERITY_P1, NULL);
        ck_assert(begins(ACTION_CHECK));
        ck_assert(!begins(ACTION_BACKUP));
        end();
}
END_TEST

SUITE("response", a_death_has_a_copy_and_a_further_one_of_the_same_program_only_owes_a_check,
      damage_is_kept_though_the_program_dies_again_and_again,
      damage_that_no_backup_is_wanted_for_has_its_files_kept_and_no_further_check,
      a_copy_and_a_check_that_lie_ahead_of_a_clock_that_was_set_back_are_old)
