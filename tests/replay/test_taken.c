/* test_taken.c - files of a database that were taken from whoever relied on them, out of synthetic streams. */
#include "stream.h"
#include "suite.h"

static void put_path(struct stream *s, uint8_t op, uint8_t role, uint16_t taken)
{
        struct vigil_pathop r = {
                .id = ident(300, "rm"), .db = 1, .role = role, .op = op, .confirmed = 1, .taken = taken};
        stream_put(s, &r, VIGIL_PATHOP, sizeof(r), false);
}

static void put_op(struct stream *s, const struct actor *a, uint8_t op, uint8_t role, uint32_t taken)
{
        struct vigil_op r = {
                .id = ident(a->pid, a->comm),
                .e = {.ns = s->now + 1, .db = 1, .role = role, .op = op, .result = PAGE, .bytes = PAGE},
                .taken = taken};
        stream_put(s, &r, VIGIL_OP, sizeof(r), false);
}

/* It committed into the WAL, which is still there. */
static struct actor committer(void)
{
        struct actor a = actor(100, "app");
        a.use.flags |= VIGIL_USE_OPENED_WAL;
        a.use.commits = 3;
        a.db.wal_commits = 3;
        a.db.wal_commit_end = 3 * (PAGE + 24) + 32;
        a.db.flags = VIGIL_DB_WAL_SEEN;
        return a;
}

static struct actor half_done(void)
{
        struct actor a = actor(100, "app");
        killed(&a, SIGKILL);
        a.use.flags |= VIGIL_USE_TXN_OWNER;
        a.use.locks_at_end = VIGIL_LOCK_RESERVED | VIGIL_LOCK_EXCLUSIVE;
        a.db.txn = VIGIL_TXN_ROLLBACK;
        a.db.txn_since_ns = 50 * SECOND;
        a.db.txn_db_writes = 5;
        a.db.txn_journal_writes = 9;
        a.db.journal_hot = 1;
        return a;
}

static struct detection *end(struct stream *s)
{
        stream_close(s);
        return stream_judge(s);
}

START_TEST(a_wal_with_commits_that_is_removed_in_use_is_a_loss_and_a_green_check_proves_nothing)
{
        struct stream s;
        struct actor a = committer();
        struct check_result ok = {.outcome = CHECK_OK, .method = "quick_check"};
        stream_open(&s);
        put_path(&s, VIGIL_OP_UNLINK, VIGIL_ROLE_WAL, VIGIL_TAKEN | VIGIL_TAKEN_IN_USE | VIGIL_TAKEN_WAL);
        stream_act(&s, &a, VIGIL_EXIT);
        struct detection *d = end(&s);
        expect(d, "unclean", "wal-taken", "P1 unclean-death,P0 wal-removed");
        ck_assert_uint_eq(detection_finding(d, 1)->process.tgid, 300);
        ck_assert_int_eq(detection_certificate(d, 0)->recovered, 0);
        ck_assert_int_eq(detection_add_check(d, 0, &ok), 0);
        ck_assert_str_eq(findings_of(d), "P1 unclean-death,P0 wal-removed,P1 silent-loss-suspected");
        stream_done(&s, d);
}
END_TEST

START_TEST(a_loss_without_anybody_to_certify_is_no_clean_database)
{
        struct stream s;
        stream_open(&s);
        put_path(&s, VIGIL_OP_UNLINK, VIGIL_ROLE_WAL, VIGIL_TAKEN | VIGIL_TAKEN_WAL);
        struct detection *d = end(&s);
        ck_assert_str_eq(findings_of(d), "P0 wal-removed");
        ck_assert_str_eq(verdict_name(detection_verdict(d, 0)), "unclean");
        stream_done(&s, d);
}
END_TEST

