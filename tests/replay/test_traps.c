/* test_traps.c - what a naive reading of a stream gets wrong, out of synthetic streams. */
#include "base/text.h"
#include "stream.h"
#include "suite.h"

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

static struct actor writer(uint32_t pid)
{
        struct actor a = actor(pid, "app");
        a.use.locks_at_end = VIGIL_LOCK_SHARED | VIGIL_LOCK_RESERVED;
        a.use.flags |= VIGIL_USE_TXN_OWNER | VIGIL_USE_OPEN_AT_END;
        a.db.txn = VIGIL_TXN_ROLLBACK;
        a.db.txn_journal_writes = 2;
        return a;
}

/* ---- who ended it -------------------------------------------------------------------------------------------------- */

START_TEST(sigkill_to_the_siblings_of_an_exit_group_is_no_kill)
{
        struct actor a = actor(100, "app");
        killed(&a, SIGKILL); /* seen, but it is not what the process died of */
        a.exit_code = 3 << 8;
        a.use.flags |= VIGIL_USE_OPEN_AT_END;
        struct stream s;
        struct detection *d = judge_one(&s, &a, VIGIL_EXIT);
        const struct ending *e = &detection_certificate(d, 0)->ending;
        expect(d, "abrupt", "connection-left-open", "");
        ck_assert_int_eq(e->cause, CAUSE_EXIT);
        ck_assert_int_eq(e->status, 3);
        ck_assert(!e->sender_named);
        stream_done(&s, d);
}
END_TEST

START_TEST(oom_needs_the_victim_mark)
{
        struct actor a = writer(100);
        killed(&a, SIGKILL);
        a.signal[0].flags = VIGIL_SIG_PRIV | VIGIL_SIG_GROUP | VIGIL_SIG_SELF;
        a.signal[0].code = 0x80;
        struct stream s;
        struct detection *d = judge_one(&s, &a, VIGIL_EXIT);
        ck_assert_str_eq(cause_name(detection_certificate(d, 0)->ending.cause), "rlimit");
        stream_done(&s, d);

        stream_open(&s);
        stream_act(&s, &a, VIGIL_EXIT);
        struct vigil_oom oom = {
                .id = {.tgid = 100}}; /* an older kernel: a pid and nothing else, after the signal */
        stream_put(&s, &oom, VIGIL_OOM, sizeof(oom), false);
        stream_close(&s);
        d = stream_judge(&s);
        const struct ending *e = &detection_certificate(d, 0)->ending;
        ck_assert_str_eq(cause_name(e->cause), "kernel-oom");
        ck_assert(e->oom && !e->sender_named);
        stream_done(&s, d);
}
END_TEST

START_TEST(cgroup_kill_names_no_sender_but_an_origin)
{
        struct actor a = writer(100);
        killed(&a, SIGKILL);
        a.signal[0].flags = VIGIL_SIG_NOINFO;
        struct stream s;
        struct detection *d = judge_one(&s, &a, VIGIL_EXIT);
        const struct ending *e = &detection_certificate(d, 0)->ending;
        ck_assert_str_eq(cause_name(e->cause), "process");
        ck_assert_str_eq(e->how, "cgroup.kill");
        ck_assert(!e->sender_named);
        ck_assert_str_eq(e->origin->sender_comm, "bash");
        stream_done(&s, d);
}
END_TEST

START_TEST(the_origin_of_a_container_kill_is_who_killed_its_init)
{
        struct stream s;
        struct actor a = writer(100);
        killed(&a, SIGKILL);
        a.signal[0].flags = VIGIL_SIG_PRIV | VIGIL_SIG_GROUP | VIGIL_SIG_SENDER_EXITING;
        a.signal[0].code = 0x80;
        a.signal[0].sender_tgid = 50;
        a.signal[0].sender_start_ns = ident(50, "init").start_ns;
        stream_open(&s);
        struct vigil_signal r = {.id = ident(50, "init"),
                                 .sig = {.sig = SIGKILL, .sender_tgid = 9, .sender_comm = "containerd-shim"}};
        stream_put(&s, &r, VIGIL_SIGNAL, sizeof(r), false);
        stream_act(&s, &a, VIGIL_EXIT);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        const struct ending *e = &detection_certificate(d, 0)->ending;
        ck_assert_str_eq(e->how, "pid-namespace-ended");
        ck_assert(!e->sender_named);
        ck_assert_str_eq(e->origin->sender_comm, "containerd-shim");
        stream_done(&s, d);
}
END_TEST

