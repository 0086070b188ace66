/* test_bounds.c - a bound was reached: what had no place is unknown, what had one is judged as ever. */
#include "report/report.h"
#include "stream.h"
#include "suite.h"

#define OTHER_DB "/srv/other.db"

/* A process that closed database 1, in a run that counted @p c. */
static struct detection *clean_run(struct stream *s, struct vigil_counters c)
{
        struct actor a = actor(100, "app");
        stream_open(s);
        s->stats.c = c;
        stream_act(s, &a, VIGIL_EXIT);
        stream_close(s);
        return stream_judge(s);
}

START_TEST(databases_without_a_place_leave_the_others_their_verdicts)
{
        struct stream s;
        struct detection *d = clean_run(&s, (struct vigil_counters){.full_dbs = 3});
        const struct trust *t = model_trust(detection_model(d));
        expect(d, "clean", "", "");
        ck_assert_int_eq(detection_verdict(d, 0), VERDICT_CLEAN);
        ck_assert_ptr_null(detection_doubt(d, 0));
        ck_assert_int_eq(detection_overall(d), VERDICT_UNKNOWN);
        ck_assert_int_eq(t->level, TRUST_PARTIAL);
        ck_assert(trust_has(t, "databases-not-watched"));
        stream_done(&s, d);
}
END_TEST

/* A process, a file or a name without a place may belong to any database. */
START_TEST(anything_else_without_a_place_leaves_nobody_clean)
{
        struct stream s;
        const struct vigil_counters c[] = {
                {.full_procs = 1}, {.full_parts = 1}, {.full_files = 1}, {.full_names = 1}};
        for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
                struct detection *d = clean_run(&s, c[i]);
                expect(d, "unknown", "table-full", "");
                ck_assert_int_eq(detection_overall(d), VERDICT_UNKNOWN);
                stream_done(&s, d);
        }
}
END_TEST

/* Database 1, closed by a process that had more open than are kept of it, and a second database. */
static struct detection *many_uses(struct stream *s, uint32_t flags)
{
        struct actor a = actor(100, "app");
        a.uses_lost = 4;
        a.use.flags |= flags;
        stream_open(s);
        stream_database(s, 2, OTHER_DB, VIGIL_DB_ASKED);
        stream_act(s, &a, VIGIL_EXIT);
        stream_close(s);
        return stream_judge(s);
}

START_TEST(of_a_process_with_too_many_databases_those_that_were_kept_are_judged)
{
        struct stream s;
        struct detection *d = many_uses(&s, 0);
        expect(d, "clean", "", "");
        ck_assert_int_eq(detection_verdict(d, 0), VERDICT_CLEAN);
        ck_assert_ptr_null(detection_doubt(d, 0));
        ck_assert_int_eq(detection_verdict(d, 1), VERDICT_UNKNOWN);
        ck_assert_str_eq(detection_doubt(d, 1), "databases-not-kept");
        ck_assert_int_eq(detection_overall(d), VERDICT_UNKNOWN);
        stream_done(&s, d);
}
END_TEST

START_TEST(a_database_that_got_its_place_late_is_not_called_clean)
{
        struct stream s;
        struct detection *d = many_uses(&s, VIGIL_USE_SEEN_LATE);
        expect(d, "unknown", "seen-late,databases-not-kept", "");
        stream_done(&s, d);
}
END_TEST

START_TEST(an_unclean_death_stays_one_whatever_else_was_not_kept)
{
        struct stream s;
        struct actor a = actor(100, "app");
        a.uses_lost = 1;
        a.use.locks_at_end = VIGIL_LOCK_RESERVED;
        a.use.flags |= VIGIL_USE_TXN_OWNER | VIGIL_USE_SEEN_LATE;
        a.db.txn = VIGIL_TXN_ROLLBACK;
        stream_open(&s);
        stream_act(&s, &a, VIGIL_EXIT);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        expect(d, "unclean", "write-transaction-open", "P1 unclean-death");
        ck_assert_int_eq(detection_overall(d), VERDICT_UNCLEAN);
        stream_done(&s, d);
}
END_TEST

/* Of the file that stood there first it has an account, of the one that took its place it has none. */
START_TEST(a_path_is_accounted_for_with_every_file_that_stood_there)
{
        struct stream s;
        struct actor a = actor(100, "app");
        a.uses_lost = 1;
        stream_open(&s);
        stream_database(&s, 2, APP_DB, VIGIL_DB_ADOPTED);
        stream_act(&s, &a, VIGIL_EXIT);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        ck_assert_uint_eq(model_n_databases(detection_model(d)), 1);
        ck_assert_str_eq(detection_doubt(d, 0), "databases-not-kept");
        ck_assert_int_eq(detection_verdict(d, 0), VERDICT_UNKNOWN);
        stream_done(&s, d);
}
END_TEST

static void says(const struct detection *d, const char *words)
{
        json_t *report = NULL;
        char *text = NULL;
        size_t n;
        FILE *out = open_memstream(&text, &n);
        struct report_style style = {.width = 1000};
        ck_assert_int_eq(report_build(d, NULL, &report), 0);
        ck_assert_int_eq(report_text(report, out, &style), 0);
        fclose(out);
        ck_assert_msg(strstr(text, words) != NULL, "not said: %s in\n%s", words, text);
        free(text);
        json_decref(report);
}

START_TEST(the_text_says_which_bound_it_was)
{
        struct stream s;
        struct detection *d = many_uses(&s, 0);
        says(d, "more than 8 databases open at a time: what it did to this one may not have been followed");
        stream_done(&s, d);
        d = clean_run(&s, (struct vigil_counters){.full_dbs = 3});
        says(d, "more databases were used than are watched at a time");
        stream_done(&s, d);
}
END_TEST

START_TEST(the_highest_id_is_as_good_as_any)
{
        struct stream s;
        struct actor a = actor(100, "app");
        a.use.db = a.db.id = VIGIL_MAX_DBS - 1;
        stream_open(&s);
        stream_database(&s, VIGIL_MAX_DBS - 1, OTHER_DB, VIGIL_DB_ASKED);
        stream_act(&s, &a, VIGIL_EXIT);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        ck_assert_uint_eq(detection_n_certificates(d), 1);
        ck_assert_str_eq(model_database(detection_model(d), detection_certificate(d, 0)->database)->path, OTHER_DB);
        stream_done(&s, d);
}
END_TEST

SUITE("bounds", the_text_says_which_bound_it_was, databases_without_a_place_leave_the_others_their_verdicts,
      anything_else_without_a_place_leaves_nobody_clean,
      of_a_process_with_too_many_databases_those_that_were_kept_are_judged,
      a_database_that_got_its_place_late_is_not_called_clean, an_unclean_death_stays_one_whatever_else_was_not_kept,
      a_path_is_accounted_for_with_every_file_that_stood_there, the_highest_id_is_as_good_as_any)
