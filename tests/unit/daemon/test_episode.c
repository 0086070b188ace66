/* test_episode.c - one burst of deaths or errors at a time: what belongs to it, what was told before, what is waited for. */
#include "daemon/episode.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stream.h"
#include "suite.h"

static struct memory *memory_of(struct stream *s)
{
        struct vigil_session session = {.mode = VIGIL_MODE_ATTACH,
                                        .boot_id = "0f3c8a1e-0000-4000-8000-000000000001"};
        struct memory *m = memory_new(&session, false);
        ck_assert_ptr_nonnull(m);
        stream_open(s);
        return m;
}

/* What has been put into the stream since the last call. */
static void take(struct memory *m, struct stream *s)
{
        uint32_t db;
        for (size_t at = 0; at < s->n;) {
                const struct vigil_hdr *h = (const void *)(s->bytes + at);
                ck_assert_int_ge(memory_take(m, h, &db), 0);
                at += h->size;
        }
        s->n = 0;
}

static struct episode *next(struct memory *m, const struct stream *s)
{
        struct episode *e = NULL;
        unsigned wait_ms = 0;
        ck_assert_int_eq(episode_begin(m, s->now + SECOND, &e, &wait_ms), 1);
        return e;
}

static bool nothing_comes(struct memory *m, uint64_t now_ns, unsigned *ret_wait_ms)
{
        struct episode *e = NULL;
        return episode_begin(m, now_ns, &e, ret_wait_ms) == 0;
}

static const struct detection *judged(struct episode *e)
{
        const struct detection *d = NULL;
        ck_assert_int_eq(episode_complete(e, NULL), 0);
        ck_assert_int_eq(episode_judge(e, &d), 0);
        return d;
}

static void statistics(struct memory *m, const struct stream *s, uint64_t lost)
{
        struct vigil_stats now = {.hdr.ns = s->now, .canary = 1, .c.lost = lost};
        memory_statistics(m, &now);
}

/* The account as it is now, given to the episode. */
static void add_account(struct episode *e, const struct stream *s, const struct vigil_db *db)
{
        struct vigil_ledger_rec r = {.hdr = {.magic = VIGIL_MAGIC,
                                             .version = VIGIL_ABI_VERSION,
                                             .type = VIGIL_LEDGER,
                                             .size = sizeof(r),
                                             .cpu = VIGIL_CPU_USER,
                                             .ns = s->now},
                                     .db = *db};
        ck_assert_int_eq(episode_add(e, &r.hdr), 0);
}

static void fail_sync(struct stream *s, uint32_t pid)
{
        struct vigil_op r = {
                .id = ident(pid, "app"),
                .e = {.db = 1, .role = VIGIL_ROLE_WAL, .op = VIGIL_OP_SYNC, .result = -EIO, .ns = s->now}};
        stream_put(s, &r, VIGIL_OP, sizeof(r), false);
}

static void put_in_transaction(struct stream *s, uint32_t pid)
{
        struct actor a = actor(pid, "app");
        killed(&a, SIGKILL);
        a.use.locks_at_end = VIGIL_LOCK_SHARED | VIGIL_LOCK_RESERVED;
        a.use.flags |= VIGIL_USE_TXN_OWNER | VIGIL_USE_OPEN_AT_END;
        a.db.txn = VIGIL_TXN_ROLLBACK;
        a.db.txn_journal_writes = 3;
        stream_act(s, &a, VIGIL_EXIT);
}

START_TEST(each_death_is_judged_once)
{
        struct stream s;
        struct memory *m = memory_of(&s);
        unsigned wait_ms;
        put_in_transaction(&s, 100);
        take(m, &s);
        statistics(m, &s, 0);
        struct episode *first = next(m, &s);
        const struct detection *d = judged(first);
        expect(d, "unclean", "write-transaction-open", "P1 unclean-death");
        ck_assert_int_eq(detection_certificate(d, 0)->death->process != NULL, 1);
        ck_assert(nothing_comes(m, s.now + SECOND, &wait_ms));
        ck_assert_uint_eq(wait_ms, 0);
        put_in_transaction(&s, 200);
        take(m, &s);
        struct episode *second = next(m, &s);
        d = judged(second);
        expect(d, "unclean", "write-transaction-open", "P1 unclean-death");
        ck_assert_uint_eq(detection_certificate(d, 0)->death->id.tgid, 200);
        episode_free(first);
        episode_free(second);
        memory_free(m);
        stream_done(&s, NULL);
}
END_TEST