/* ---- identity ------------------------------------------------------------------------------------------------------ */

START_TEST(a_pid_that_came_back_is_another_process)
{
        struct stream s;
        struct actor first = writer(100), second = actor(100, "app");
        killed(&first, SIGKILL);
        stream_open(&s);
        stream_act(&s, &first, VIGIL_EXIT);
        size_t before = s.n;
        stream_act(&s, &second, VIGIL_EXIT);
        /* The same pid, started later. */
        for (size_t at = before; at < s.n;) {
                struct vigil_hdr *h = (void *)(s.bytes + at);
                ((struct vigil_ident *)(void *)(s.bytes + at + sizeof(*h)))->start_ns += SECOND;
                at += h->size;
        }
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        ck_assert_uint_eq(detection_n_certificates(d), 2);
        ck_assert_str_eq(verdict_name(detection_certificate(d, 0)->verdict), "unclean");
        ck_assert_str_eq(verdict_name(detection_certificate(d, 1)->verdict), "clean");
        ck_assert_str_ne(detection_certificate(d, 0)->id, detection_certificate(d, 1)->id);
        stream_done(&s, d);
}
END_TEST

START_TEST(a_process_that_merely_inherited_a_descriptor_gets_no_certificate)
{
        struct actor a = actor(100, "child");
        a.use.flags = VIGIL_USE_INHERITED | VIGIL_USE_OPEN_AT_END;
        struct stream s;
        struct detection *d = judge_one(&s, &a, VIGIL_EXIT);
        ck_assert_uint_eq(detection_n_certificates(d), 0);
        ck_assert_uint_eq(detection_n_findings(d), 0);
        stream_done(&s, d);
}
END_TEST

START_TEST(an_exec_inside_a_transaction_abandons_it)
{
        struct actor a = writer(100);
        a.use.flags &= ~(uint32_t)(VIGIL_USE_TXN_OWNER | VIGIL_USE_OPEN_AT_END);
        a.db.txn = VIGIL_TXN_NONE; /* exec has closed the files before it is told of */
        a.db.rb_commits = 4;
        a.use.flags |= VIGIL_USE_ABANDONED;
        one(&a, VIGIL_EXEC, "unclean", "write-transaction-open,abandoned-by-exec", "P1 unclean-death");
        a.db.flags |= VIGIL_DB_EXCLUSIVE;
        one(&a, VIGIL_EXEC, "unclean", "write-transaction-open,abandoned-by-exec", "P1 unclean-death");
        /* locking_mode EXCLUSIVE keeps the lock after a commit. */
        a.use.flags &= ~(uint32_t)VIGIL_USE_ABANDONED;
        one(&a, VIGIL_EXEC, "abrupt", "connection-left-open,abandoned-by-exec", "");
}
END_TEST

START_TEST(locks_that_an_exec_has_kept_are_no_transaction_until_a_new_one_is_taken)
{
        struct actor a = writer(100);
        a.use.flags = VIGIL_USE_KEPT | VIGIL_USE_INHERITED | VIGIL_USE_OPEN_AT_END;
        a.db.txn = VIGIL_TXN_NONE;
        a.db.txn_journal_writes = 0;
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "abrupt", "connection-left-open", "P2 abrupt-death");
        a.use.locks_at_end = VIGIL_LOCK_SHARED | VIGIL_LOCK_DMS | VIGIL_LOCK_WAL_WRITE | VIGIL_LOCK_WAL_CKPT;
        one(&a, VIGIL_EXIT, "abrupt", "connection-left-open", "P2 abrupt-death");
        a.use.flags = VIGIL_USE_LOCKED | VIGIL_USE_INHERITED | VIGIL_USE_OPEN_AT_END;
        a.use.locks_at_end &= ~(uint32_t)VIGIL_LOCK_WAL_CKPT;
        one(&a, VIGIL_EXIT, "unclean", "write-transaction-open", "P1 unclean-death");
}
END_TEST

