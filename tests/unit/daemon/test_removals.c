/* test_removals.c - what was taken from a database is told once, when it has waited, and judges who dies of it later. */
#include "daemon/removals.h"

#include "daemon/episode.h"
#include "daemon/memory_private.h"
#include "stream.h"
#include "suite.h"

#define TAKEN_WAL (VIGIL_TAKEN | VIGIL_TAKEN_WAL)
#define IN_USE    VIGIL_TAKEN_IN_USE

static struct stream s;
static struct memory *m;

static int take(void)
{
        int news = 0;
        uint32_t db;

        for (size_t at = 0; at < s.n;) {
                const struct vigil_hdr *h = (const void *)(s.bytes + at);
                int r = memory_take(m, h, &db);
                ck_assert_int_ge(r, 0);
                news = r ? r : news;
                at += h->size;
        }
        s.n = 0;
        return news;
}

static void begin(void)
{
        static const struct vigil_session session = {.mode = VIGIL_MODE_ATTACH,
                                                     .boot_id = "0f3c8a1e-0000-4000-8000-000000000001"};

        stream_open(&s);
        m = memory_new(&session, false);
        ck_assert_ptr_nonnull(m);
        take();
        s.stats.hdr.ns = s.now;
        memory_statistics(m, &s.stats);
}

static void done(void)
{
        memory_free(m);
        stream_done(&s, NULL);
}

static int removed_by(uint32_t pid, uint8_t op, uint8_t role, unsigned taken)
{
        struct vigil_pathop r = {
                .id = ident(pid, "rm"), .db = 1, .role = role, .op = op, .confirmed = 1, .taken = (uint16_t)taken};

        stream_put(&s, &r, VIGIL_PATHOP, sizeof(r), false);
        return take();
}

static int removed(uint8_t role, unsigned taken)
{
        return removed_by(300, VIGIL_OP_UNLINK, role, taken);
}

/* It committed into the WAL, which is still there. */
static struct actor committer(uint32_t pid)
{
        struct actor a = actor(pid, "app");

        killed(&a, SIGKILL);
        a.use.flags |= VIGIL_USE_OPENED_WAL | VIGIL_USE_OPEN_AT_END;
        a.use.commits = 3;
        a.db.wal_commits = 3;
        a.db.wal_commit_end = 3 * (PAGE + 24) + 32;
        a.db.flags = VIGIL_DB_WAL_SEEN;
        return a;
}

/* What the episode at @ns tells as news: "P0 wal-removed,…"; "none": there is no episode. @o: what its looks see; NULL: nothing.
 * All of it is told then. */
static const char *told_at(uint64_t ns, const struct vigil_observed *o)
{
        static char text[512];
        const struct detection *d;
        struct episode *e = NULL;
        unsigned wait_ms = 0;

        if (episode_begin(m, ns, &e, &wait_ms) == 0)
                return "none";
        if (o)
                ck_assert_int_eq(episode_observed(e, 1, o), 0);
        ck_assert_int_eq(episode_complete(e, NULL), 0);
        ck_assert_int_eq(episode_judge(e, &d), 0);
        text[0] = '\0';
        for (size_t i = 0; i < detection_n_findings(d); i++) {
                const struct finding *f = detection_finding(d, i);
                if (!episode_is_news(e, 1, f))
                        continue;
                snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", *text ? "," : "", f->code);
                episode_told(e, 1, f);
        }
        for (size_t i = 0; i < detection_n_certificates(d); i++) {
                const struct certificate *c = detection_certificate(d, i);
                if (!episode_is_past(e, &c->death->id) && c->taken)
                        strcat(text, "!");
        }
        episode_free(e);
        return text;
}

START_TEST(a_removal_is_told_once_when_it_has_waited)
{
        begin();
        ck_assert_int_eq(removed(VIGIL_ROLE_WAL, TAKEN_WAL), MEMORY_REMOVAL);
        struct episode *e;
        unsigned wait_ms = 0;
        ck_assert_int_eq(episode_begin(m, s.now + SECOND / 2, &e, &wait_ms), 0);
        ck_assert_uint_gt(wait_ms, 400);
        ck_assert_uint_lt(wait_ms, 600);
        ck_assert_str_eq(told_at(s.now + SECOND, NULL), "wal-removed");
        ck_assert_str_eq(told_at(s.now + 9 * SECOND, NULL), "none");
        done();
}
END_TEST