START_TEST(a_wal_in_use_without_commits_is_a_loss_only_when_commits_follow)
{
        struct stream s;
        struct actor a = committer();
        stream_open(&s);
        put_path(&s, VIGIL_OP_UNLINK, VIGIL_ROLE_WAL, VIGIL_TAKEN | VIGIL_TAKEN_IN_USE);
        stream_act(&s, &a, VIGIL_EXIT);
        struct detection *d = end(&s);
        expect(d, "clean", "", "");
        stream_done(&s, d);

        stream_open(&s);
        put_path(&s, VIGIL_OP_UNLINK, VIGIL_ROLE_WAL, VIGIL_TAKEN | VIGIL_TAKEN_IN_USE);
        put_op(&s, &a, VIGIL_OP_WRITE, VIGIL_ROLE_WAL, VIGIL_TAKEN_LOST);
        a.use.flags |= VIGIL_USE_WRITES_LOST;
        stream_act(&s, &a, VIGIL_EXIT);
        d = end(&s);
        ck_assert_str_eq(findings_of(d), "P1 unclean-death,P0 wal-removed");
        stream_done(&s, d);
}
END_TEST

START_TEST(who_writes_into_a_nameless_wal_that_it_never_opened_has_inherited_it)
{
        struct stream s;
        struct actor a = committer();
        stream_open(&s);
        put_op(&s, &a, VIGIL_OP_WRITE, VIGIL_ROLE_WAL, VIGIL_TAKEN_LOST);
        a.use.flags &= ~(uint32_t)VIGIL_USE_OPENED_WAL;
        a.use.flags |= VIGIL_USE_WRITES_LOST;
        stream_act(&s, &a, VIGIL_EXIT);
        struct detection *d = end(&s);
        expect(d, "unclean", "commits-unreachable", "P1 unclean-death,P0 used-across-fork");
        stream_done(&s, d);
}
END_TEST

START_TEST(who_opens_a_moved_database_by_its_new_name_loses_nothing)
{
        for (int after = 0; after < 2; after++) {
                struct stream s;
                struct actor a = committer();
                stream_open(&s);
                put_path(&s, VIGIL_OP_RENAME, VIGIL_ROLE_MAIN, VIGIL_TAKEN | VIGIL_TAKEN_WAL);
                put_path(&s, VIGIL_OP_UNLINK, VIGIL_ROLE_WAL, 0);
                a.use.first_ns = after ? s.now + 1 : START_NS;
                put_op(&s, &a, VIGIL_OP_WRITE, VIGIL_ROLE_WAL, VIGIL_TAKEN_LOST);
                a.use.flags |= VIGIL_USE_WRITES_LOST;
                a.use.last_ns = s.now;
                stream_act(&s, &a, VIGIL_EXIT);
                struct detection *d = end(&s);
                if (after)
                        expect(d, "clean", "", "");
                else
                        ck_assert_str_eq(verdict_name(detection_certificate(d, 0)->verdict), "unclean");
                stream_done(&s, d);
        }
}
END_TEST

START_TEST(a_whole_database_that_goes_is_no_loss_in_either_order)
{
        for (int wal_first = 0; wal_first < 2; wal_first++) {
                struct stream s;
                struct actor a = committer();
                stream_open(&s);
                stream_act(&s, &a, VIGIL_EXIT);
                if (wal_first)
                        put_path(&s, VIGIL_OP_UNLINK, VIGIL_ROLE_WAL, VIGIL_TAKEN | VIGIL_TAKEN_WAL);
                put_path(&s, VIGIL_OP_UNLINK, VIGIL_ROLE_MAIN,
                         (uint16_t)(VIGIL_TAKEN | (wal_first ? 0 : VIGIL_TAKEN_WAL)));
                if (!wal_first)
                        put_path(&s, VIGIL_OP_UNLINK, VIGIL_ROLE_WAL, 0);
                struct detection *d = end(&s);
                expect(d, "clean", "", "");
                stream_done(&s, d);
        }
}
END_TEST

