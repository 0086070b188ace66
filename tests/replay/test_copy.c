/* test_copy.c - copies of a live database, out of synthetic streams. */
#include "stream.h"
#include "suite.h"

#define SIZE 40960

/* The reader opens the main file when it had been written @before times, and has read @bytes when it had been @after times. */
static void put_copy(struct stream *s, uint32_t tgid, uint64_t before, uint64_t after, uint32_t bytes, uint32_t txn)
{
        struct vigil_op open = {.id = ident(tgid, "cp"),
                                .e = {.ns = 100, .db = 1, .role = VIGIL_ROLE_MAIN, .op = VIGIL_OP_OPEN},
                                .file_writes = before};
        struct vigil_op read = {.id = ident(tgid, "cp"),
                                .e = {.ns = 200,
                                      .db = 1,
                                      .role = VIGIL_ROLE_MAIN,
                                      .op = VIGIL_OP_COPY_FROM,
                                      .bytes = bytes,
                                      .result = (int32_t)bytes},
                                .file_writes = after,
                                .txn_db_writes = txn};
        struct vigil_ledger_rec ledger = {.db = {.id = 1, .page_size = PAGE}};

        ledger.db.file[VIGIL_ROLE_MAIN].size = SIZE;
        stream_put(s, &open, VIGIL_OPEN, sizeof(open), false);
        stream_put(s, &read, VIGIL_OP, sizeof(read), false);
        stream_put(s, &ledger, VIGIL_LEDGER, sizeof(ledger), true);
}

static struct detection *judge(struct stream *s, uint64_t before, uint64_t after, uint32_t bytes, uint32_t txn)
{
        stream_open(s);
        put_copy(s, 300, before, after, bytes, txn);
        stream_close(s);
        return stream_judge(s);
}

START_TEST(a_copy_that_overlaps_a_write_is_unsafe)
{
        struct stream s;
        struct detection *d = judge(&s, 7, 9, SIZE, 0);
        ck_assert_str_eq(findings_of(d), "P2 unsafe-copy");
        ck_assert_uint_eq(detection_finding(d, 0)->process.tgid, 300);
        stream_done(&s, d);
}
END_TEST

START_TEST(a_copy_inside_a_transaction_that_changed_the_file_is_unsafe)
{
        struct stream s;
        struct detection *d = judge(&s, 7, 7, SIZE, 3);
        ck_assert_str_eq(findings_of(d), "P2 unsafe-copy");
        stream_done(&s, d);
}
END_TEST

START_TEST(a_copy_of_an_idle_database_is_quiet)
{
        struct stream s;
        struct detection *d = judge(&s, 7, 7, SIZE, 0);
        ck_assert_str_eq(findings_of(d), "");
        stream_done(&s, d);
}
END_TEST

START_TEST(a_look_at_the_header_is_no_copy)
{
        struct stream s;
        struct detection *d = judge(&s, 7, 9, 4096, 0);
        ck_assert_str_eq(findings_of(d), "");
        stream_done(&s, d);
}
END_TEST

START_TEST(a_reader_that_took_locks_is_sqlite_and_quiet)
{
        struct stream s;
        struct actor a = actor(300, "cp");
        a.use.flags |= VIGIL_USE_LOCKED;
        stream_open(&s);
        put_copy(&s, 300, 7, 9, SIZE, 0);
        stream_act(&s, &a, VIGIL_EXIT);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        ck_assert_str_eq(findings_of(d), "");
        stream_done(&s, d);
}
END_TEST

SUITE("copy", a_copy_that_overlaps_a_write_is_unsafe, a_copy_inside_a_transaction_that_changed_the_file_is_unsafe,
      a_copy_of_an_idle_database_is_quiet, a_look_at_the_header_is_no_copy,
      a_reader_that_took_locks_is_sqlite_and_quiet)