START_TEST(at_the_end_nothing_waits)
{
        begin();
        removed(VIGIL_ROLE_WAL, TAKEN_WAL);
        memory_ends(m);
        ck_assert_str_eq(told_at(s.now, NULL), "wal-removed");
        done();
}
END_TEST

START_TEST(a_death_before_it_has_waited_is_judged_by_it_and_leaves_the_telling_to_it)
{
        begin();
        struct actor a = committer(100);
        removed(VIGIL_ROLE_WAL, TAKEN_WAL | IN_USE);
        stream_act(&s, &a, VIGIL_EXIT);
        take();
        ck_assert_str_eq(told_at(s.now + 1000, NULL), "unclean-death!");
        ck_assert_str_eq(told_at(s.now + SECOND, NULL), "wal-removed");
        done();
}
END_TEST

START_TEST(who_dies_of_it_later_is_unclean_and_it_is_not_told_again)
{
        begin();
        removed(VIGIL_ROLE_WAL, TAKEN_WAL | IN_USE);
        ck_assert_str_eq(told_at(s.now + SECOND, NULL), "wal-removed");
        s.now += 3600 * SECOND;
        struct actor a = committer(100);
        stream_act(&s, &a, VIGIL_EXIT);
        take();
        ck_assert_str_eq(told_at(s.now + 1000, NULL), "unclean-death!");
        done();
}
END_TEST

START_TEST(a_journal_is_told_when_its_transaction_dies)
{
        begin();
        struct actor a = actor(100, "app");
        killed(&a, SIGKILL);
        a.use.flags |= VIGIL_USE_TXN_OWNER;
        a.use.locks_at_end = VIGIL_LOCK_RESERVED | VIGIL_LOCK_EXCLUSIVE;
        a.db.txn = VIGIL_TXN_ROLLBACK;
        a.db.txn_since_ns = 50 * SECOND;
        a.db.txn_db_writes = 5;
        a.db.txn_journal_writes = 9;
        removed(VIGIL_ROLE_JOURNAL, VIGIL_TAKEN | IN_USE | VIGIL_TAKEN_HOT);
        ck_assert_str_eq(told_at(s.now + SECOND, NULL), "");
        s.now += 5 * SECOND;
        stream_act(&s, &a, VIGIL_EXIT);
        take();
        const char *told = told_at(s.now + 1000, NULL);
        ck_assert_ptr_nonnull(strstr(told, "journal-removed"));
        ck_assert_ptr_nonnull(strchr(told, '!'));
        done();
}
END_TEST

START_TEST(a_database_that_goes_file_by_file_is_no_loss)
{
        begin();
        removed(VIGIL_ROLE_WAL, TAKEN_WAL);
        s.now += SECOND / 3;
        ck_assert_int_eq(removed(VIGIL_ROLE_MAIN, VIGIL_TAKEN), MEMORY_NOTHING);
        ck_assert_str_eq(told_at(s.now + SECOND, NULL), "");
        done();

        /* Each of the two waits by itself: the first has been judged when the second is. */
        begin();
        removed_by(300, VIGIL_OP_RENAME, VIGIL_ROLE_MAIN, TAKEN_WAL);
        uint64_t first_ns = s.now;
        s.now += SECOND / 500;
        removed_by(301, VIGIL_OP_RENAME, VIGIL_ROLE_WAL, TAKEN_WAL);
        ck_assert_str_eq(told_at(first_ns + SECOND, NULL), "");
        ck_assert_str_eq(told_at(first_ns + 3 * SECOND, NULL), "");
        done();
}
END_TEST

