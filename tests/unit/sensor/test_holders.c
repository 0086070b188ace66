/* test_holders.c - which of the host's locks keep a process waiting. */
#include "bpf/abi.h"
#include "sensor/holders.h"
#include "suite.h"

#define PENDING  0x40000000ull
#define RESERVED 0x40000001ull
#define SHARED   0x40000002ull
#define LAST     0x400001ffull

static const struct lock_files files = {.dev = {7, 7}, .ino = {100, 101}};

static struct evidence_wait find(uint32_t wanted, const struct proc_lock *lock, size_t n)
{
        struct evidence_wait w = {.db = 1, .lock = wanted};

        holders_find(lock, n, &files, 1, &w);
        return w;
}

START_TEST(a_writer_waits_for_the_other_writer_and_not_for_readers)
{
        const struct proc_lock lock[] = {{2, 7, 101, 124, 124, 0, 0}, {3, 7, 101, 120, 120, 1, 0}};
        struct evidence_wait w = find(VIGIL_LOCK_WAL_WRITE, lock, 2);

        ck_assert_uint_eq(w.nholders, 1);
        ck_assert_uint_eq(w.holder[0].id.tgid, 3);
        ck_assert_uint_eq(w.holder[0].locks, VIGIL_LOCK_WAL_WRITE);
}
END_TEST

START_TEST(exclusive_waits_for_every_reader)
{
        const struct proc_lock lock[] = {{1, 7, 100, PENDING, RESERVED, 1, 0},
                                         {2, 7, 100, SHARED, LAST, 0, 0},
                                         {3, 7, 100, SHARED, LAST, 0, 0}};
        struct evidence_wait w = find(VIGIL_LOCK_EXCLUSIVE, lock, 3);

        ck_assert_uint_eq(w.nholders, 2);
        ck_assert_uint_eq(w.holder[0].id.tgid, 2);
        ck_assert_uint_eq(w.holder[1].id.tgid, 3);
}
END_TEST

START_TEST(a_holder_is_told_with_all_that_it_holds)
{
        const struct proc_lock lock[] = {
                {2, 7, 101, 128, 128, 0, 0}, {2, 7, 100, SHARED, LAST, 0, 0}, {2, 7, 101, 120, 121, 1, 0}};
        struct evidence_wait w = find(VIGIL_LOCK_WAL_CKPT, lock, 3);

        ck_assert_uint_eq(w.nholders, 1);
        ck_assert_uint_eq(w.holder[0].locks,
                          VIGIL_LOCK_DMS | VIGIL_LOCK_SHARED | VIGIL_LOCK_WAL_WRITE | VIGIL_LOCK_WAL_CKPT);
        ck_assert_uint_eq(w.holder[0].conflicting, VIGIL_LOCK_WAL_CKPT); /* and with what is in the way */
}
END_TEST

START_TEST(a_checkpoint_waits_for_the_mark_that_it_wants)
{
        const struct proc_lock lock[] = {{2, 7, 101, 124, 124, 0, 0}, {3, 7, 101, 125, 125, 0, 0}};
        struct evidence_wait w = find(VIGIL_LOCK_WAL_READ2, lock, 2);

        ck_assert_uint_eq(w.nholders, 1);
        ck_assert_uint_eq(w.holder[0].id.tgid, 3);
}
END_TEST

START_TEST(other_files_waiters_and_itself_hold_nothing)
{
        const struct proc_lock lock[] = {{2, 7, 999, 120, 120, 1, 0},
                                         {2, 8, 101, 120, 120, 1, 0},
                                         {3, 7, 101, 120, 120, 1, 1},
                                         {1, 7, 101, 120, 120, 1, 0}};
        struct evidence_wait w = find(VIGIL_LOCK_WAL_WRITE, lock, 4);

        ck_assert_uint_eq(w.nholders, 0);
}
END_TEST

START_TEST(more_holders_than_are_told_are_counted)
{
        struct proc_lock lock[10];

        for (uint32_t i = 0; i < 10; i++)
                lock[i] = (struct proc_lock){i + 2, 7, 100, SHARED, LAST, 0, 0};
        struct evidence_wait w = find(VIGIL_LOCK_EXCLUSIVE, lock, 10);
        ck_assert_uint_eq(w.nholders, 10);
        ck_assert_uint_eq(w.holder[EVIDENCE_HOLDERS - 1].id.tgid, EVIDENCE_HOLDERS + 1);
}
END_TEST

START_TEST(a_process_may_have_as_many_lines_as_it_likes)
{
        enum { LINES = 65536 };
        struct proc_lock *lock = calloc(LINES, sizeof(*lock));

        ck_assert_ptr_nonnull(lock);
        for (unsigned i = 0; i < LINES; i++) { /* of open files, which belong to no process, and one of a process */
                uint64_t at = SHARED + i % 510;
                lock[i] = (struct proc_lock){i == LINES / 2 ? 9 : 0, 7, 100, at, at, 0, 0};
        }
        struct evidence_wait w = find(VIGIL_LOCK_EXCLUSIVE, lock, LINES);
        ck_assert_uint_eq(w.nholders, 2);
        ck_assert_uint_eq(w.holder[1].id.tgid, 9);
        free(lock);
}
END_TEST

START_TEST(a_reader_waits_for_who_is_about_to_write)
{
        const struct proc_lock lock[] = {{2, 7, 100, PENDING, LAST, 1, 0}};
        struct evidence_wait w = find(VIGIL_LOCK_SHARED, lock, 1);

        ck_assert_uint_eq(w.nholders, 1);
        ck_assert(w.holder[0].locks & VIGIL_LOCK_EXCLUSIVE);
}
END_TEST

SUITE("holders", a_writer_waits_for_the_other_writer_and_not_for_readers, exclusive_waits_for_every_reader,
      a_holder_is_told_with_all_that_it_holds, a_checkpoint_waits_for_the_mark_that_it_wants,
      other_files_waiters_and_itself_hold_nothing, more_holders_than_are_told_are_counted,
      a_reader_waits_for_who_is_about_to_write, a_process_may_have_as_many_lines_as_it_likes)
