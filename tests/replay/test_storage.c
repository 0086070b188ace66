/* test_storage.c - failing storage, and what a check may and may not say, out of synthetic streams. */
#include <errno.h>

#include "stream.h"
#include "suite.h"

static void put_ledger(struct stream *s, const struct vigil_ledger *main)
{
        struct vigil_ledger_rec r = {.db = {.id = 1, .page_size = PAGE}};
        r.db.file[VIGIL_ROLE_MAIN] = *main;
        stream_put(s, &r, VIGIL_LEDGER, sizeof(r), true);
}

static void put_op(struct stream *s, uint8_t op, uint32_t bytes, int32_t result)
{
        struct vigil_op r = {.id = ident(100, "app"),
                             .e = {.db = 1, .role = VIGIL_ROLE_MAIN, .op = op, .bytes = bytes, .result = result}};
        stream_put(s, &r, VIGIL_OP, sizeof(r), false);
}

static void put_wberr(struct stream *s, uint32_t consumer)
{
        struct vigil_wberr r = {
                .ino = 101, .db = 1, .role = VIGIL_ROLE_MAIN, .consumed = consumer != 0, .error = -EIO};
        if (consumer)
                r.id = ident(consumer, consumer == 100 ? "app" : "backup");
        stream_put(s, &r, VIGIL_WBERR, sizeof(r), false);
}

/* A clean process under the storage that the test has put before. */
static struct detection *finish(struct stream *s)
{
        struct actor a = actor(100, "app");
        stream_act(s, &a, VIGIL_EXIT);
        stream_close(s);
        return stream_judge(s);
}

START_TEST(a_failed_sync_is_p1_and_names_the_process)
{
        struct stream s;
        stream_open(&s);
        put_op(&s, VIGIL_OP_SYNC, 0, -EIO);
        struct detection *d = finish(&s);
        ck_assert_str_eq(findings_of(d), "P1 sync-error");
        ck_assert_uint_eq(detection_finding(d, 0)->process.tgid, 100);
        ck_assert_str_eq(json_string_value(json_object_get(detection_finding(d, 0)->evidence, "error")), "EIO");
        stream_done(&s, d);
}
END_TEST

START_TEST(an_interrupted_sync_is_no_storage_error)
{
        struct stream s;
        stream_open(&s);
        put_op(&s, VIGIL_OP_SYNC, 0, -EINTR);
        put_op(&s, VIGIL_OP_SYNC, 0, -EINVAL);
        struct detection *d = finish(&s);
        ck_assert_str_eq(findings_of(d), "");
        stream_done(&s, d);
}
END_TEST

START_TEST(a_success_after_a_failed_sync_is_a_lie_and_the_taint_stays)
{
        struct stream s;
        struct actor a = actor(100, "app");
        struct vigil_ledger main = {.ino = 101,
                                    .flags = VIGIL_LEDGER_TAINTED | VIGIL_LEDGER_LIED,
                                    .sync_errors = 2,
                                    .first_error = -ENOSPC};
        a.db.file[VIGIL_ROLE_MAIN] = main;
        stream_open(&s);
        put_ledger(&s, &main);
        stream_act(&s, &a, VIGIL_EXIT);
        stream_close(&s);
        struct detection *d = stream_judge(&s);
        expect(d, "clean", "storage-tainted", "P0 sync-retry-lied,P1 sync-error");
        ck_assert(detection_certificate(d, 0)->tainted);
        stream_done(&s, d);
}
END_TEST

START_TEST(an_error_told_to_somebody_else_is_swallowed)
{
        struct stream s;
        stream_open(&s);
        put_wberr(&s, 0);
        put_wberr(&s, 555);
        struct detection *d = finish(&s);
        ck_assert_str_eq(findings_of(d), "P0 writeback-error,P0 sync-error-swallowed");
        ck_assert_uint_eq(detection_finding(d, 1)->process.tgid, 555);
        stream_done(&s, d);
}
END_TEST