START_TEST(who_wrote_to_what_has_no_name_is_judged_with_its_death)
{
        for (int moved = 0; moved < 2; moved++) {
                begin();
                struct actor a = committer(100);
                struct vigil_op lost = {
                        .id = ident(100, "app"),
                        .e = {.db = 1, .role = VIGIL_ROLE_WAL, .op = VIGIL_OP_WRITE, .result = PAGE, .bytes = PAGE},
                        .taken = VIGIL_TAKEN_LOST};
                if (moved)
                        removed_by(300, VIGIL_OP_RENAME, VIGIL_ROLE_MAIN, TAKEN_WAL);
                removed(VIGIL_ROLE_WAL, 0);
                a.use.first_ns = s.now + 1;
                a.use.last_ns = s.now + 2000;
                a.use.flags |= VIGIL_USE_WRITES_LOST;
                stream_put(&s, &lost, VIGIL_OP, sizeof(lost), false);
                ck_assert_int_eq(take(), MEMORY_REMOVAL);
                stream_act(&s, &a, VIGIL_EXIT);
                take();
                ck_assert_str_eq(told_at(s.now + 1000, NULL),
                                 moved ? "abrupt-death" : "unclean-death,wal-removed!");
                const char *later = told_at(s.now + SECOND, NULL);
                ck_assert_str_eq(later, moved ? "" : "none");
                done();
        }
}
END_TEST

START_TEST(what_went_before_somebody_used_it_again_went_by_itself)
{
        begin();
        removed(VIGIL_ROLE_MAIN, VIGIL_TAKEN);
        struct actor a = committer(100);
        a.use.first_ns = s.now + 1;
        a.use.last_ns = s.now + 2;
        stream_act(&s, &a, VIGIL_EXIT);
        take();
        ck_assert_str_eq(told_at(s.now + 1000, NULL), "abrupt-death");
        removed(VIGIL_ROLE_WAL, TAKEN_WAL);
        ck_assert_str_eq(told_at(s.now + SECOND, NULL), "wal-removed");
        done();
}
END_TEST

/* A look at a WAL, of which @backfill frames are in the main file, too. */
static struct vigil_observed three_commits(uint32_t backfill)
{
        return (struct vigil_observed){.hdr.ns = s.now + 5000,
                                       .flags = VIGIL_OBS_MAIN | VIGIL_OBS_SQLITE | VIGIL_OBS_WAL,
                                       .wal_frames = 3,
                                       .wal_commits = 3,
                                       .shm_max_frame = 3,
                                       .shm_backfill = backfill};
}

START_TEST(a_log_that_was_seen_to_be_checkpointed_may_go)
{
        for (uint32_t backfill = 2; backfill <= 3; backfill++) {
                begin();
                struct actor a = committer(100);
                struct vigil_observed o = three_commits(backfill);
                stream_act(&s, &a, VIGIL_EXIT);
                take();
                ck_assert_str_eq(told_at(s.now + 1000, &o), "abrupt-death");
                s.now += 9 * SECOND;
                removed(VIGIL_ROLE_WAL, TAKEN_WAL);
                ck_assert_str_eq(told_at(s.now + SECOND, NULL), backfill == 3 ? "" : "wal-removed");
                done();
        }
}
END_TEST

/* Nobody looked after that one. */
START_TEST(a_log_that_was_written_to_since_it_was_seen_to_be_checkpointed_may_not_go)
{
        begin();
        struct actor a = committer(100);
        struct vigil_observed o = three_commits(3);
        stream_act(&s, &a, VIGIL_EXIT);
        take();
        ck_assert_str_eq(told_at(s.now + 1000, &o), "abrupt-death");
        s.now += 9 * SECOND;
        a = committer(200);
        a.use.commits = 1;
        a.use.last_ns = s.now;
        stream_act(&s, &a, VIGIL_EXIT);
        take();
        ck_assert_str_eq(told_at(s.now + 1000, NULL), "abrupt-death");
        s.now += 9 * SECOND;
        removed(VIGIL_ROLE_WAL, TAKEN_WAL);
        ck_assert(removals_wait(m, 1));
        ck_assert_str_eq(told_at(s.now + SECOND, NULL), "wal-removed");
        ck_assert(!removals_wait(m, 1));
        done();
}
END_TEST

