/* test_verdicts.c - each row of the verdict table, out of a synthetic stream. */
#include "stream.h"
#include "suite.h"

/* One process that ended, in a complete stream. */
static struct detection *judge_one(struct stream *s, const struct actor *a, uint16_t type)
{
        stream_open(s);
        stream_act(s, a, type);
        stream_close(s);
        return stream_judge(s);
}

static void one(const struct actor *a, uint16_t type, const char *verdict, const char *reasons,
                const char *findings)
{
        struct stream s;
        struct detection *d = judge_one(&s, a, type);
        expect(d, verdict, reasons, findings);
        stream_done(&s, d);
}

static void in_wal(struct actor *a)
{
        a->db.flags |= VIGIL_DB_WAL_SEEN;
        a->db.file[VIGIL_ROLE_WAL] = (struct vigil_ledger){
                .ino = 201, .size = 32, .written = 32, .durable = 32, .flags = VIGIL_LEDGER_SIZED};
}

static void in_rollback_txn(struct actor *a)
{
        a->use.locks_at_end = VIGIL_LOCK_SHARED | VIGIL_LOCK_RESERVED;
        a->use.flags |= VIGIL_USE_TXN_OWNER | VIGIL_USE_OPEN_AT_END;
        a->db.txn = VIGIL_TXN_ROLLBACK;
        a->db.txn_tgid = a->pid;
}

START_TEST(a_process_that_closed_everything_is_clean)
{
        struct actor a = actor(100, "app");
        one(&a, VIGIL_EXIT, "clean", "", "");
}
END_TEST

START_TEST(any_exit_status_is_clean_when_the_database_was_closed)
{
        struct actor a = actor(100, "app");
        a.exit_code = 3 << 8;
        one(&a, VIGIL_EXIT, "clean", "", "");
}
END_TEST

START_TEST(a_kill_after_the_close_is_clean)
{
        struct actor a = actor(100, "app");
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "clean", "", "");
}
END_TEST

START_TEST(exit_0_without_close_is_abrupt_and_no_finding)
{
        struct actor a = actor(100, "app");
        in_wal(&a);
        a.use.locks_at_end = VIGIL_LOCK_SHARED | VIGIL_LOCK_DMS;
        a.use.flags |= VIGIL_USE_OPEN_AT_END;
        one(&a, VIGIL_EXIT, "abrupt", "connection-left-open", "");
}
END_TEST

START_TEST(an_idle_rollback_connection_is_known_by_its_descriptor_alone)
{
        struct actor a = actor(100, "app");
        a.use.flags |= VIGIL_USE_OPEN_AT_END;
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "abrupt", "connection-left-open", "P2 abrupt-death");
}
END_TEST

START_TEST(a_killed_wal_reader_had_a_read_transaction)
{
        struct actor a = actor(100, "app");
        in_wal(&a);
        a.use.locks_at_end = VIGIL_LOCK_SHARED | VIGIL_LOCK_DMS | VIGIL_LOCK_WAL_READ1;
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "abrupt", "read-transaction-open", "P2 abrupt-death");
}
END_TEST

START_TEST(shared_without_wal_index_is_a_rollback_reader)
{
        struct actor a = actor(100, "app");
        a.use.locks_at_end = VIGIL_LOCK_SHARED;
        killed(&a, SIGTERM);
        one(&a, VIGIL_EXIT, "abrupt", "read-transaction-open", "P2 abrupt-death");
}
END_TEST

START_TEST(reserved_with_a_cold_journal_is_a_write_transaction)
{
        struct actor a = actor(100, "app");
        in_rollback_txn(&a);
        a.db.txn_journal_writes = 3;
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "unclean", "write-transaction-open", "P1 unclean-death");
}
END_TEST

START_TEST(a_changed_main_file_with_a_hot_journal_must_be_rolled_back)
{
        struct actor a = actor(100, "app");
        in_rollback_txn(&a);
        a.use.locks_at_end |= VIGIL_LOCK_PENDING | VIGIL_LOCK_EXCLUSIVE;
        a.db.txn_journal_writes = 9;
        a.db.txn_db_writes = 2;
        a.db.journal_hot = 1;
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "unclean", "write-transaction-open,hot-journal", "P1 unclean-death");
}
END_TEST

