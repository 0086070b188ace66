/* test_streams.c - streams that no live run would give: out of order, doubled, cut, of others, hostile. */
#include <errno.h>

#include "model/cause.h"
#include "report/report.h"
#include "stream.h"
#include "suite.h"

/* A killed writer and a clean reader with everything around them. */
static void fill(struct stream *s)
{
        struct actor a = actor(100, "app"), b = actor(101, "other");
        a.use.locks_at_end = VIGIL_LOCK_RESERVED;
        a.use.flags |= VIGIL_USE_TXN_OWNER;
        a.db.txn = VIGIL_TXN_ROLLBACK;
        killed(&a, SIGKILL);
        stream_open(s);
        stream_act(s, &a, VIGIL_EXIT);
        stream_observed(s, &a,
                        (struct vigil_observed){.flags = VIGIL_OBS_MAIN | VIGIL_OBS_SQLITE, .main_bytes = PAGE});
        stream_act(s, &b, VIGIL_EXIT);
        stream_close(s);
}

static char *report_of(const struct stream *s)
{
        json_t *report = NULL;
        struct detection *d = stream_judge(s);
        ck_assert_int_eq(report_build(d, NULL, &report), 0);
        char *text = json_dumps(report, JSON_SORT_KEYS);
        json_decref(report);
        const struct model *m = detection_model(d);
        detection_free(d);
        model_free((struct model *)m);
        return text;
}

/* Offsets of the records of @p s. */
static size_t records(const struct stream *s, size_t *at, size_t max)
{
        size_t n = 0;
        for (size_t i = 0; i < s->n && n < max; i += ((const struct vigil_hdr *)(const void *)(s->bytes + i))->size)
                at[n++] = i;
        return n;
}

/* The same stream with its records in the order @p order. */
static struct stream reordered(const struct stream *s, const size_t *order, size_t n)
{
        size_t at[64];
        struct stream r = *s;
        records(s, at, 64);
        r.bytes = malloc(s->n);
        r.n = 0;
        for (size_t i = 0; i < n; i++) {
                const struct vigil_hdr *h = (const void *)(s->bytes + at[order[i]]);
                memcpy(r.bytes + r.n, h, h->size);
                r.n += h->size;
        }
        return r;
}

START_TEST(a_replay_gives_the_same_document_every_time)
{
        struct stream s;
        fill(&s);
        char *a = report_of(&s), *b = report_of(&s);
        ck_assert_str_eq(a, b);
        free(a);
        free(b);
        stream_done(&s, NULL);
}
END_TEST

START_TEST(order_does_not_matter)
{
        struct stream s;
        fill(&s);
        size_t at[64], order[64], n = records(&s, at, 64);
        for (size_t i = 0; i < n; i++)
                order[i] = n - 1 - i;
        struct stream back = reordered(&s, order, n);
        char *a = report_of(&s), *b = report_of(&back);
        ck_assert_str_eq(a, b);
        free(a);
        free(b);
        free(back.bytes);
        stream_done(&s, NULL);
}
END_TEST

START_TEST(a_doubled_record_is_told_of_and_counted_once)
{
        struct stream s;
        fill(&s);
        size_t at[64], n = records(&s, at, 64);
        for (size_t i = 0; i < n; i++)
                if (((const struct vigil_hdr *)(const void *)(s.bytes + at[i]))->type == VIGIL_EXIT) {
                        s.bytes = realloc(s.bytes, s.n * 2);
                        const struct vigil_hdr *h = (const void *)(s.bytes + at[i]);
                        memcpy(s.bytes + s.n, h, h->size);
                        s.n += h->size;
                        break;
                }
        struct detection *d = stream_judge(&s);
        ck_assert_uint_eq(detection_n_certificates(d), 2);
        ck_assert(trust_has(model_trust(detection_model(d)), "records-duplicated"));
        stream_done(&s, d);
}
END_TEST

START_TEST(one_number_for_two_records_is_no_loss)
{
        struct stream s;
        struct actor a = actor(100, "app");
        stream_open(&s);
        uint64_t seq = s.seq;
        stream_act(&s, &a, VIGIL_EXIT);
        /* A probe in an interrupt of another: both took number `seq`, the next one is two further. */
        struct vigil_fork f = {.parent = ident(1, "init"), .child = ident(2, "child")};
        s.seq = seq;
        stream_put(&s, &f, VIGIL_FORK, sizeof(f), false);
        s.seq = seq + 4;
        stream_put(&s, &f, VIGIL_FORK, sizeof(f), false);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        expect(d, "clean", "", "");
        stream_done(&s, d);
}
END_TEST