START_TEST(they_are_bounded_and_what_is_lost_of_them_is_counted)
{
        begin();
        for (uint32_t pid = 300; pid < 300 + 2 * REMOVALS_KEPT; pid++)
                removed_by(pid, VIGIL_OP_UNLINK, VIGIL_ROLE_WAL, TAKEN_WAL);
        ck_assert_uint_eq(m->removals[1]->n, REMOVALS_KEPT);
        ck_assert_uint_eq(memory_use(m).dropped, REMOVALS_KEPT);
        ck_assert_uint_eq(removal_by(&m->removals[1]->kept[0])->tgid, 300);
        /* Those that were judged make room first. */
        told_at(s.now + SECOND, NULL);
        s.now += 9 * SECOND;
        removed_by(100, VIGIL_OP_UNLINK, VIGIL_ROLE_WAL, TAKEN_WAL);
        ck_assert_uint_eq(memory_use(m).dropped, REMOVALS_KEPT);
        ck_assert_str_eq(told_at(s.now + SECOND, NULL), "wal-removed");
        memory_forget_database(m, 1);
        ck_assert_ptr_null(m->removals[1]);
        done();
}
END_TEST

START_TEST(who_goes_on_is_told_of_ever_more_rarely)
{
        unsigned told = 0;

        begin();
        for (unsigned i = 0; i < 600; i++) {
                s.now += SECOND / 10;
                removed(VIGIL_ROLE_WAL, TAKEN_WAL);
                told += strcmp(told_at(s.now, NULL), "wal-removed") == 0;
        }
        ck_assert_uint_ge(told, 4);
        ck_assert_uint_le(told, 7);
        done();
}
END_TEST

/* A rest, as long as it may be, would push out what came first. */
START_TEST(many_that_wait_are_not_kept_waiting)
{
        unsigned wait_ms = 0;
        bool due[VIGIL_MAX_DBS] = {false};

        begin();
        removed(VIGIL_ROLE_WAL, TAKEN_WAL);
        ck_assert_str_eq(told_at(s.now + SECOND, NULL), "wal-removed");
        m->removals[1]->pause_ns = REMOVALS_PAUSE_MAX_NS;
        s.now += 2 * SECOND;
        uint32_t pid = 400;
        for (; pid < 400 + REMOVALS_KEPT / 2 - 1; pid++)
                removed_by(pid, VIGIL_OP_UNLINK, VIGIL_ROLE_WAL, TAKEN_WAL);
        ck_assert(!removals_due(m, s.now + SECOND, due, &wait_ms));
        ck_assert_uint_gt(wait_ms, 50000);
        removed_by(pid, VIGIL_OP_UNLINK, VIGIL_ROLE_WAL, TAKEN_WAL);
        ck_assert(!removals_due(m, s.now + SECOND / 2, due, &wait_ms));
        ck_assert(removals_due(m, s.now + SECOND, due, &wait_ms));
        ck_assert(due[1]);
        /* Each of them, though they are fewer than a crowd by then. */
        ck_assert_str_ne(told_at(s.now + SECOND, NULL), "none");
        ck_assert(!removals_wait(m, 1));
        ck_assert_uint_eq(memory_use(m).dropped, 0);
        done();
}
END_TEST

SUITE("removals", a_removal_is_told_once_when_it_has_waited, at_the_end_nothing_waits,
      a_death_before_it_has_waited_is_judged_by_it_and_leaves_the_telling_to_it,
      who_dies_of_it_later_is_unclean_and_it_is_not_told_again, a_journal_is_told_when_its_transaction_dies,
      a_database_that_goes_file_by_file_is_no_loss, who_wrote_to_what_has_no_name_is_judged_with_its_death,
      what_went_before_somebody_used_it_again_went_by_itself, a_log_that_was_seen_to_be_checkpointed_may_go,
      a_log_that_was_written_to_since_it_was_seen_to_be_checkpointed_may_not_go,
      they_are_bounded_and_what_is_lost_of_them_is_counted, who_goes_on_is_told_of_ever_more_rarely,
      many_that_wait_are_not_kept_waiting)