START_TEST(an_error_told_to_the_writer_is_not_swallowed)
{
        struct stream s;
        stream_open(&s);
        put_wberr(&s, 0);
        put_wberr(&s, 100);
        struct detection *d = finish(&s);
        ck_assert_str_eq(findings_of(d), "P0 writeback-error");
        stream_done(&s, d);
}
END_TEST

START_TEST(a_full_disk_and_a_short_write_are_told_once_each)
{
        struct stream s;
        stream_open(&s);
        for (int i = 0; i < 5; i++)
                put_op(&s, VIGIL_OP_WRITE, PAGE, -ENOSPC);
        put_op(&s, VIGIL_OP_WRITE, PAGE, 100);
        struct detection *d = finish(&s);
        ck_assert_str_eq(findings_of(d), "P1 no-space,P1 short-write");
        ck_assert_int_eq(json_integer_value(json_object_get(detection_finding(d, 0)->evidence, "count")), 5);
        stream_done(&s, d);
}
END_TEST

START_TEST(a_green_check_does_not_clear_what_the_trace_saw)
{
        struct stream s;
        struct check_result ok = {.outcome = CHECK_OK, .method = "quick_check"};
        stream_open(&s);
        put_wberr(&s, 0);
        struct detection *d = finish(&s);
        ck_assert_int_eq(detection_add_check(d, 0, &ok), 0);
        ck_assert_str_eq(findings_of(d), "P0 writeback-error,P1 silent-loss-suspected");
        stream_done(&s, d);
}
END_TEST

START_TEST(a_green_check_after_a_sound_run_adds_nothing)
{
        struct stream s;
        struct check_result ok = {.outcome = CHECK_OK, .method = "quick_check"};
        stream_open(&s);
        struct detection *d = finish(&s);
        ck_assert_int_eq(detection_add_check(d, 0, &ok), 0);
        ck_assert_str_eq(findings_of(d), "");
        ck_assert(!detection_wants_backup(d, 0));
        stream_done(&s, d);
}
END_TEST

START_TEST(damage_is_p0_and_wants_a_backup)
{
        struct stream s;
        struct check_result bad = {.outcome = CHECK_CORRUPT, .method = "quick_check", .errors = json_array()};
        json_array_append_new(bad.errors, json_pack("{s:i, s:s}", "page", 7, "text", "bad cell"));
        stream_open(&s);
        struct detection *d = finish(&s);
        ck_assert_int_eq(detection_add_check(d, 0, &bad), 0);
        ck_assert_str_eq(findings_of(d), "P0 integrity-failed");
        ck_assert(detection_wants_backup(d, 0));
        json_decref(bad.errors);
        stream_done(&s, d);
}
END_TEST

START_TEST(a_backup_that_could_not_be_made_is_told)
{
        struct stream s;
        stream_open(&s);
        struct detection *d = finish(&s);
        ck_assert_int_eq(detection_add_backup_failure(d, 0, "no space", "/backups/app.db"), 0);
        ck_assert_str_eq(findings_of(d), "P2 backup-failed");
        ck_assert_str_eq(json_string_value(json_object_get(detection_finding(d, 0)->evidence, "last_good")),
                         "/backups/app.db");
        stream_done(&s, d);
}
END_TEST

SUITE("storage", a_failed_sync_is_p1_and_names_the_process, an_interrupted_sync_is_no_storage_error,
      a_success_after_a_failed_sync_is_a_lie_and_the_taint_stays, an_error_told_to_somebody_else_is_swallowed,
      an_error_told_to_the_writer_is_not_swallowed, a_full_disk_and_a_short_write_are_told_once_each,
      a_green_check_does_not_clear_what_the_trace_saw, a_green_check_after_a_sound_run_adds_nothing,
      damage_is_p0_and_wants_a_backup, a_backup_that_could_not_be_made_is_told)
