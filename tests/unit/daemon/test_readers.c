/* test_readers.c - who proves that a death has left nothing, and who does not. */
#include "daemon/readers.h"

#include <errno.h>

#include "suite.h"

#define DIED 1000

static struct vigil_use opener(void)
{
        return (struct vigil_use){
                .flags = VIGIL_USE_OPENED | VIGIL_USE_LOCKED, .locks = VIGIL_LOCK_SHARED, .first_ns = DIED + 1};
}

START_TEST(who_opened_it_after_the_death_and_took_locks_counts)
{
        struct vigil_use u = opener();
        ck_assert(reader_counts(&u, DIED));
        u.locks = 0; /* between two reads */
        ck_assert(reader_counts(&u, DIED));
}
END_TEST

START_TEST(who_was_there_before_or_took_no_locks_does_not)
{
        struct vigil_use u = opener();
        u.first_ns = DIED;
        ck_assert(!reader_counts(&u, DIED));
        u = opener();
        u.flags = VIGIL_USE_OPENED;
        ck_assert(!reader_counts(&u, DIED));
        u = opener();
        u.flags |= VIGIL_USE_SEEN_LATE;
        ck_assert(!reader_counts(&u, DIED));
        u = opener();
        u.flags |= VIGIL_USE_INHERITED;
        ck_assert(!reader_counts(&u, DIED));
}
END_TEST

START_TEST(who_may_be_recovering_does_not)
{
        static const uint32_t locks[] = {VIGIL_LOCK_EXCLUSIVE, VIGIL_LOCK_PENDING,  VIGIL_LOCK_WAL_RECOVER,
                                         VIGIL_LOCK_WAL_WRITE, VIGIL_LOCK_RESERVED, VIGIL_LOCK_WAL_CKPT};
        for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
                struct vigil_use u = opener();
                u.locks_at_end = locks[i];
                ck_assert(!reader_counts(&u, DIED));
        }
}
END_TEST

START_TEST(who_cannot_write_could_not_have_recovered)
{
        struct vigil_observed rollback = {.flags = VIGIL_OBS_MAIN | VIGIL_OBS_SQLITE}, log = rollback;
        log.flags |= VIGIL_OBS_WAL_MODE | VIGIL_OBS_WAL | VIGIL_OBS_SHM;
        ck_assert(!reader_could_recover(VIGIL_USE_OPENED | VIGIL_USE_LOCKED | VIGIL_USE_OPENED_WAL, &log));
        ck_assert(!reader_could_recover(VIGIL_USE_OPENED | VIGIL_USE_LOCKED, &rollback));
        /* Of a log it is the index that counts. */
        ck_assert(!reader_could_recover(VIGIL_USE_MAIN_WRITABLE, &log));
        ck_assert(reader_could_recover(VIGIL_USE_SHM_WRITABLE, &log));
        ck_assert(reader_could_recover(VIGIL_USE_MAIN_WRITABLE, &rollback));
        ck_assert(!reader_could_recover(VIGIL_USE_SHM_WRITABLE, &rollback));
}
END_TEST

START_TEST(a_journal_that_is_hot_or_was_taken_refutes_it)
{
        struct vigil_db then = {0}, now = {0};
        ck_assert(!reader_is_refuted(&then, &now));
        now.journal_hot = 1;
        ck_assert(reader_is_refuted(&then, &now));
        now = (struct vigil_db){.flags = VIGIL_DB_JOURNAL_TAKEN};
        ck_assert(reader_is_refuted(&then, &now));
        then = now; /* before the death: another story */
        ck_assert(!reader_is_refuted(&then, &now));
}
END_TEST

START_TEST(the_files_must_say_so_too)
{
        struct vigil_observed o = {.flags = VIGIL_OBS_MAIN | VIGIL_OBS_SQLITE | VIGIL_OBS_JOURNAL};
        ck_assert(reader_is_confirmed(&o));
        o.flags |= VIGIL_OBS_JOURNAL_HOT;
        ck_assert(!reader_is_confirmed(&o));
        o.flags |= VIGIL_OBS_JOURNAL_STALE;
        ck_assert(reader_is_confirmed(&o));
        o.error = -EACCES;
        ck_assert(!reader_is_confirmed(&o));
        o = (struct vigil_observed){0};
        ck_assert(!reader_is_confirmed(&o));
}
END_TEST

START_TEST(who_had_it_open_counts_only_as_the_last_to_close_it)
{
        struct vigil_use u = opener();
        struct vigil_db now = {0};
        u.first_ns = DIED - 1;
        u.locks = 0;
        ck_assert(closer_counts(&u, &now));
        now.users = 1;
        ck_assert(!closer_counts(&u, &now));
        now.users = 0;
        u.locks_at_end = VIGIL_LOCK_WAL_CKPT;
        ck_assert(!closer_counts(&u, &now));
        u = opener();
        u.flags = VIGIL_USE_OPENED;
        u.locks = 0;
        ck_assert(!closer_counts(&u, &now));
}
END_TEST

START_TEST(a_log_that_is_left_is_not_nothing)
{
        struct vigil_observed o = {.flags = VIGIL_OBS_MAIN | VIGIL_OBS_SQLITE | VIGIL_OBS_WAL_MODE};
        ck_assert(closer_is_confirmed(&o));
        o.flags |= VIGIL_OBS_WAL;
        ck_assert(!closer_is_confirmed(&o));
        o.flags = VIGIL_OBS_MAIN | VIGIL_OBS_SQLITE | VIGIL_OBS_JOURNAL_HOT;
        ck_assert(!closer_is_confirmed(&o));
}
END_TEST

SUITE("readers", who_opened_it_after_the_death_and_took_locks_counts,
      who_was_there_before_or_took_no_locks_does_not, who_may_be_recovering_does_not,
      who_cannot_write_could_not_have_recovered, a_journal_that_is_hot_or_was_taken_refutes_it,
      the_files_must_say_so_too, who_had_it_open_counts_only_as_the_last_to_close_it,
      a_log_that_is_left_is_not_nothing)
