/* test_living.c - what is said of processes that outlive the watch. */
#include "report/report.h"

#include "stream.h"
#include "suite.h"

/* A process that lives, and the account of its database at the end. */
static void living(struct stream *s, const struct actor *a)
{
        struct vigil_ledger_rec l = {.db = a->db};
        stream_open(s);
        stream_act(s, a, VIGIL_LIVE);
        stream_put(s, &l, VIGIL_LEDGER, sizeof(l), true);
        stream_close(s);
}

/* It has a write transaction in WAL mode, as the kernel side counted it. */
static struct actor writer(void)
{
        struct actor a = actor(100, "app");
        a.use.locks_at_end = VIGIL_LOCK_SHARED | VIGIL_LOCK_DMS | VIGIL_LOCK_WAL_WRITE | VIGIL_LOCK_WAL_READ1;
        a.use.write_lock_ns = 50 * SECOND;
        a.db.flags = VIGIL_DB_WAL_SEEN;
        a.db.txn = VIGIL_TXN_WAL;
        a.db.txn_tgid = 100;
        a.db.txn_start_ns = START_NS + 100;
        a.db.txn_since_ns = 50 * SECOND;
        a.db.file[VIGIL_ROLE_WAL] = (struct vigil_ledger){.ino = 201, .written = 8272, .durable = 72, .end = 8272};
        return a;
}

static struct holding held(const struct stream *s, struct detection **ret)
{
        *ret = stream_judge(s);
        const struct model *m = detection_model(*ret);
        ck_assert_uint_eq(model_n_living(m), 1);
        return holding_of(model_living(m, 0), &model_living(m, 0)->use[0]);
}

START_TEST(an_open_transaction_has_its_time_and_its_locks)
{
        struct stream s;
        struct detection *d;
        struct actor a = writer();
        living(&s, &a);
        struct holding h = held(&s, &d);
        ck_assert_int_eq(h.held, HELD_WRITE);
        ck_assert_uint_eq(h.since_ns, 50 * SECOND);
        ck_assert_uint_eq(h.locks, a.use.locks_at_end);
        ck_assert(!h.late);
        stream_done(&s, d);
}
END_TEST

START_TEST(a_transaction_that_was_open_before_the_watch_has_no_time)
{
        struct stream s;
        struct detection *d;
        struct actor a = writer();
        a.use.flags |= VIGIL_USE_SEEN_LATE;
        a.use.write_lock_ns = 0; /* nobody saw it take the lock */
        living(&s, &a);
        struct holding h = held(&s, &d);
        ck_assert_int_eq(h.held, HELD_WRITE);
        ck_assert_uint_eq(h.since_ns, 0);
        ck_assert(h.late);
        stream_done(&s, d);
}
END_TEST

START_TEST(the_transaction_of_another_is_not_its_own)
{
        struct stream s;
        struct detection *d;
        struct actor a = writer();
        a.use.locks_at_end = VIGIL_LOCK_SHARED | VIGIL_LOCK_DMS;
        a.db.txn_tgid = 101;
        living(&s, &a);
        ck_assert_int_eq(held(&s, &d).held, HELD_NONE);
        stream_done(&s, d);
}
END_TEST

START_TEST(a_read_mark_is_a_read_transaction)
{
        struct stream s;
        struct detection *d;
        struct actor a = actor(100, "app");
        a.use.locks_at_end = VIGIL_LOCK_SHARED | VIGIL_LOCK_DMS | VIGIL_LOCK_WAL_READ2;
        living(&s, &a);
        struct holding h = held(&s, &d);
        ck_assert_int_eq(h.held, HELD_READ);
        ck_assert_uint_eq(h.since_ns, 0);
        stream_done(&s, d);
}
END_TEST

START_TEST(locks_that_could_not_be_read_are_those_that_were_tracked)
{
        struct stream s;
        struct detection *d;
        struct actor a = writer();
        a.use.locks_at_end = 0;
        a.use.locks = VIGIL_LOCK_WAL_WRITE;
        a.use.flags |= VIGIL_USE_LOCKS_UNKNOWN;
        living(&s, &a);
        ck_assert_uint_eq(held(&s, &d).locks, VIGIL_LOCK_WAL_WRITE);
        stream_done(&s, d);
}
END_TEST

START_TEST(the_document_tells_of_the_living_and_of_the_debts)
{
        struct stream s;
        struct actor a = writer();
        a.db.file[VIGIL_ROLE_WAL].flags = VIGIL_LEDGER_SEEN_LATE;
        a.db.wal_commits = 3;
        a.db.wal_commits_durable = 1;
        living(&s, &a);
        struct detection *d = stream_judge(&s);
        json_t *r = NULL;
        ck_assert_int_eq(report_build(d, NULL, &r), 0);
        const char *comm, *transaction, *since, *lock, *file;
        int bytes, late, bound, commits, tainted;
        ck_assert_int_eq(json_unpack(r,
                                     "{s:[{s:[{s:s, s:s, s:s, s:b, s:[s,s,s]}], s:[{s:s, s:i}], s:b, s:i, s:b}]}",
                                     "databases", "processes", "comm", &comm, "transaction", &transaction,
                                     "transaction_since", &since, "seen_late", &late, "locks", &lock, &lock, &lock,
                                     "at_risk", "file", &file, "bytes", &bytes, "at_risk_lower_bound", &bound,
                                     "commits_at_risk", &commits, "tainted", &tainted),
                         0);
        ck_assert_str_eq(transaction, "write");
        ck_assert_str_eq(lock, "wal-read-1");
        ck_assert_str_eq(file, "wal");
        ck_assert_int_eq(bytes, 8200);
        ck_assert(bound && !late && !tainted);
        ck_assert_int_eq(commits, 2);
        ck_assert_uint_eq(strlen(since), strlen("2026-11-21T03:15:02.000000Z"));
        json_decref(r);
        stream_done(&s, d);
}
END_TEST

START_TEST(a_sync_that_was_seen_ends_the_doubt_about_earlier_writes)
{
        struct debts d;
        struct vigil_db db = {0};
        struct vigil_ledger *main = &db.file[VIGIL_ROLE_MAIN];
        main->flags = VIGIL_LEDGER_SEEN_LATE;
        debts_of(&db, &d);
        ck_assert(d.lower_bound);
        main->last_sync_ns = 1;
        debts_of(&db, &d);
        ck_assert(!d.lower_bound);
}
END_TEST

SUITE("living", an_open_transaction_has_its_time_and_its_locks,
      a_transaction_that_was_open_before_the_watch_has_no_time, the_transaction_of_another_is_not_its_own,
      a_read_mark_is_a_read_transaction, locks_that_could_not_be_read_are_those_that_were_tracked,
      the_document_tells_of_the_living_and_of_the_debts, a_sync_that_was_seen_ends_the_doubt_about_earlier_writes)