START_TEST(a_wal_writer_died_inside_its_transaction)
{
        struct actor a = actor(100, "app");
        in_wal(&a);
        a.use.locks_at_end = VIGIL_LOCK_SHARED | VIGIL_LOCK_DMS | VIGIL_LOCK_WAL_READ1 | VIGIL_LOCK_WAL_WRITE;
        a.db.wal_frames_open = 2;
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "unclean", "write-transaction-open", "P1 unclean-death");
}
END_TEST

START_TEST(a_writer_that_left_by_exit_inside_its_transaction_is_unclean_too)
{
        struct actor a = actor(100, "app");
        in_wal(&a);
        a.use.locks_at_end = VIGIL_LOCK_SHARED | VIGIL_LOCK_DMS | VIGIL_LOCK_WAL_WRITE;
        one(&a, VIGIL_EXIT, "unclean", "write-transaction-open", "P1 unclean-death");
}
END_TEST

START_TEST(a_checkpoint_was_interrupted)
{
        struct actor a = actor(100, "app");
        in_wal(&a);
        a.use.locks_at_end = VIGIL_LOCK_SHARED | VIGIL_LOCK_DMS | VIGIL_LOCK_WAL_CKPT | VIGIL_LOCK_WAL_READ0_WR;
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "unclean", "checkpoint-interrupted", "P1 unclean-death");
}
END_TEST

START_TEST(a_full_checkpoint_holds_the_write_lock_without_a_transaction)
{
        struct actor a = actor(100, "app");
        in_wal(&a);
        a.use.locks_at_end = VIGIL_LOCK_SHARED | VIGIL_LOCK_DMS | VIGIL_LOCK_WAL_CKPT | VIGIL_LOCK_WAL_WRITE;
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "unclean", "checkpoint-interrupted", "P1 unclean-death");
}
END_TEST

START_TEST(a_wal_recovery_is_neither_transaction_nor_checkpoint)
{
        struct actor a = actor(100, "app");
        in_wal(&a);
        a.use.locks_at_end = VIGIL_LOCK_SHARED | VIGIL_LOCK_DMS | VIGIL_LOCK_WAL_CKPT | VIGIL_LOCK_WAL_RECOVER |
                             VIGIL_LOCK_WAL_WRITE;
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "abrupt", "connection-left-open", "P2 abrupt-death");
}
END_TEST

START_TEST(who_makes_the_shm_for_a_recovery_has_no_transaction_yet)
{
        struct actor a = actor(100, "app");
        in_wal(&a);
        a.use.locks_at_end = VIGIL_LOCK_SHARED | VIGIL_LOCK_DMS | VIGIL_LOCK_WAL_WRITE;
        a.use.write_lock_ns = 1000;
        a.db.txn = VIGIL_TXN_WAL;
        a.db.file[VIGIL_ROLE_SHM].last_write_ns = 2000;
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "abrupt", "connection-left-open", "P2 abrupt-death");

        a.use.locks_at_end |= VIGIL_LOCK_WAL_READ1; /* a writer, whose frames need a longer one */
        one(&a, VIGIL_EXIT, "unclean", "write-transaction-open", "P1 unclean-death");
        a.use.locks_at_end &= ~(uint32_t)VIGIL_LOCK_WAL_READ1;
        a.use.write_lock_ns = 3000; /* it was made before */
        one(&a, VIGIL_EXIT, "unclean", "write-transaction-open", "P1 unclean-death");
}
END_TEST

START_TEST(a_death_while_a_hot_journal_is_rolled_back_leaves_it_hot)
{
        struct actor a = actor(100, "app");
        a.use.locks_at_end = VIGIL_LOCK_EXCLUSIVE | VIGIL_LOCK_PENDING;
        a.use.flags |= VIGIL_USE_TXN_OWNER;
        a.db.txn = VIGIL_TXN_RECOVERY;
        a.db.txn_db_writes = 1;
        a.db.journal_hot = 1;
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "unclean", "hot-journal", "P1 unclean-death");
}
END_TEST

START_TEST(a_changed_main_file_without_a_journal_is_p0)
{
        struct actor a = actor(100, "app");
        in_rollback_txn(&a);
        a.db.txn_db_writes = 2;
        a.db.file[VIGIL_ROLE_MAIN].written = 3 * PAGE;
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "unclean", "no-journal,bytes-at-risk", "P1 unclean-death,P0 no-journal");
}
END_TEST