START_TEST(a_death_waits_for_its_databases_but_not_for_long)
{
        struct stream s;
        struct memory *m = memory_of(&s);
        struct actor a = actor(100, "app");
        unsigned wait_ms;
        a.no_snapshot = true;
        stream_act(&s, &a, VIGIL_EXIT);
        take(m, &s);
        statistics(m, &s, 0);
        ck_assert(nothing_comes(m, s.now, &wait_ms));
        ck_assert_uint_gt(wait_ms, 0);
        ck_assert_uint_le(wait_ms, 21);
        struct episode *e = next(m, &s);
        expect(judged(e), "unknown", "snapshot-lost", "");
        episode_free(e);
        memory_free(m);
        stream_done(&s, NULL);
}
END_TEST

START_TEST(a_collected_death_finds_the_parts_that_came_before_it)
{
        struct stream s, late = {0};
        struct memory *m = memory_of(&s);
        struct actor a = actor(100, "app");
        take(m, &s);
        stream_act(&late, &a, VIGIL_EXIT);
        const struct vigil_hdr *who = (void *)late.bytes, *death = (void *)(late.bytes + who->size),
                               *part = (void *)(late.bytes + who->size + death->size);
        uint32_t db;
        memory_take(m, who, &db);
        ck_assert_int_eq(memory_take(m, part, &db), MEMORY_DEATH_PART);
        ck_assert_int_eq(memory_take(m, death, &db), MEMORY_DEATH);
        ck_assert_uint_eq(memory_missing(m), 0);
        statistics(m, &s, 0);
        struct episode *e = next(m, &s);
        expect(judged(e), "clean", "", "");
        episode_free(e);
        memory_free(m);
        stream_done(&late, NULL);
        stream_done(&s, NULL);
}
END_TEST

START_TEST(a_loss_before_a_process_took_part_does_not_concern_it)
{
        struct stream s;
        struct memory *m = memory_of(&s);
        struct actor a = actor(100, "app");
        take(m, &s);
        statistics(m, &s, 3);
        for (int i = 0; i < 2; i++) {
                /* The first began to take part after the loss, the second before. */
                stream_act(&s, &a, VIGIL_EXIT);
                const struct vigil_hdr *who = (void *)s.bytes;
                struct vigil_proc *p = (void *)(s.bytes + who->size);
                p->first_ns = i == 0 ? s.now : 1;
                take(m, &s);
                struct episode *e = next(m, &s);
                const struct detection *d = judged(e);
                if (i == 0)
                        expect(d, "clean", "", "");
                else
                        expect(d, "unknown", "events-lost", "P2 events-lost");
                episode_free(e);
        }
        memory_free(m);
        stream_done(&s, NULL);
}
END_TEST

START_TEST(a_number_that_comes_late_was_not_lost)
{
        struct stream s;
        struct memory *m = memory_of(&s);
        uint32_t db;
        take(m, &s);
        put_in_transaction(&s, 100);
        const struct vigil_hdr *first = (void *)s.bytes, *second = (void *)(s.bytes + first->size);
        memory_take(m, second, &db);
        ck_assert_uint_eq(memory_missing(m), 1);
        statistics(m, &s, 0);
        memory_take(m, first, &db);
        ck_assert_uint_eq(memory_missing(m), 0);
        memory_take(m, (void *)(s.bytes + first->size + second->size), &db);
        statistics(m, &s, 0);
        struct episode *e = next(m, &s);
        ck_assert_int_eq((int)detection_certificate(judged(e), 0)->trust.level, TRUST_FULL);
        episode_free(e);
        memory_free(m);
        stream_done(&s, NULL);
}
END_TEST

START_TEST(an_error_is_told_once)
{
        struct stream s;
        struct memory *m = memory_of(&s);
        struct vigil_db db = {.id = 1, .page_size = PAGE};
        unsigned wait_ms;
        db.file[VIGIL_ROLE_WAL] = (struct vigil_ledger){.sync_errors = 1, .first_error = -EIO, .first_error_ns = 5};
        fail_sync(&s, 100);
        take(m, &s);
        statistics(m, &s, 0);
        struct episode *e = next(m, &s);
        add_account(e, &s, &db);
        ck_assert_str_eq(findings_of(judged(e)), "P1 sync-error");
        episode_free(e);

        put_in_transaction(&s, 100); /* the account still has it */
        take(m, &s);
        e = next(m, &s);
        add_account(e, &s, &db);
        ck_assert_str_eq(findings_of(judged(e)), "P1 unclean-death");
        episode_free(e);

        fail_sync(&s, 200); /* the same again is news, but not at once */
        take(m, &s);
        db.file[VIGIL_ROLE_WAL].sync_errors = 2;
        ck_assert(nothing_comes(m, s.now, &wait_ms));
        ck_assert_uint_gt(wait_ms, 0);
        s.now += 2 * SECOND;
        e = next(m, &s);
        add_account(e, &s, &db);
        ck_assert_str_eq(findings_of(judged(e)), "P1 sync-error");
        episode_free(e);
        memory_free(m);
        stream_done(&s, NULL);
}
END_TEST