START_TEST(a_main_file_that_goes_after_others_have_used_it_does_not_excuse_what_went_before)
{
        struct stream s;
        struct actor a = committer(), b = actor(200, "next");
        stream_open(&s);
        stream_act(&s, &a, VIGIL_EXIT);
        put_path(&s, VIGIL_OP_UNLINK, VIGIL_ROLE_WAL, VIGIL_TAKEN | VIGIL_TAKEN_WAL);
        b.use.first_ns = s.now + 1;
        b.use.last_ns = s.now + 2;
        stream_act(&s, &b, VIGIL_EXIT);
        put_path(&s, VIGIL_OP_UNLINK, VIGIL_ROLE_MAIN, VIGIL_TAKEN);
        struct detection *d = end(&s);
        ck_assert_str_eq(findings_of(d), "P1 unclean-death,P0 wal-removed");
        ck_assert_str_eq(verdict_name(detection_certificate(d, 1)->verdict), "clean");
        stream_done(&s, d);
}
END_TEST

START_TEST(the_hot_journal_of_a_dead_process_that_is_removed_is_no_recovery)
{
        struct stream s;
        struct actor a = half_done();
        stream_open(&s);
        stream_act(&s, &a, VIGIL_EXIT);
        put_path(&s, VIGIL_OP_UNLINK, VIGIL_ROLE_JOURNAL, VIGIL_TAKEN | VIGIL_TAKEN_HOT);
        struct detection *d = end(&s);
        expect(d, "unclean", "journal-taken,write-transaction-open,hot-journal",
               "P1 unclean-death,P0 journal-removed");
        ck_assert_int_eq(detection_certificate(d, 0)->recovered, 0);
        stream_done(&s, d);
}
END_TEST

START_TEST(a_journal_that_went_while_its_transaction_ended_well_is_no_loss)
{
        struct stream s;
        struct actor a = actor(100, "app");
        stream_open(&s);
        put_path(&s, VIGIL_OP_UNLINK, VIGIL_ROLE_JOURNAL, VIGIL_TAKEN | VIGIL_TAKEN_IN_USE | VIGIL_TAKEN_HOT);
        stream_act(&s, &a, VIGIL_EXIT);
        struct detection *d = end(&s);
        expect(d, "clean", "", "");
        stream_done(&s, d);
}
END_TEST

START_TEST(a_main_file_that_is_emptied_or_moved_in_use_takes_from_its_users)
{
        static const struct {
                uint8_t op;
                const char *finding;
        } acts[] = {{VIGIL_OP_TRUNCATE, "P1 unclean-death,P0 database-emptied"},
                    {VIGIL_OP_RENAME, "P1 unclean-death,P0 database-moved-in-use"},
                    {VIGIL_OP_UNLINK, "P1 unclean-death,P0 database-moved-in-use"}};
        for (size_t i = 0; i < 3; i++) {
                struct stream s;
                struct actor a = actor(100, "app");
                stream_open(&s);
                put_path(&s, acts[i].op, VIGIL_ROLE_MAIN, VIGIL_TAKEN | VIGIL_TAKEN_IN_USE);
                a.use.last_ns = s.now + 1;
                stream_act(&s, &a, VIGIL_EXIT);
                struct detection *d = end(&s);
                expect(d, "unclean", "database-taken", acts[i].finding);
                stream_done(&s, d);
        }
}
END_TEST

START_TEST(a_program_that_removes_its_own_database_is_quiet)
{
        struct stream s;
        struct actor a = actor(100, "app");
        stream_open(&s);
        for (int i = 0; i < 2 * MODEL_MAX_TAKINGS; i++)
                put_path(&s, VIGIL_OP_UNLINK, VIGIL_ROLE_MAIN, VIGIL_TAKEN | VIGIL_TAKEN_IN_USE | VIGIL_TAKEN_OWN);
        stream_act(&s, &a, VIGIL_EXIT);
        struct detection *d = end(&s);
        expect(d, "clean", "", "");
        ck_assert_int_eq(model_trust(detection_model(d))->level, TRUST_FULL);
        stream_done(&s, d);
}
END_TEST

