/* test_wal_health.c - logs that grow, and logs that are merely long. */
#include <string.h>

#include "detect/wal_health.h"
#include "suite.h"

#define S   1000000000ull
#define MIB (1ull << 20)

static const struct wal_limits limits = {.warn_bytes = 64 * MIB, .warn_after_ms = 300000, .max_bytes = 1024 * MIB};
static struct wal_watch watch;
static struct wal_sample sample;
static struct evidence_wait marks, nobody;

static enum wal_state look(uint64_t after_s, uint64_t mib)
{
        sample.now_ns += after_s * S;
        sample.bytes = mib * MIB;
        return wal_watch_look(&watch, &sample, &limits);
}

/* One reader, who has refused the only mark that a checkpoint asked for. */
static void reader(uint32_t tgid, uint64_t commits)
{
        sample.refused.mark[1]++;
        sample.refused.last_mark = 1;
        marks = (struct evidence_wait){.lock = wal_watch_mark(&watch, &sample),
                                       .nholders = 1,
                                       .holder = {{.id = {.tgid = tgid, .start_ns = 5, .comm = "report"},
                                                   .locks = VIGIL_LOCK_SHARED | VIGIL_LOCK_WAL_READ1,
                                                   .commits = commits}}};
        wal_watch_holders(&watch, &sample, &marks);
}

START_TEST(a_log_that_goes_on_growing_is_told_of_after_its_time)
{
        ck_assert_int_eq(look(1, 10), WAL_FINE);
        ck_assert_int_eq(look(1, 64), WAL_FINE);
        ck_assert_int_eq(look(299, 70), WAL_FINE);
        ck_assert_int_eq(look(1, 70), WAL_GROWING);
        ck_assert_int_eq(look(1, 1024), WAL_AT_CAP);
}
END_TEST

START_TEST(one_large_transaction_is_no_growth)
{
        look(1, 1);
        ck_assert_int_eq(look(1, 4096), WAL_FINE);
        ck_assert_int_eq(look(3600, 4096), WAL_FINE); /* and nobody wrote since */
}
END_TEST

START_TEST(a_log_that_grew_and_is_left_alone_is_fine)
{
        look(1, 1);
        look(1, 100);
        ck_assert_int_eq(look(2, 200), WAL_FINE); /* a batch beside a short reader */
        for (int i = 0; i < 100; i++)
                ck_assert_int_eq(look(10, 200), WAL_FINE);
        ck_assert_int_eq(look(1, 201), WAL_GROWING); /* and the next batch still cannot begin it anew */
}
END_TEST

START_TEST(a_log_beyond_the_cap_that_is_left_alone_is_fine)
{
        look(1, 1);
        look(1, 1100);
        look(2, 1200);
        for (int i = 0; i < 100; i++)
                ck_assert_int_eq(look(10, 1200), WAL_FINE);
}
END_TEST

START_TEST(who_writes_on_while_the_checkpoint_after_it_runs_is_given_time)
{
        look(1, 1);
        ck_assert_int_eq(look(1, 4096), WAL_FINE);
        ck_assert_int_eq(look(20, 4100), WAL_FINE);
        ck_assert_int_eq(look(11, 4101), WAL_AT_CAP);
}
END_TEST

START_TEST(a_log_that_begins_anew_is_fine_however_long_the_file)
{
        look(1, 100);
        ck_assert_int_eq(look(300, 101), WAL_GROWING);
        sample.generation++;
        ck_assert_int_eq(look(1, 1), WAL_FINE);
        ck_assert(!wal_watch_wants_holders(&watch));
}
END_TEST

START_TEST(a_log_of_many_resets_never_grows)
{
        for (int i = 0; i < 1000; i++) {
                sample.generation++;
                ck_assert_int_eq(look(100, 65), WAL_FINE);
                ck_assert_int_eq(look(100, 70), WAL_FINE);
        }
}
END_TEST

START_TEST(the_reader_that_pins_it_is_named)
{
        char detail[DETECT_DETAIL_LEN];

        look(1, 65);
        reader(77, 0);
        look(300, 66);
        reader(77, 0);
        ck_assert_uint_eq(wal_watch_mark(&watch, &sample), VIGIL_LOCK_WAL_READ1);
        ck_assert_int_eq(wal_cause_of(&watch, &sample, &nobody), WAL_PINNED);
        json_t *e = wal_evidence(&watch, &sample, &marks, &nobody, detail);
        ck_assert_ptr_nonnull(strstr(detail, "report (pid 77) holds read mark 1, for at least 5 min"));
        ck_assert_str_eq(json_string_value(json_object_get(e, "cause")), "reader");
        ck_assert_int_eq(json_integer_value(json_object_get(e, "reader_held_ms")), 300000);
        ck_assert_int_eq(json_integer_value(json_object_get(e, "read_mark")), 1);
        json_decref(e);
}
END_TEST