static void fail_write(struct stream *s, int error)
{
        struct vigil_op r = {
                .id = ident(100, "app"),
                .e = {.db = 1, .role = VIGIL_ROLE_WAL, .op = VIGIL_OP_WRITE, .result = -error, .ns = s->now}};
        stream_put(s, &r, VIGIL_OP, sizeof(r), false);
}

START_TEST(what_goes_on_is_told_ever_more_rarely_and_what_is_new_at_once)
{
        struct stream s;
        struct memory *m = memory_of(&s);
        struct episode *e;
        unsigned wait_ms;
        size_t told = 0;
        take(m, &s);
        statistics(m, &s, 0);
        for (int i = 0; i < 6000; i++) { /* ten minutes */
                fail_write(&s, ENOSPC);
                take(m, &s);
                s.now += SECOND / 10;
                while (episode_begin(m, s.now, &e, &wait_ms) == 1) {
                        ck_assert_str_eq(findings_of(judged(e)), "P1 no-space");
                        episode_free(e);
                        told++;
                }
        }
        ck_assert_uint_ge(told, 10);
        ck_assert_uint_le(told, 20);
        fail_write(&s, EROFS);
        take(m, &s);
        ck_assert_int_eq(episode_begin(m, s.now, &e, &wait_ms), 1);
        ck_assert_ptr_nonnull(strstr(findings_of(judged(e)), "P0 filesystem-aborted"));
        episode_free(e);
        memory_free(m);
        stream_done(&s, NULL);
}
END_TEST

START_TEST(an_error_that_the_account_told_of_is_not_told_again_by_its_record)
{
        struct stream s;
        struct memory *m = memory_of(&s);
        struct vigil_db db = {.id = 1, .page_size = PAGE};
        unsigned wait_ms;
        db.file[VIGIL_ROLE_WAL] = (struct vigil_ledger){.sync_errors = 1, .first_error = -EIO, .first_error_ns = 5};
        put_in_transaction(&s, 100);
        take(m, &s);
        statistics(m, &s, 0);
        fail_sync(&s, 200); /* on its way */
        struct episode *e = next(m, &s);
        add_account(e, &s, &db);
        ck_assert_str_eq(findings_of(judged(e)), "P1 unclean-death,P1 sync-error");
        episode_free(e);
        take(m, &s);
        ck_assert(nothing_comes(m, s.now + 10 * SECOND, &wait_ms));
        ck_assert_uint_eq(wait_ms, 0);
        memory_free(m);
        stream_done(&s, NULL);
}
END_TEST

START_TEST(who_dies_next_has_outlived_this_death)
{
        struct stream s;
        struct memory *m = memory_of(&s);
        struct actor a = actor(100, "app"), b = actor(200, "app");
        stream_act(&s, &a, VIGIL_EXIT);
        take(m, &s);
        statistics(m, &s, 0);
        struct episode *e = next(m, &s);
        b.use.first_ns = START_NS;
        b.use.locks_at_end = VIGIL_LOCK_SHARED;
        stream_act(&s, &b, VIGIL_EXIT);
        take(m, &s);
        expect(judged(e), "clean", "others-still-open", "");
        episode_free(e);
        memory_free(m);
        stream_done(&s, NULL);
}
END_TEST

START_TEST(a_database_that_was_left_open_is_to_be_looked_at)
{
        struct stream s;
        struct memory *m = memory_of(&s);
        struct actor clean = actor(300, "app");
        const uint32_t *db;
        clean.use.flags = VIGIL_USE_OPENED;
        put_in_transaction(&s, 100);
        put_in_transaction(&s, 200);
        take(m, &s);
        statistics(m, &s, 0);
        struct episode *e = next(m, &s);
        ck_assert_uint_eq(episode_looks(e, &db), 1);
        ck_assert_uint_eq(db[0], 1);
        struct vigil_observed o = {.flags = VIGIL_OBS_MAIN | VIGIL_OBS_SQLITE | VIGIL_OBS_JOURNAL_HOT,
                                   .page_size = PAGE,
                                   .main_bytes = PAGE};
        ck_assert_int_eq(episode_observed(e, 1, &o), 0);
        const struct detection *d = judged(e);
        ck_assert_uint_eq(detection_n_certificates(d), 2);
        ck_assert(detection_certificate(d, 0)->hot_journal && detection_certificate(d, 1)->hot_journal);
        episode_free(e);
        stream_act(&s, &clean, VIGIL_EXIT);
        take(m, &s);
        e = next(m, &s);
        ck_assert_uint_eq(episode_looks(e, &db), 0);
        episode_free(e);
        memory_free(m);
        stream_done(&s, NULL);
}
END_TEST

