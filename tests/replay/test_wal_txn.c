/* test_wal_txn.c - what tells of a write transaction in WAL mode: its lock, or its frames alone. */
#include "stream.h"
#include "suite.h"

static void one(const struct actor *a, uint16_t type, const char *verdict, const char *reasons,
                const char *findings)
{
        struct stream s;
        stream_open(&s);
        stream_act(&s, a, type);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        expect(d, verdict, reasons, findings);
        stream_done(&s, d);
}

START_TEST(wal_in_locking_mode_exclusive_does_not_tell_an_open_transaction_from_a_rollback)
{
        struct actor a = actor(100, "app");
        a.use.locks_at_end = VIGIL_LOCK_EXCLUSIVE;
        a.use.flags |= VIGIL_USE_OPEN_AT_END;
        a.db.flags = VIGIL_DB_WAL_SEEN | VIGIL_DB_EXCLUSIVE;
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "abrupt", "connection-left-open", "P2 abrupt-death");
        a.db.wal_frames_open = 3; /* of one that died before it */
        one(&a, VIGIL_EXIT, "abrupt", "connection-left-open", "P2 abrupt-death");
        a.db.txn = VIGIL_TXN_WAL;
        a.use.flags |= VIGIL_USE_TXN_OWNER;
        one(&a, VIGIL_EXIT, "unknown", "rollback-unseen", "P2 abrupt-death");
        a.use.locks_at_end |= VIGIL_LOCK_DMS; /* the mode was set when the -shm was there already */
        one(&a, VIGIL_EXIT, "unknown", "rollback-unseen", "P2 abrupt-death");
        a.use.locks_at_end = 0; /* unix-none */
        one(&a, VIGIL_EXIT, "unknown", "rollback-unseen", "P2 abrupt-death");
        a.db.wal_frames_open = 0; /* it has written nothing, or committed it */
        one(&a, VIGIL_EXIT, "abrupt", "connection-left-open", "P2 abrupt-death");
        a.exit_code = 0;
        a.db.wal_frames_open = 3;
        one(&a, VIGIL_EXIT, "unknown", "rollback-unseen", "");
}
END_TEST

/* In locking_mode NORMAL the write lock tells, also when a close() of another descriptor has taken it away. */
START_TEST(a_write_lock_of_the_wal_that_a_close_took_away_is_a_transaction)
{
        struct actor a = actor(100, "app");
        a.db.flags = VIGIL_DB_WAL_SEEN;
        a.db.txn = VIGIL_TXN_WAL;
        a.use.flags |= VIGIL_USE_TXN_OWNER | VIGIL_USE_LOCKED;
        a.use.locks = VIGIL_LOCK_SHARED | VIGIL_LOCK_DMS | VIGIL_LOCK_WAL_WRITE;
        one(&a, VIGIL_EXIT, "unclean", "write-transaction-open", "P1 unclean-death");
        killed(&a, SIGKILL);
        a.use.locks_at_end = VIGIL_LOCK_SHARED;
        a.use.flags |= VIGIL_USE_OPEN_AT_END;
        one(&a, VIGIL_EXIT, "unclean", "write-transaction-open", "P1 unclean-death");
        a.db.wal_frames_open = 3;
        one(&a, VIGIL_EXIT, "unclean", "write-transaction-open", "P1 unclean-death");

        a.use.flags &= ~(uint32_t)VIGIL_USE_TXN_OWNER; /* others could take the lock, and did */
        one(&a, VIGIL_EXIT, "unclean", "write-transaction-open", "P1 unclean-death");
        a.use.locks |= VIGIL_LOCK_WAL_RECOVER;
        one(&a, VIGIL_EXIT, "abrupt", "read-transaction-open", "P2 abrupt-death");
        a.use.locks = VIGIL_LOCK_SHARED | VIGIL_LOCK_DMS | VIGIL_LOCK_WAL_CKPT;
        one(&a, VIGIL_EXIT, "unclean", "checkpoint-interrupted", "P1 unclean-death");
}
END_TEST

START_TEST(locks_that_were_given_back_are_no_transaction_though_the_account_has_them)
{
        struct actor a = actor(100, "app");
        a.db.flags = VIGIL_DB_WAL_SEEN;
        a.use.flags |= VIGIL_USE_LOCKED | VIGIL_USE_OPEN_AT_END;
        a.use.locks = VIGIL_LOCK_SHARED | VIGIL_LOCK_DMS | VIGIL_LOCK_WAL_WRITE | VIGIL_LOCK_WAL_CKPT;
        a.use.locks_at_end = VIGIL_LOCK_SHARED | VIGIL_LOCK_DMS; /* the kernel's own list */
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "abrupt", "connection-left-open", "P2 abrupt-death");
}
END_TEST

SUITE("wal_txn", wal_in_locking_mode_exclusive_does_not_tell_an_open_transaction_from_a_rollback,
      a_write_lock_of_the_wal_that_a_close_took_away_is_a_transaction,
      locks_that_were_given_back_are_no_transaction_though_the_account_has_them)
