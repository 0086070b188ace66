/* test_dirty.c - a state file that could not be written is written at the next turn, not at the next change. */
#include "daemon/dirty.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cases_fixture.h"
#include "daemon/scribe.h"
#include "daemon/state.h"
#include "keeper_fixture.h"
#include "suite.h"

static struct daemon *d;

/* Nothing is guarded, nothing changes: what is written is written because of what is tested. */
static void begin_daemon(void)
{
        d = cases_begin();
        ck_assert_int_eq(guards_new(&d->guards), 0);
        snprintf(d->state.path, sizeof(d->state.path), "%s/state", cases_directory());
        ck_assert_int_eq(mkdir(d->state.path, 0700), 0);
}

static void end_daemon(void)
{
        guards_free(d->guards);
        cases_end(d);
}

/* One turn, and what it has begun. @return it has written, or tried to */
static bool turn_once(void)
{
        uint64_t before = d->state_written_ns;

        dirty_turn(d);
        bool begun = scribe_since(d->scribe, SCRIBE_STATE) > 0;
        ck_assert(scribe_wait(d->scribe, SCRIBE_STATE, 20000));
        ck_assert_int_eq(begun, d->state_written_ns != before);
        return begun;
}

static bool stands(void)
{
        struct state_file s = {0};
        int r = state_read(d->state.path, &s);

        state_done(&s);
        return r == 0;
}

START_TEST(without_a_change_it_is_written_once)
{
        begin_daemon();
        ck_assert(turn_once());
        ck_assert(stands());
        ck_assert(!turn_once());
        ck_assert(!turn_once());
        end_daemon();
}
END_TEST

START_TEST(where_it_could_not_be_written_each_turn_tries_until_one_can)
{
        begin_daemon();
        ck_assert_int_eq(rmdir(d->state.path), 0);
        for (int i = 0; i < 3; i++) {
                ck_assert(turn_once());
                ck_assert_int_eq(d->state_error, -ENOENT);
        }
        ck_assert_int_eq(mkdir(d->state.path, 0700), 0);
        ck_assert(turn_once());
        ck_assert_int_eq(d->state_error, 0);
        ck_assert(stands());
        ck_assert(!turn_once());
        end_daemon();
}
END_TEST

/* It may have written the file or not: nobody knows. */
START_TEST(so_it_is_when_who_wrote_it_was_killed)
{
        begin_daemon();
        dirty_turn(d);
        ck_assert_int_eq(kill(only_child(), SIGKILL), 0);
        ck_assert(scribe_wait(d->scribe, SCRIBE_STATE, 20000));
        if (d->state_error == 0) { /* it had ended before */
                ck_assert(!turn_once());
        } else {
                ck_assert_int_eq(d->state_error, -ECHILD);
                ck_assert(turn_once());
                ck_assert(!turn_once());
        }
        ck_assert(stands());
        end_daemon();
}
END_TEST

SUITE("dirty", without_a_change_it_is_written_once, where_it_could_not_be_written_each_turn_tries_until_one_can,
      so_it_is_when_who_wrote_it_was_killed)