START_TEST(a_type_of_tomorrow_is_skipped_and_said)
{
        struct stream s;
        struct actor a = actor(100, "app");
        struct {
                struct vigil_hdr hdr;
                uint64_t what;
        } future = {.what = 1};
        stream_open(&s);
        stream_put(&s, &future, 999, sizeof(future), false);
        stream_act(&s, &a, VIGIL_EXIT);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        expect(d, "clean", "", "");
        ck_assert(trust_has(model_trust(detection_model(d)), "unknown-records"));
        stream_done(&s, d);
}
END_TEST

START_TEST(a_prefix_of_a_stream_never_crashes_and_is_never_trusted)
{
        struct stream s;
        fill(&s);
        size_t at[64], n = records(&s, at, 64);
        for (size_t i = 0; i < n; i++) {
                struct stream cut = s;
                cut.n = at[i];
                struct detection *d = stream_judge(&cut);
                ck_assert_int_ne(model_trust(detection_model(d))->level, TRUST_FULL);
                ck_assert_int_ne(detection_overall(d), VERDICT_CLEAN);
                const struct model *m = detection_model(d);
                detection_free(d);
                model_free((struct model *)m);
        }
        stream_done(&s, NULL);
}
END_TEST

START_TEST(what_never_looked_like_sqlite_is_dropped_unless_asked_for)
{
        struct stream s;
        struct actor a = actor(100, "app");
        stream_open(&s);
        stream_database(&s, 2, "/srv/lockfile", VIGIL_DB_ADOPTED);
        stream_database(&s, 3, "/run/canary.db", VIGIL_DB_CANARY | VIGIL_DB_ASKED);
        a.use.db = a.db.id = 2;
        stream_act(&s, &a, VIGIL_EXIT);
        stream_observed(&s, NULL, (struct vigil_observed){.db = 1, .flags = VIGIL_OBS_MAIN | VIGIL_OBS_ENCRYPTED});
        stream_observed(&s, NULL, (struct vigil_observed){.db = 2, .flags = VIGIL_OBS_MAIN | VIGIL_OBS_ENCRYPTED});
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        const struct model *m = detection_model(d);
        ck_assert(model_database(m, 0)->shown);
        ck_assert(!model_database(m, 1)->shown);
        ck_assert(!model_database(m, 2)->shown);
        ck_assert_uint_eq(detection_n_certificates(d), 0);
        stream_done(&s, d);
}
END_TEST

START_TEST(a_file_that_is_called_like_a_companion_makes_no_database)
{
        struct stream s;
        struct actor a = actor(100, "app");
        stream_open(&s);
        stream_database(&s, 2, "/srv/log", VIGIL_DB_ADOPTED);
        a.use.db = a.db.id = 2;
        a.db.file[VIGIL_ROLE_MAIN] = (struct vigil_ledger){0};
        a.db.file[VIGIL_ROLE_JOURNAL].writes = 3;
        a.db.txn = VIGIL_TXN_ROLLBACK;
        a.db.txn_tgid = a.pid;
        a.use.flags |= VIGIL_USE_TXN_OWNER;
        killed(&a, SIGKILL);
        stream_act(&s, &a, VIGIL_EXIT);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        ck_assert(!model_database(detection_model(d), 1)->shown);
        ck_assert_uint_eq(detection_n_certificates(d), 0);
        stream_done(&s, d);
}
END_TEST

START_TEST(a_replaced_file_stays_one_entry)
{
        struct stream s;
        struct actor a = actor(100, "app"), b = actor(101, "app");
        stream_open(&s);
        stream_act(&s, &a, VIGIL_EXIT);
        stream_database(&s, 2, APP_DB, VIGIL_DB_ADOPTED);
        b.use.db = b.db.id = 2;
        stream_act(&s, &b, VIGIL_EXIT);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        ck_assert_uint_eq(model_n_databases(detection_model(d)), 1);
        ck_assert_uint_eq(detection_n_certificates(d), 2);
        stream_done(&s, d);
}
END_TEST

SUITE("streams", a_replay_gives_the_same_document_every_time, order_does_not_matter,
      a_doubled_record_is_told_of_and_counted_once, one_number_for_two_records_is_no_loss,
      a_type_of_tomorrow_is_skipped_and_said, a_prefix_of_a_stream_never_crashes_and_is_never_trusted,
      what_never_looked_like_sqlite_is_dropped_unless_asked_for,
      a_file_that_is_called_like_a_companion_makes_no_database, a_replaced_file_stays_one_entry)