/* A look at a WAL of which a recovery finds one frame of three. */
static const struct vigil_observed unreadable = {
        .flags = VIGIL_OBS_MAIN | VIGIL_OBS_SQLITE | VIGIL_OBS_WAL_MODE | VIGIL_OBS_WAL | VIGIL_OBS_WAL_HEADER |
                 VIGIL_OBS_SHM | VIGIL_OBS_WAL_UNREADABLE,
        .page_size = PAGE,
        .main_bytes = PAGE,
        .wal_bytes = 3 * (PAGE + 24) + 32,
        .wal_frames = 1,
        .wal_commits = 1,
        .wal_commit_end = PAGE + 24 + 32,
        .shm_max_frame = 3,
};

static struct actor left_open(uint32_t pid)
{
        struct actor a = committer();
        a.pid = pid;
        killed(&a, SIGKILL);
        a.use.locks_at_end = VIGIL_LOCK_SHARED | VIGIL_LOCK_DMS;
        return a;
}

START_TEST(commits_that_no_recovery_reads_are_lost_with_their_last_user)
{
        struct stream s;
        struct actor a = left_open(100);
        struct check_result ok = {.outcome = CHECK_OK, .method = "quick_check"};
        stream_open(&s);
        stream_act(&s, &a, VIGIL_EXIT);
        stream_observed(&s, &a, unreadable);
        struct detection *d = end(&s);
        expect(d, "unclean", "commits-unreadable,connection-left-open", "P1 unclean-death,P0 wal-unreadable");
        ck_assert_int_eq(detection_certificate(d, 0)->recovered, 0);
        ck_assert_ptr_nonnull(strstr(detection_certificate(d, 0)->prediction, "2 committed WAL frames cannot"));
        ck_assert_ptr_nonnull(detection_damage(d, 0));
        ck_assert_int_eq(detection_add_check(d, 0, &ok), 0);
        ck_assert_ptr_nonnull(strstr(findings_of(d), "P1 silent-loss-suspected"));
        stream_done(&s, d);

        /* The same log, read whole. */
        struct vigil_observed whole = unreadable;
        whole.flags &= ~(uint32_t)VIGIL_OBS_WAL_UNREADABLE;
        whole.wal_frames = whole.wal_commits = 3;
        whole.wal_commit_end = whole.wal_bytes;
        stream_open(&s);
        stream_act(&s, &a, VIGIL_EXIT);
        stream_observed(&s, &a, whole);
        d = end(&s);
        expect(d, "abrupt", "connection-left-open", "P2 abrupt-death");
        ck_assert_ptr_null(detection_damage(d, 0));
        stream_done(&s, d);
}
END_TEST

START_TEST(commits_that_no_recovery_reads_are_in_danger_while_others_see_them)
{
        struct stream s;
        struct actor a = left_open(100), other = actor(200, "other");
        stream_open(&s);
        stream_act(&s, &a, VIGIL_EXIT);
        stream_observed(&s, &a, unreadable);
        other.use.last_ns = s.now + SECOND;
        s.now += 2 * SECOND;
        stream_act(&s, &other, VIGIL_EXIT);
        struct detection *d = end(&s);
        ck_assert_str_eq(reasons_of(detection_certificate(d, 0)), "connection-left-open");
        ck_assert_int_eq(detection_certificate(d, 0)->verdict, VERDICT_ABRUPT);
        ck_assert_str_eq(findings_of(d), "P2 abrupt-death,P0 wal-unreadable");
        stream_done(&s, d);

        /* One that reads the bytes sees no commits. */
        stream_open(&s);
        stream_act(&s, &a, VIGIL_EXIT);
        stream_observed(&s, &a, unreadable);
        other = actor(200, "cat");
        other.use.flags = VIGIL_USE_OPENED;
        other.use.locks = other.use.locks_at_end = 0;
        other.use.last_ns = s.now + SECOND;
        s.now += 2 * SECOND;
        stream_act(&s, &other, VIGIL_EXIT);
        d = end(&s);
        ck_assert_int_eq(detection_certificate(d, 0)->verdict, VERDICT_UNCLEAN);
        stream_done(&s, d);
}
END_TEST