START_TEST(a_recorded_episode_replays_to_the_same)
{
        struct stream s;
        struct memory *m = memory_of(&s);
        char dir[] = "/tmp/vigil-episode-XXXXXX", path[64];
        ck_assert_ptr_nonnull(mkdtemp(dir));
        snprintf(path, sizeof(path), "%s/recording.vigil", dir);
        struct vigil_op open = {.id = ident(100, "app"),
                                .e = {.db = 1, .role = VIGIL_ROLE_MAIN, .op = VIGIL_OP_OPEN}};
        struct vigil_op other = open;
        other.e.db = 2;
        stream_database(&s, 2, "/srv/other.db", VIGIL_DB_ASKED);
        stream_put(&s, &open, VIGIL_OPEN, sizeof(open), false);
        stream_put(&s, &other, VIGIL_OPEN, sizeof(other), false);
        put_in_transaction(&s, 100);
        take(m, &s);
        statistics(m, &s, 0);
        struct episode *e = next(m, &s);
        const struct detection *d = judged(e);
        ck_assert_int_eq(episode_record(e, path), 0);

        struct recording *r;
        const struct vigil_hdr *h;
        struct model *replay = model_new();
        struct detection *again;
        size_t opens = 0;
        ck_assert_int_eq(recording_open(path, &r), 0);
        while (recording_next(r, &h) > 0) {
                opens += h->type == VIGIL_OPEN;
                ck_assert_int_eq(model_feed(replay, h), 0);
        }
        ck_assert_str_eq(recording_error(r), "");
        recording_free(r);
        ck_assert_uint_eq(opens, 1); /* that of this database */
        ck_assert_int_eq(model_finish(replay), 0);
        ck_assert_int_eq(detect_run(replay, &again), 0);
        expect(again, "unclean", "write-transaction-open", "P1 unclean-death");
        ck_assert_str_eq(detection_certificate(again, 0)->id, detection_certificate(d, 0)->id);
        ck_assert_int_eq((int)model_trust(replay)->level, TRUST_FULL);
        detection_free(again);
        model_free(replay);
        unlink(path);
        rmdir(dir);
        episode_free(e);
        memory_free(m);
        stream_done(&s, NULL);
}
END_TEST

START_TEST(thousands_of_processes_come_and_go)
{
        struct stream s;
        struct memory *m = memory_of(&s);
        size_t certificates = 0, most = 0;
        take(m, &s);
        statistics(m, &s, 0);
        for (uint32_t pid = 1; pid <= 4000; pid++) {
                struct actor a = actor(pid, "app");
                stream_act(&s, &a, VIGIL_EXIT);
                if (pid % 50 == 0)
                        take(m, &s);
                if (pid % EPISODE_DEATHS && pid != 4000)
                        continue;
                take(m, &s);
                most = memory_use(m).bytes > most ? memory_use(m).bytes : most;
                struct episode *e = next(m, &s);
                certificates += detection_n_certificates(judged(e));
                episode_free(e);
                memory_age(m, s.now);
        }
        ck_assert_uint_eq(certificates, 4000);
        ck_assert_uint_eq(memory_use(m).waiting, 0);
        ck_assert_uint_eq(memory_use(m).dropped, 0);
        ck_assert_uint_lt(most, 6u << 20);
        memory_free(m);
        stream_done(&s, NULL);
}
END_TEST

START_TEST(a_database_that_was_swept_is_not_told_of)
{
        struct stream s;
        struct memory *m = memory_of(&s);
        put_in_transaction(&s, 100);
        take(m, &s);
        statistics(m, &s, 0);
        memory_forget_database(m, 1);
        struct episode *e = next(m, &s);
        ck_assert_uint_eq(detection_n_certificates(judged(e)), 0);
        episode_free(e);
        memory_free(m);
        stream_done(&s, NULL);
}
END_TEST

SUITE("episode", each_death_is_judged_once, a_death_waits_for_its_databases_but_not_for_long,
      a_collected_death_finds_the_parts_that_came_before_it, a_loss_before_a_process_took_part_does_not_concern_it,
      a_number_that_comes_late_was_not_lost, an_error_is_told_once,
      what_goes_on_is_told_ever_more_rarely_and_what_is_new_at_once,
      an_error_that_the_account_told_of_is_not_told_again_by_its_record, who_dies_next_has_outlived_this_death,
      a_database_that_was_left_open_is_to_be_looked_at, a_recorded_episode_replays_to_the_same,
      a_database_that_was_swept_is_not_told_of, thousands_of_processes_come_and_go)