START_TEST(an_exec_after_the_close_is_clean_and_the_exit_has_its_own_certificate)
{
        struct stream s;
        struct actor a = actor(100, "app");
        stream_open(&s);
        stream_act(&s, &a, VIGIL_EXEC);
        stream_act(&s, &a, VIGIL_EXIT);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        ck_assert_uint_eq(detection_n_certificates(d), 2);
        ck_assert_str_ne(detection_certificate(d, 0)->id, detection_certificate(d, 1)->id);
        ck_assert_int_eq(detection_overall(d), VERDICT_CLEAN);
        stream_done(&s, d);
}
END_TEST

/* ---- others -------------------------------------------------------------------------------------------------------- */

START_TEST(clean_while_others_still_have_it_open)
{
        struct stream s;
        struct actor first = actor(100, "app"), last = actor(101, "app");
        last.use.flags |= VIGIL_USE_OPEN_AT_END;
        stream_open(&s);
        stream_act(&s, &first, VIGIL_EXIT);
        stream_act(&s, &last, VIGIL_EXIT);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        ck_assert_str_eq(reasons_of(detection_certificate(d, 0)), "others-still-open");
        ck_assert_str_eq(verdict_name(detection_certificate(d, 0)->verdict), "clean");
        stream_done(&s, d);
}
END_TEST

START_TEST(a_survivor_that_recovers_is_told_in_the_same_report)
{
        struct stream s;
        struct actor a = writer(100);
        killed(&a, SIGKILL);
        a.db.txn_db_writes = 1;
        a.db.journal_hot = 1;
        stream_open(&s);
        stream_act(&s, &a, VIGIL_EXIT);
        struct vigil_ledger_rec after = {.db = a.db};
        after.db.rb_recoveries = 1;
        after.db.journal_hot = 0;
        stream_put(&s, &after, VIGIL_LEDGER, sizeof(after), true);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        expect(d, "unclean", "write-transaction-open,hot-journal,recovered", "P1 unclean-death");
        ck_assert_int_eq(detection_certificate(d, 0)->recovered, 1);
        stream_done(&s, d);
}
END_TEST

START_TEST(nobody_recovered_when_nothing_happened_since)
{
        struct stream s;
        struct actor a = writer(100);
        killed(&a, SIGKILL);
        stream_open(&s);
        stream_act(&s, &a, VIGIL_EXIT);
        struct vigil_ledger_rec after = {.db = a.db};
        stream_put(&s, &after, VIGIL_LEDGER, sizeof(after), true);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        ck_assert_int_eq(detection_certificate(d, 0)->recovered, 0);
        stream_done(&s, d);
}
END_TEST

/* ---- modes --------------------------------------------------------------------------------------------------------- */

START_TEST(locks_kept_between_transactions_are_no_transaction)
{
        struct actor a = writer(100);
        a.use.locks_at_end |= VIGIL_LOCK_EXCLUSIVE | VIGIL_LOCK_PENDING;
        a.db.flags = VIGIL_DB_EXCLUSIVE;
        a.db.txn = VIGIL_TXN_NONE;
        a.db.txn_journal_writes = 0;
        a.use.flags &= ~(uint32_t)VIGIL_USE_TXN_OWNER;
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "abrupt", "connection-left-open", "P2 abrupt-death");
}
END_TEST

START_TEST(the_first_commit_of_locking_mode_exclusive_is_over_too)
{
        struct actor a = writer(100);
        a.use.locks_at_end |= VIGIL_LOCK_EXCLUSIVE;
        a.db.txn = VIGIL_TXN_NONE; /* the journal was zeroed, the locks stayed, and nothing told of the mode yet */
        a.db.rb_commits = 1;
        a.use.flags &= ~(uint32_t)VIGIL_USE_TXN_OWNER;
        one(&a, VIGIL_EXIT, "abrupt", "connection-left-open", "");
}
END_TEST

