/* test_reach.c - a worker reaches the files it is given and no others, whichever way the kernel offers. */
#include "suite.h"

#include <string.h>
#include <sys/prctl.h>

#include "base/child.h"
#include "base/jail.h"
#include "base/landlock.h"
#include "reach.h"

#define PLACE                                                                                                      \
        {                                                                                                          \
                .reads = {place.readable, "gone"}, .writes = { "writable" }                                        \
        }

static int reached(const struct child_options *options, struct place *place, child_fn fn,
                   const char **ret_unconfined)
{
        struct child_result r;
        ck_assert_int_eq(child_run(options, (int[]){place->kept, -1}, fn, place, &r), 0);
        int bits = (int)json_integer_value(json_object_get(r.answer, "reached"));
        if (ret_unconfined)
                *ret_unconfined = r.unconfined;
        child_result_done(&r);
        return bits;
}

START_TEST(a_confined_worker_reaches_what_it_is_given_or_the_result_says_otherwise)
{
        struct place place = PLACE;
        place_make(&place);
        struct child_options options = {
                .deadline_ms = 30000, .sandbox = true, .read_only = place.reads, .writable = place.writes};
        const char *unconfined = NULL;
        int bits = reached(&options, &place, reach_try, &unconfined);
        if (landlock_version() > 0 || jail_available())
                ck_assert_int_eq(bits, REACHED_GRANTED);
        else
                ck_assert_ptr_nonnull(strstr(unconfined, "Landlock"));
        ck_assert(place_remove(&place));
}
END_TEST

static int enter_jail(int answer_fd, void *userdata)
{
        struct place *place = userdata;
        int r = jail_enter(place->reads, place->writes, (int[]){place->kept, -1});
        return r < 0 ? -r : reach_try(answer_fd, place);
}

static int enter_landlock(int answer_fd, void *userdata)
{
        struct place *place = userdata;
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        int r = landlock_enter(landlock_version(), place->reads, place->writes, (int[]){place->kept, -1});
        return r < 0 ? -r : reach_try(answer_fd, place);
}

/* Each by itself, since the sandbox uses only one of them. Where the kernel does not have it, there is nothing to hold. */
START_TEST(a_jail_holds_what_it_is_given)
{
        struct place place = PLACE;
        struct child_options options = {.deadline_ms = 30000};
        if (!jail_available())
                return;
        place_make(&place);
        ck_assert_int_eq(reached(&options, &place, enter_jail, NULL), REACHED_GRANTED);
        ck_assert(place_remove(&place));
}
END_TEST

START_TEST(landlock_holds_what_it_is_given)
{
        struct place place = PLACE;
        struct child_options options = {.deadline_ms = 30000};
        if (landlock_version() == 0)
                return;
        place_make(&place);
        ck_assert_int_eq(reached(&options, &place, enter_landlock, NULL), REACHED_GRANTED);
        ck_assert(place_remove(&place));
}
END_TEST

START_TEST(a_worker_that_is_given_nothing_reaches_nothing)
{
        struct place place = PLACE;
        place_make(&place);
        struct child_options options = {.deadline_ms = 30000, .sandbox = true};
        struct child_result r;
        /* Not even kept: the descriptor is closed, so that every attempt by it fails too. */
        ck_assert_int_eq(child_run(&options, NULL, reach_try, &place, &r), 0);
        if (landlock_version() > 0 || jail_available())
                ck_assert_int_eq(json_integer_value(json_object_get(r.answer, "reached")), 0);
        child_result_done(&r);
        place_remove(&place);
}
END_TEST

SUITE("reach", a_confined_worker_reaches_what_it_is_given_or_the_result_says_otherwise,
      a_jail_holds_what_it_is_given, landlock_holds_what_it_is_given,
      a_worker_that_is_given_nothing_reaches_nothing)