/* There is no -shm: @end of the last commit is what was seen of the writing. */
static void behind(uint64_t end_of_commit, const char *verdict, const char *reasons, const char *findings)
{
        struct stream s;
        struct actor a = left_open(100);
        struct vigil_observed o = unreadable;

        a.db.wal_commit_end = end_of_commit;
        o.flags = (o.flags & ~(uint32_t)(VIGIL_OBS_SHM | VIGIL_OBS_WAL_UNREADABLE)) | VIGIL_OBS_WAL_BEHIND;
        stream_open(&s);
        stream_act(&s, &a, VIGIL_EXIT);
        stream_observed(&s, &a, o);
        struct detection *d = end(&s);
        expect(d, verdict, reasons, findings);
        stream_done(&s, d);
}

START_TEST(without_a_shm_a_commit_that_was_seen_to_end_behind_a_broken_frame_is_lost)
{
        behind(3 * (PAGE + 24) + 32, "unclean", "commits-unreadable,connection-left-open",
               "P1 unclean-death,P0 wal-unreadable");
        /* It was cut short, or is of a log that was begun anew. */
        behind(PAGE + 24 + 32, "abrupt", "connection-left-open", "P2 abrupt-death");
        behind(4 * (PAGE + 24) + 32, "abrupt", "connection-left-open", "P2 abrupt-death");
}
END_TEST

/* The look came when somebody had opened the database already: what it shows is not what the dead left. */
START_TEST(a_late_look_tells_nothing_but_what_only_it_can_see)
{
        struct stream s;
        struct actor a = left_open(100), next = actor(200, "next");
        struct vigil_observed o = unreadable;

        o.flags &= ~(uint32_t)VIGIL_OBS_WAL_UNREADABLE;
        a.db.wal_frames = 3;
        a.db.file[VIGIL_ROLE_WAL] = (struct vigil_ledger){
                .ino = 201, .size = o.wal_bytes, .flags = VIGIL_LEDGER_SIZED};
        for (int behind = 0; behind <= 1; behind++) {
                stream_open(&s);
                stream_act(&s, &a, VIGIL_EXIT);
                s.now += SECOND;
                next.db = a.db;
                next.db.wal_recoveries++;
                next.use.first_ns = s.now - 1;
                stream_act(&s, &next, VIGIL_EXIT);
                o.flags |= behind ? VIGIL_OBS_WAL_BEHIND : 0u;
                stream_observed(&s, &a, o);
                struct detection *d = end(&s);
                const struct certificate *c = detection_certificate(d, 0);
                if (behind) { /* whoever opened it has read the log up to the broken frame only */
                        ck_assert_int_eq(c->verdict, VERDICT_UNCLEAN);
                        ck_assert_ptr_nonnull(strstr(findings_of(d), "P0 wal-unreadable"));
                } else {
                        ck_assert_int_eq(c->verdict, VERDICT_ABRUPT);
                        ck_assert_str_eq(c->prediction,
                                         "next open recovers at least 1 committed transaction from the WAL");
                }
                stream_done(&s, d);
        }
}
END_TEST

SUITE("taken", a_late_look_tells_nothing_but_what_only_it_can_see,
      without_a_shm_a_commit_that_was_seen_to_end_behind_a_broken_frame_is_lost,
      commits_that_no_recovery_reads_are_lost_with_their_last_user,
      commits_that_no_recovery_reads_are_in_danger_while_others_see_them,
      a_wal_with_commits_that_is_removed_in_use_is_a_loss_and_a_green_check_proves_nothing,
      a_loss_without_anybody_to_certify_is_no_clean_database,
      a_wal_in_use_without_commits_is_a_loss_only_when_commits_follow,
      who_writes_into_a_nameless_wal_that_it_never_opened_has_inherited_it,
      who_opens_a_moved_database_by_its_new_name_loses_nothing,
      a_whole_database_that_goes_is_no_loss_in_either_order,
      a_main_file_that_goes_after_others_have_used_it_does_not_excuse_what_went_before,
      the_hot_journal_of_a_dead_process_that_is_removed_is_no_recovery,
      a_journal_that_went_while_its_transaction_ended_well_is_no_loss,
      a_main_file_that_is_emptied_or_moved_in_use_takes_from_its_users,
      a_program_that_removes_its_own_database_is_quiet)