/* journal_mode MEMORY or OFF: the commit has begun, and neither lock nor sync would tell of its end. */
static struct actor may_have_ended(void)
{
        struct actor a = actor(100, "app");
        in_rollback_txn(&a);
        a.use.locks_at_end |= VIGIL_LOCK_EXCLUSIVE;
        a.db.txn_db_writes = 2;
        a.db.flags |= VIGIL_DB_NO_JOURNAL | VIGIL_DB_END_POSSIBLE;
        a.db.file[VIGIL_ROLE_MAIN].written = 3 * PAGE;
        return a;
}

START_TEST(a_transaction_that_may_have_ended_unseen_is_unknown)
{
        struct actor a = may_have_ended();
        killed(&a, SIGKILL);
        struct stream s;
        struct detection *d = judge_one(&s, &a, VIGIL_EXIT);
        expect(d, "unknown", "transaction-end-unseen,bytes-at-risk", "P2 abrupt-death");
        const struct certificate *c = detection_certificate(d, 0);
        ck_assert_str_eq(held_txn_name(c->held), "unknown");
        ck_assert_ptr_null(strstr(c->prediction, "no committed transaction is lost"));
        stream_done(&s, d);
}
END_TEST

START_TEST(who_leaves_by_itself_after_an_unseen_end_is_unknown_and_no_finding)
{
        struct actor a = may_have_ended();
        one(&a, VIGIL_EXIT, "unknown", "transaction-end-unseen,bytes-at-risk", "");
}
END_TEST

START_TEST(a_transaction_is_open_when_ends_are_seen_and_this_one_was_not)
{
        struct actor a = may_have_ended();
        a.use.flags |= VIGIL_USE_ENDS_SEEN;
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "unclean", "no-journal,bytes-at-risk", "P1 unclean-death,P0 no-journal");
}
END_TEST

START_TEST(a_sync_of_the_whole_file_system_is_no_end_of_a_transaction)
{
        struct actor a = may_have_ended();
        a.db.flags = VIGIL_DB_NO_JOURNAL;
        a.db.file[VIGIL_ROLE_MAIN].durable = a.db.file[VIGIL_ROLE_MAIN].written;
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "unclean", "no-journal", "P1 unclean-death,P0 no-journal");
}
END_TEST

START_TEST(a_journal_that_is_gone_in_the_middle_is_no_journal)
{
        struct actor a = actor(100, "app");
        in_rollback_txn(&a);
        a.db.txn_db_writes = 2;
        a.db.txn_journal_writes = 5;
        killed(&a, SIGKILL);
        struct stream s;
        stream_open(&s);
        stream_act(&s, &a, VIGIL_EXIT);
        stream_observed(&s, &a,
                        (struct vigil_observed){.flags = VIGIL_OBS_MAIN | VIGIL_OBS_SQLITE, .main_bytes = PAGE});
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        expect(d, "unclean", "no-journal", "P1 unclean-death,P0 no-journal");
        stream_done(&s, d);
}
END_TEST

START_TEST(a_lost_snapshot_makes_a_clean_end_unknown_and_keeps_locks)
{
        struct actor a = actor(100, "app");
        a.no_snapshot = true;
        one(&a, VIGIL_EXIT, "unknown", "snapshot-lost", "");
        a.use.locks_at_end = VIGIL_LOCK_RESERVED;
        one(&a, VIGIL_EXIT, "unclean", "write-transaction-open", "P1 unclean-death");
}
END_TEST

START_TEST(locks_and_descriptors_that_could_not_be_read_make_unknown)
{
        struct actor a = actor(100, "app");
        a.use.flags |= VIGIL_USE_LOCKS_UNKNOWN;
        one(&a, VIGIL_EXIT, "unknown", "locks-unknown", "");
        a.use.flags = VIGIL_USE_OPENED | VIGIL_USE_FDS_UNKNOWN;
        one(&a, VIGIL_EXIT, "unknown", "descriptors-unknown", "");
        in_wal(&a); /* here a connection would have held SHARED */
        one(&a, VIGIL_EXIT, "clean", "", "");
}
END_TEST

START_TEST(a_writer_without_any_lock_is_unknown_only_when_a_signal_cut_it_short)
{
        struct actor a = actor(100, "cp");
        a.use.flags = VIGIL_USE_OPENED | VIGIL_USE_WROTE;
        one(&a, VIGIL_EXIT, "clean", "", "");
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "unknown", "written-without-locks", "P2 abrupt-death");
        a.use.flags |= VIGIL_USE_LOCKED;
        one(&a, VIGIL_EXIT, "clean", "", "");
        a.use.flags |= VIGIL_USE_UNLOCKED; /* it had closed its connection and wrote afterwards */
        one(&a, VIGIL_EXIT, "unknown", "written-without-locks", "P2 abrupt-death");
}
END_TEST

