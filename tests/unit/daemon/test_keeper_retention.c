/* test_keeper_retention.c - steps of retention on a slow disk: rows are stored all the same, and that is no trouble. */
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/keeper_private.h"
#include "keeper_fixture.h"
#include "suite.h"

static const struct keeper_retention all = {.age_ms = 1000, .incident_ms = 1000, .bytes = 1 << 30};

/* On a disk where each row costs seconds: what is seen is stored all the same, and that is no trouble. */
START_TEST(retention_that_takes_too_long_keeps_nothing_from_being_stored)
{
        struct seen seen;
        struct keeper *k = begin(&seen);

        shell("create view endless as with recursive c(x) as (select 1 union all select x+1 from c) select "
              "count(*) as n from c;"
              "create trigger slow after delete on events begin update events set type=(select n from endless); "
              "end;"
              "insert into events(type, at_ns, doc) values('old', 1, '{}'), ('old', 2, '{}');");
        keeper_event(k, "new", NULL, (int64_t)clock_boottime_ns() + clock_realtime_offset_ns(), NULL);
        keeper_tend(k, &all);
        turn(k);
        ck_assert_str_eq(seen.trouble, "");
        ck_assert_int_eq(count("select count(*) from events where type='new'"), 1);
        ck_assert_int_eq(count("select count(*) from events where type='old'"), 2);
        ck_assert(keeper_tends(k)); /* a smaller step may do */
        shell("drop trigger slow");
        keeper_tend(k, &all);
        turn(k);
        ck_assert_int_eq(count("select count(*) from events where type='old'"), 0);
        end(k);
}
END_TEST

/* A disk that takes six seconds for the sync of such a step is slow; one that takes so long for rows is told. */
START_TEST(a_step_of_retention_may_take_longer_than_what_is_told_as_a_hang)
{
        struct seen seen;
        struct keeper *k = begin(&seen);

        shell("create trigger hold after delete on events begin update events set type ="
              " instr(hex(zeroblob(2000000)), hex(zeroblob(1000000)) || '1'); end;"
              "insert into events(type, at_ns, doc) values('old', 1, '{}'), ('old', 2, '{}');");
        keeper_event(k, "new", NULL, (int64_t)clock_boottime_ns() + clock_realtime_offset_ns(), NULL);
        keeper_tend(k, &all);
        keeper_turn(k);
        for (int i = 0; i < 2000 && !atomic_load(k->batch.retaining); i++)
                usleep(10000);
        ck_assert_int_eq(kill(only_child(), SIGSTOP), 0);
        while (scribe_since(scribe, SCRIBE_STORE) <= SCRIBE_SILENT_NS)
                usleep(10000);
        keeper_turn(k);
        ck_assert_uint_eq(keeper_silent_ns(k), 0);
        ck_assert_str_eq(seen.trouble, "");
        /* The same in the midst of rows. */
        atomic_store(k->batch.retaining, false);
        ck_assert_uint_gt(keeper_silent_ns(k), 0);
        keeper_turn(k);
        ck_assert_str_ne(seen.trouble, "");
        ck_assert_int_eq(kill(only_child(), SIGKILL), 0);
        ck_assert(scribe_wait(scribe, SCRIBE_STORE, 20000));
        shell("drop trigger hold");
        end(k);
}
END_TEST

SUITE("keeper_retention", retention_that_takes_too_long_keeps_nothing_from_being_stored,
      a_step_of_retention_may_take_longer_than_what_is_told_as_a_hang)