START_TEST(who_commits_between_the_looks_does_not_pin)
{
        look(1, 65);
        reader(77, 0);
        look(300, 66);
        reader(77, 12);
        ck_assert_int_eq(wal_cause_of(&watch, &sample, &nobody), WAL_NO_CHECKPOINT);
        sample.checkpoints = 9;
        ck_assert_int_eq(wal_cause_of(&watch, &sample, &nobody), WAL_NEVER_FREE);
}
END_TEST

START_TEST(the_one_who_has_read_for_longest_is_the_one)
{
        char detail[DETECT_DETAIL_LEN];

        look(1, 65);
        reader(77, 0);
        look(100, 66);
        reader(78, 0);
        marks.nholders = 2;
        marks.holder[1] = marks.holder[0];
        marks.holder[1].id.tgid = 77;
        wal_watch_holders(&watch, &sample, &marks); /* 78 comes first in the list, and later in time */
        look(200, 67);
        reader(78, 0);
        marks.nholders = 2;
        marks.holder[1] = marks.holder[0];
        marks.holder[1].id.tgid = 77;
        wal_watch_holders(&watch, &sample, &marks);
        json_decref(wal_evidence(&watch, &sample, &marks, &nobody, detail));
        ck_assert_ptr_nonnull(strstr(detail, "(pid 78)")); /* a look without 77 has ended its time */
}
END_TEST

START_TEST(without_checkpoints_nobody_is_to_blame_but_the_settings)
{
        char detail[DETECT_DETAIL_LEN];

        look(1, 65);
        marks.lock = wal_watch_mark(&watch, &sample);
        wal_watch_holders(&watch, &sample, &marks);
        look(300, 66);
        wal_watch_holders(&watch, &sample, &marks);
        ck_assert_int_eq(wal_cause_of(&watch, &sample, &nobody), WAL_NO_CHECKPOINT);
        json_decref(wal_evidence(&watch, &sample, &marks, &nobody, detail));
        ck_assert_ptr_nonnull(strstr(detail, "wal_autocheckpoint"));
}
END_TEST

START_TEST(a_checkpoint_at_work_is_told)
{
        struct evidence_wait at_work = {.nholders = 1,
                                        .holder = {{.id = {.tgid = 9, .start_ns = 1, .comm = "app"}}}};
        char detail[DETECT_DETAIL_LEN];

        look(1, 65);
        marks.lock = wal_watch_mark(&watch, &sample);
        look(300, 66);
        wal_watch_holders(&watch, &sample, &marks);
        ck_assert_int_eq(wal_cause_of(&watch, &sample, &at_work), WAL_CHECKPOINT_RUNS);
        json_decref(wal_evidence(&watch, &sample, &marks, &at_work, detail));
        ck_assert_ptr_nonnull(strstr(detail, "app (pid 9) is at a checkpoint"));
}
END_TEST

START_TEST(locks_that_cannot_be_read_make_the_cause_unknown)
{
        look(1, 65);
        look(300, 66);
        wal_watch_holders(&watch, &sample, &nobody);
        ck_assert_int_eq(wal_cause_of(&watch, &sample, &nobody), WAL_UNKNOWN);
}
END_TEST

SUITE("wal health", a_log_that_goes_on_growing_is_told_of_after_its_time, one_large_transaction_is_no_growth,
      a_log_that_grew_and_is_left_alone_is_fine, a_log_beyond_the_cap_that_is_left_alone_is_fine,
      who_writes_on_while_the_checkpoint_after_it_runs_is_given_time,
      a_log_that_begins_anew_is_fine_however_long_the_file, a_log_of_many_resets_never_grows,
      the_reader_that_pins_it_is_named, who_commits_between_the_looks_does_not_pin,
      the_one_who_has_read_for_longest_is_the_one, without_checkpoints_nobody_is_to_blame_but_the_settings,
      a_checkpoint_at_work_is_told, locks_that_cannot_be_read_make_the_cause_unknown)