START_TEST(a_writer_without_locks_predicts_nothing_of_a_wal_that_is_not_of_its_file)
{
        struct stream s;
        struct actor a = actor(100, "cp");
        a.use.flags = VIGIL_USE_OPENED | VIGIL_USE_WROTE | VIGIL_USE_UNLOCKED;
        stream_open(&s);
        stream_act(&s, &a, VIGIL_EXIT);
        struct vigil_observed o = {.flags = VIGIL_OBS_MAIN | VIGIL_OBS_SQLITE | VIGIL_OBS_WAL,
                                   .main_bytes = PAGE,
                                   .wal_bytes = 8272,
                                   .wal_frames = 2,
                                   .wal_commits = 1};
        stream_observed(&s, &a, o);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        expect(d, "clean", "", "");
        ck_assert_ptr_nonnull(strstr(detection_certificate(d, 0)->prediction, "may not belong to it"));
        stream_done(&s, d);
}
END_TEST

START_TEST(a_second_name_hides_a_wal_but_no_lock_on_the_main_file)
{
        struct actor a = actor(100, "app");
        a.use.flags |= VIGIL_USE_SECOND_NAME;
        one(&a, VIGIL_EXIT, "clean", "", "");
        a.use.locks_at_end = VIGIL_LOCK_SHARED;
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "unknown", "second-name", "P2 abrupt-death");
        in_rollback_txn(&a);
        a.use.locks_at_end |= VIGIL_LOCK_EXCLUSIVE;
        a.db.txn_db_writes = 2; /* its journal has the other name: that none was seen proves nothing */
        one(&a, VIGIL_EXIT, "unclean", "write-transaction-open", "P1 unclean-death");
}
END_TEST

START_TEST(a_server_decides_on_a_remote_file_system)
{
        struct actor a = actor(100, "app");
        a.db.file[VIGIL_ROLE_MAIN].flags |= VIGIL_LEDGER_REMOTE;
        one(&a, VIGIL_EXIT, "unknown", "remote-filesystem", "");
}
END_TEST

START_TEST(a_kill_in_the_middle_of_a_sync_is_added)
{
        struct actor a = actor(100, "app");
        in_rollback_txn(&a);
        a.db.txn_journal_writes = 1;
        a.use.flags |= VIGIL_USE_SYNCING;
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "unclean", "write-transaction-open,killed-in-sync",
            "P1 unclean-death,P2 killed-in-sync");
}
END_TEST

/* The streams of stream.h end with a sync, later than any signal at 0. */
START_TEST(a_sync_that_outlived_the_kill_was_in_flight)
{
        struct actor a = actor(100, "app");
        in_rollback_txn(&a);
        a.db.txn_journal_writes = 1;
        killed(&a, SIGKILL);
        a.signal[0].syncs_in_flight = 1;
        one(&a, VIGIL_EXIT, "unclean", "write-transaction-open,killed-in-sync",
            "P1 unclean-death,P2 killed-in-sync");
        a.signal[0].ns = UINT64_MAX; /* it had ended before: the one in flight was of another file */
        one(&a, VIGIL_EXIT, "unclean", "write-transaction-open", "P1 unclean-death");
}
END_TEST

START_TEST(bytes_at_risk_are_told_also_of_the_clean)
{
        struct actor a = actor(100, "app");
        a.db.file[VIGIL_ROLE_MAIN].written = 2 * PAGE;
        one(&a, VIGIL_EXIT, "clean", "bytes-at-risk", "");
}
END_TEST

static void killed_with_a_hot_journal(struct actor *a, unsigned db_writes)
{
        killed(a, SIGKILL);
        a->use.flags |= VIGIL_USE_TXN_OWNER;
        a->use.locks_at_end = VIGIL_LOCK_RESERVED | VIGIL_LOCK_EXCLUSIVE;
        a->db.txn = VIGIL_TXN_ROLLBACK;
        a->db.txn_journal_writes = 9;
        a->db.txn_db_writes = db_writes;
        a->db.journal_hot = 1;
}

