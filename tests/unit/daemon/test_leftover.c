/* test_leftover.c - what files tell of the time when nobody watched, and what they do not. */
#include "daemon/leftover.h"

#include <errno.h>

#include "suite.h"

static const char *what;

static struct vigil_observed hot(void)
{
        return (struct vigil_observed){.flags = VIGIL_OBS_MAIN | VIGIL_OBS_SQLITE | VIGIL_OBS_JOURNAL |
                                                VIGIL_OBS_JOURNAL_HOT,
                                       .journal_pages = 3};
}

static struct vigil_observed tail(void)
{
        return (struct vigil_observed){.flags = VIGIL_OBS_MAIN | VIGIL_OBS_SQLITE | VIGIL_OBS_WAL_MODE |
                                                VIGIL_OBS_WAL | VIGIL_OBS_WAL_HEADER,
                                       .wal_frames = 5,
                                       .wal_tail_frames = 2};
}

static bool tells(struct vigil_observed o, struct leftover_users u)
{
        return leftover_tells(&o, &u, &what);
}

START_TEST(a_hot_journal_that_nobody_works_on_was_cut_short)
{
        ck_assert(tells(hot(), (struct leftover_users){0}));
        ck_assert(tells(hot(), (struct leftover_users){.n = 2, .locks = VIGIL_LOCK_SHARED}));
}
END_TEST

START_TEST(who_is_at_work_has_what_looks_unfinished)
{
        static const uint32_t locks[] = {VIGIL_LOCK_RESERVED,  VIGIL_LOCK_PENDING,  VIGIL_LOCK_EXCLUSIVE,
                                         VIGIL_LOCK_WAL_WRITE, VIGIL_LOCK_WAL_CKPT, VIGIL_LOCK_WAL_RECOVER};
        for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
                const struct leftover_users u = {
                        .n = 1, .locks = locks[i] | VIGIL_LOCK_SHARED, .writer_gone = true};
                ck_assert(!tells(hot(), u));
                ck_assert(!tells(tail(), u));
        }
}
END_TEST

START_TEST(frames_without_a_commit_count_where_nobody_is_left_or_their_writer_is_gone)
{
        ck_assert(tells(tail(), (struct leftover_users){0}));
        ck_assert(tells(tail(), (struct leftover_users){.n = 1, .writer_gone = true}));
        /* A rollback of somebody who is still there leaves the same. */
        ck_assert(!tells(tail(), (struct leftover_users){.n = 1}));
}
END_TEST

/* A transaction that writes a page twice makes its checksums right only at the commit. */
START_TEST(a_frame_of_this_log_with_a_wrong_checksum_counts_as_well)
{
        struct vigil_observed o = tail();
        o.wal_tail_frames = 0;
        o.flags |= VIGIL_OBS_WAL_TORN;
        ck_assert(tells(o, (struct leftover_users){.n = 1, .writer_gone = true}));
        ck_assert(!tells(o, (struct leftover_users){.n = 1}));
}
END_TEST

START_TEST(clean_files_tell_nothing_whoever_is_gone)
{
        struct vigil_observed o = tail();
        o.wal_tail_frames = 0;
        ck_assert(!tells(o, (struct leftover_users){.writer_gone = true}));
        o = hot();
        o.flags &= ~(uint32_t)VIGIL_OBS_JOURNAL_HOT;
        ck_assert(!tells(o, (struct leftover_users){.writer_gone = true}));
        o = hot();
        o.flags |= VIGIL_OBS_JOURNAL_STALE;
        ck_assert(!tells(o, (struct leftover_users){0}));
}
END_TEST

START_TEST(what_was_known_before_or_cannot_be_looked_at_is_not_told)
{
        ck_assert(!tells(hot(), (struct leftover_users){.known = true}));
        struct vigil_observed o = hot();
        o.error = -EACCES;
        ck_assert(!tells(o, (struct leftover_users){0}));
        o = hot();
        o.flags &= ~(uint32_t)VIGIL_OBS_SQLITE;
        ck_assert(!tells(o, (struct leftover_users){0}));
}
END_TEST

SUITE("leftover", a_hot_journal_that_nobody_works_on_was_cut_short, who_is_at_work_has_what_looks_unfinished,
      frames_without_a_commit_count_where_nobody_is_left_or_their_writer_is_gone,
      a_frame_of_this_log_with_a_wrong_checksum_counts_as_well, clean_files_tell_nothing_whoever_is_gone,
      what_was_known_before_or_cannot_be_looked_at_is_not_told)