START_TEST(a_transaction_whose_end_was_seen_is_over_though_its_lock_stays)
{
        struct actor a = writer(100);
        a.use.flags &= ~(uint32_t)VIGIL_USE_TXN_OWNER;
        a.db.txn =
                VIGIL_TXN_NONE; /* rolled back: the journal was zeroed, nothing was committed, and RESERVED is kept */
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "abrupt", "connection-left-open", "P2 abrupt-death");
        a.use.flags |= VIGIL_USE_SEEN_LATE; /* it may have begun before the watch */
        one(&a, VIGIL_EXIT, "unclean", "write-transaction-open", "P1 unclean-death");
}
END_TEST

START_TEST(a_zeroed_header_is_persist_unless_the_locks_stayed)
{
        struct stream s;
        struct actor a = actor(100, "app");
        a.db.flags = VIGIL_DB_JOURNAL_ZEROED;
        struct detection *d = judge_one(&s, &a, VIGIL_EXIT);
        ck_assert_uint_eq(model_database(detection_model(d), 0)->flags & VIGIL_DB_JOURNAL_ZEROED,
                          VIGIL_DB_JOURNAL_ZEROED);
        expect(d, "clean", "", "");
        stream_done(&s, d);
}
END_TEST

/* ---- what was not seen --------------------------------------------------------------------------------------------- */

START_TEST(after_lost_events_nothing_is_clean)
{
        struct stream s;
        struct actor a = actor(100, "app");
        stream_open(&s);
        s.stats.c.lost = 5;
        stream_act(&s, &a, VIGIL_EXIT);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        expect(d, "unknown", "events-lost", "P2 events-lost");
        ck_assert_int_eq(detection_certificate(d, 0)->trust.level, TRUST_PARTIAL);
        stream_done(&s, d);
}
END_TEST

START_TEST(after_lost_events_a_bad_end_stays_bad_as_a_lower_bound)
{
        struct stream s;
        struct actor a = writer(100);
        killed(&a, SIGKILL);
        stream_open(&s);
        s.stats.c.lost = 5;
        stream_act(&s, &a, VIGIL_EXIT);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        ck_assert_str_eq(verdict_name(detection_certificate(d, 0)->verdict), "unclean");
        ck_assert(trust_has(&detection_certificate(d, 0)->trust, "events-lost"));
        stream_done(&s, d);
}
END_TEST

START_TEST(deaths_that_were_collected_later_are_not_lost)
{
        struct stream s;
        struct actor a = actor(100, "app");
        stream_open(&s);
        s.stats.c.lost = s.stats.c.lost_deaths = 2;
        stream_act(&s, &a, VIGIL_EXIT);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        expect(d, "clean", "", "");
        stream_done(&s, d);
}
END_TEST

START_TEST(a_missing_number_is_a_lost_event)
{
        struct stream s;
        struct actor a = actor(100, "app");
        stream_open(&s);
        s.seq += 3;
        stream_act(&s, &a, VIGIL_EXIT);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        expect(d, "unknown", "events-lost", "P2 events-lost");
        stream_done(&s, d);
}
END_TEST

START_TEST(a_process_that_ran_before_the_watch_is_never_clean)
{
        struct actor a = actor(100, "app");
        a.use.flags |= VIGIL_USE_SEEN_LATE;
        a.flags = VIGIL_PROC_SEEN_LATE;
        one(&a, VIGIL_EXIT, "unknown", "seen-late", "");
}
END_TEST

START_TEST(a_late_start_sees_the_open_transaction_in_locks_and_files)
{
        struct stream s;
        struct actor a = actor(100, "app");
        a.use.flags |= VIGIL_USE_SEEN_LATE;
        a.use.locks_at_end = VIGIL_LOCK_RESERVED | VIGIL_LOCK_PENDING | VIGIL_LOCK_EXCLUSIVE;
        a.db.flags = VIGIL_DB_SEEN_LATE;
        killed(&a, SIGKILL);
        stream_open(&s);
        stream_act(&s, &a, VIGIL_EXIT);
        stream_observed(&s, &a,
                        (struct vigil_observed){.flags = VIGIL_OBS_MAIN | VIGIL_OBS_SQLITE | VIGIL_OBS_JOURNAL |
                                                         VIGIL_OBS_JOURNAL_HOT,
                                                .main_bytes = PAGE,
                                                .journal_bytes = 9000,
                                                .journal_pages = 2});
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        expect(d, "unclean", "write-transaction-open,hot-journal", "P1 unclean-death");
        ck_assert(trust_has(&detection_certificate(d, 0)->trust, "seen-late"));
        stream_done(&s, d);
}
END_TEST