START_TEST(a_journal_that_the_next_open_deletes_unread_is_no_hot_one)
{
        const struct vigil_observed looks[] = {
                {.flags = VIGIL_OBS_MAIN | VIGIL_OBS_EMPTY | VIGIL_OBS_JOURNAL, .journal_bytes = 512},
                {.flags = VIGIL_OBS_MAIN | VIGIL_OBS_SQLITE | VIGIL_OBS_JOURNAL | VIGIL_OBS_JOURNAL_STALE,
                 .main_bytes = PAGE,
                 .journal_bytes = 9000},
        };
        for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
                struct stream s;
                struct actor a = actor(100, "app");
                killed_with_a_hot_journal(&a, i == 0 ? 0 : 5);
                a.db.file[VIGIL_ROLE_MAIN].size = i == 0 ? 0 : PAGE;
                stream_open(&s);
                stream_act(&s, &a, VIGIL_EXIT);
                stream_observed(&s, &a, looks[i]);
                stream_close(&s);
                struct detection *d = stream_judge(&s);
                expect(d, "unclean", "write-transaction-open", "P1 unclean-death");
                ck_assert(!detection_certificate(d, 0)->hot_journal);
                ck_assert_ptr_nonnull(
                        strstr(detection_certificate(d, 0)->prediction, "deletes the journal unread"));
                stream_done(&s, d);
        }
}
END_TEST

/* What a mount of the file hid lies under its name again when the mount has ended. */
START_TEST(an_empty_file_that_is_not_the_database_makes_no_journal_cold)
{
        const struct vigil_observed look = {.flags = VIGIL_OBS_MAIN | VIGIL_OBS_EMPTY | VIGIL_OBS_JOURNAL,
                                            .journal_bytes = 9000};
        struct stream s;
        struct actor a = actor(100, "app");
        killed_with_a_hot_journal(&a, 5);
        a.db.file[VIGIL_ROLE_MAIN].end = 9 * PAGE;
        stream_open(&s);
        stream_act(&s, &a, VIGIL_EXIT);
        stream_observed(&s, &a, look);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        expect(d, "unclean", "write-transaction-open,hot-journal", "P1 unclean-death");
        stream_done(&s, d);
}
END_TEST

SUITE("verdicts", an_empty_file_that_is_not_the_database_makes_no_journal_cold,
      a_journal_that_the_next_open_deletes_unread_is_no_hot_one, a_process_that_closed_everything_is_clean,
      any_exit_status_is_clean_when_the_database_was_closed, a_kill_after_the_close_is_clean,
      exit_0_without_close_is_abrupt_and_no_finding, an_idle_rollback_connection_is_known_by_its_descriptor_alone,
      a_killed_wal_reader_had_a_read_transaction, shared_without_wal_index_is_a_rollback_reader,
      reserved_with_a_cold_journal_is_a_write_transaction,
      a_changed_main_file_with_a_hot_journal_must_be_rolled_back, a_wal_writer_died_inside_its_transaction,
      a_writer_that_left_by_exit_inside_its_transaction_is_unclean_too, a_checkpoint_was_interrupted,
      a_full_checkpoint_holds_the_write_lock_without_a_transaction,
      a_wal_recovery_is_neither_transaction_nor_checkpoint, who_makes_the_shm_for_a_recovery_has_no_transaction_yet,
      a_death_while_a_hot_journal_is_rolled_back_leaves_it_hot, a_changed_main_file_without_a_journal_is_p0,
      a_transaction_that_may_have_ended_unseen_is_unknown,
      who_leaves_by_itself_after_an_unseen_end_is_unknown_and_no_finding,
      a_transaction_is_open_when_ends_are_seen_and_this_one_was_not,
      a_sync_of_the_whole_file_system_is_no_end_of_a_transaction,
      a_journal_that_is_gone_in_the_middle_is_no_journal, a_lost_snapshot_makes_a_clean_end_unknown_and_keeps_locks,
      locks_and_descriptors_that_could_not_be_read_make_unknown,
      a_writer_without_any_lock_is_unknown_only_when_a_signal_cut_it_short,
      a_writer_without_locks_predicts_nothing_of_a_wal_that_is_not_of_its_file,
      a_second_name_hides_a_wal_but_no_lock_on_the_main_file, a_server_decides_on_a_remote_file_system,
      a_kill_in_the_middle_of_a_sync_is_added, a_sync_that_outlived_the_kill_was_in_flight,
      bytes_at_risk_are_told_also_of_the_clean)