START_TEST(a_stream_without_its_end_calls_nothing_clean)
{
        struct stream s;
        struct actor a = actor(100, "app");
        stream_open(&s);
        stream_act(&s, &a, VIGIL_EXIT);
        struct detection *d = stream_judge(&s);
        expect(d, "unknown", "stream-incomplete", "");
        stream_done(&s, d);
}
END_TEST

START_TEST(an_unseen_canary_leaves_no_trust)
{
        struct stream s;
        struct actor a = actor(100, "app");
        stream_open(&s);
        s.stats.canary = 0;
        stream_act(&s, &a, VIGIL_EXIT);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        expect(d, "unknown", "canary-not-seen", "P2 probe-silent");
        ck_assert_int_eq(model_trust(detection_model(d))->level, TRUST_NONE);
        stream_done(&s, d);
}
END_TEST

START_TEST(shared_descriptors_leave_the_verdict_to_the_last_sharer)
{
        struct stream s;
        struct actor first = writer(100), last = writer(101);
        first.flags = VIGIL_PROC_SHARED_FILES;
        killed(&first, SIGKILL);
        killed(&last, SIGKILL);
        stream_open(&s);
        stream_act(&s, &first, VIGIL_EXIT);
        stream_act(&s, &last, VIGIL_EXIT);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        ck_assert_str_eq(reasons_of(detection_certificate(d, 0)), "descriptors-shared");
        ck_assert_str_eq(verdict_name(detection_certificate(d, 1)->verdict), "unclean");
        stream_done(&s, d);
}
END_TEST

START_TEST(a_sibling_thread_that_still_leaves_is_no_sharer)
{
        struct actor a = writer(100);
        a.flags = VIGIL_PROC_SHARED_FILES;
        killed(&a, SIGKILL);
        one(&a, VIGIL_EXIT, "unclean", "write-transaction-open", "P1 unclean-death");
}
END_TEST

SUITE("traps", sigkill_to_the_siblings_of_an_exit_group_is_no_kill, oom_needs_the_victim_mark,
      cgroup_kill_names_no_sender_but_an_origin, the_origin_of_a_container_kill_is_who_killed_its_init,
      a_pid_that_came_back_is_another_process, a_process_that_merely_inherited_a_descriptor_gets_no_certificate,
      an_exec_inside_a_transaction_abandons_it,
      locks_that_an_exec_has_kept_are_no_transaction_until_a_new_one_is_taken,
      an_exec_after_the_close_is_clean_and_the_exit_has_its_own_certificate, clean_while_others_still_have_it_open,
      a_survivor_that_recovers_is_told_in_the_same_report, nobody_recovered_when_nothing_happened_since,
      locks_kept_between_transactions_are_no_transaction, the_first_commit_of_locking_mode_exclusive_is_over_too,
      a_transaction_whose_end_was_seen_is_over_though_its_lock_stays,
      a_zeroed_header_is_persist_unless_the_locks_stayed, after_lost_events_nothing_is_clean,
      after_lost_events_a_bad_end_stays_bad_as_a_lower_bound, deaths_that_were_collected_later_are_not_lost,
      a_missing_number_is_a_lost_event, a_process_that_ran_before_the_watch_is_never_clean,
      a_late_start_sees_the_open_transaction_in_locks_and_files, a_stream_without_its_end_calls_nothing_clean,
      an_unseen_canary_leaves_no_trust, shared_descriptors_leave_the_verdict_to_the_last_sharer,
      a_sibling_thread_that_still_leaves_is_no_sharer)
