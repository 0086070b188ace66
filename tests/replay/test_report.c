/* test_report.c - the document of the Contract, and the text made from it. */
#include "report/report.h"

#include <errno.h>

#include "stream.h"
#include "suite.h"

static json_t *build(const struct stream *s, const struct report_extras *extras, struct detection **ret)
{
        json_t *report = NULL;
        *ret = stream_judge(s);
        ck_assert_int_eq(report_build(*ret, extras, &report), 0);
        return report;
}

static void fill(struct stream *s)
{
        struct actor a = actor(100, "app");
        a.use.locks_at_end = VIGIL_LOCK_SHARED | VIGIL_LOCK_DMS | VIGIL_LOCK_WAL_WRITE;
        a.db.flags = VIGIL_DB_WAL_SEEN;
        a.db.wal_frames_open = 2;
        a.db.wal_commits = 5;
        a.db.wal_commits_durable = 3;
        a.db.file[VIGIL_ROLE_WAL] = (struct vigil_ledger){
                .ino = 201, .size = 8272, .written = 8272, .flags = VIGIL_LEDGER_SIZED};
        killed(&a, SIGKILL);
        stream_open(s);
        stream_act(s, &a, VIGIL_EXIT);
        struct vigil_hist_rec h = {.key = {.db = 1, .role = VIGIL_ROLE_WAL, .op = VIGIL_OP_SYNC, .comm = "app"}};
        h.hist = (struct vigil_hist){.count = 4, .max_ns = 900000};
        h.hist.bucket[20] = 4;
        stream_put(s, &h, VIGIL_HIST, sizeof(h), true);
        struct vigil_ledger_rec l = {.db = a.db};
        l.db.file[VIGIL_ROLE_WAL].writes = 7;
        stream_put(s, &l, VIGIL_LEDGER, sizeof(l), true);
        stream_close(s);
}

/* Each key that the Contract names is there, whatever is known. */
static void has_keys(const json_t *o, const char *const *keys)
{
        for (; *keys; keys++)
                ck_assert_msg(json_object_get(o, *keys) != NULL, "key %s is missing", *keys);
}

static const json_t *first(const json_t *o, const char *key)
{
        return json_array_get(json_object_get(o, key), 0);
}

START_TEST(every_key_of_the_contract_is_there)
{
        struct stream s;
        struct detection *d;
        fill(&s);
        json_t *r = build(&s, NULL, &d);
        const json_t *db = first(r, "databases"), *c = first(db, "certificates");
        has_keys(r, (const char *const[]){"schema", "vigil", "host", "boot_id", "kernel", "tier", "trust",
                                          "command", "databases", NULL});
        has_keys(json_object_get(r, "trust"),
                 (const char *const[]){"level", "reasons", "records", "lost", "missed", "canary", NULL});
        has_keys(json_object_get(r, "command"), (const char *const[]){"argv", "exit_code", "signal", NULL});
        has_keys(db, (const char *const[]){"path", "engine", "journal_mode", "page_size", "certificates",
                                           "processes", "findings", "integrity", "io", "backup", NULL});
        has_keys(c, (const char *const[]){"id", "process", "started_at", "ended_at", "verdict", "reasons",
                                          "ended_by", "exit", "locks", "transaction", "sync_in_flight", "at_risk",
                                          "commits_at_risk", "tainted", "left_behind", "prediction",
                                          "last_operations", "trust", NULL});
        has_keys(json_object_get(c, "process"),
                 (const char *const[]){"pid", "start_ns", "comm", "exe", "argv", "uid", "cgroup", NULL});
        has_keys(json_object_get(c, "exit"),
                 (const char *const[]){"code", "signal", "core", "oom", "cause", "sender", NULL});
        has_keys(first(c, "last_operations"),
                 (const char *const[]){"at", "op", "file", "offset", "bytes", "result", NULL});
        has_keys(first(db, "findings"), (const char *const[]){"id", "code", "severity", "at", "process", "detail",
                                                              "evidence", "trust", NULL});
        has_keys(json_object_get(db, "integrity"),
                 (const char *const[]){"result", "method", "on", "errors", "ms", NULL});
        json_decref(r);
        stream_done(&s, d);
}
END_TEST

START_TEST(values_are_those_of_the_stream)
{
        struct stream s;
        struct detection *d;
        fill(&s);
        json_t *r = build(&s, NULL, &d);
        const json_t *c = first(first(r, "databases"), "certificates");
        ck_assert_str_eq(json_string_value(json_object_get(c, "verdict")), "unclean");
        ck_assert_int_eq(json_integer_value(json_object_get(c, "commits_at_risk")), 2);
        ck_assert_int_eq(json_integer_value(json_object_get(first(c, "at_risk"), "bytes")), 8272);
        ck_assert_str_eq(json_string_value(json_array_get(json_object_get(c, "locks"), 1)), "wal-write");
        const json_t *sender = json_object_get(json_object_get(c, "exit"), "sender");
        ck_assert_str_eq(json_string_value(json_object_get(sender, "comm")), "bash");
        ck_assert_str_eq(json_string_value(json_object_get(first(sender, "ancestors"), "comm")), "systemd");
        ck_assert_str_eq(json_string_value(json_object_get(first(r, "databases"), "journal_mode")), "wal");
        const char *at = json_string_value(json_object_get(c, "ended_at"));
        ck_assert_uint_eq(strlen(at), strlen("2026-11-21T03:15:02.000000Z"));
        json_decref(r);
        stream_done(&s, d);
}
END_TEST

START_TEST(only_timed_operations_have_percentiles)
{
        struct stream s;
        struct detection *d;
        fill(&s);
        json_t *r = build(&s, NULL, &d), *row;
        size_t i, seen = 0;
        json_array_foreach (json_object_get(first(r, "databases"), "io"), i, row) {
                const char *op = json_string_value(json_object_get(row, "op"));
                bool timed = json_is_integer(json_object_get(row, "p99_us"));
                if (strcmp(op, "sync") == 0) {
                        ck_assert(timed);
                        ck_assert_int_eq(json_integer_value(json_object_get(row, "max_us")), 900);
                        seen++;
                } else if (strcmp(op, "write") == 0) {
                        ck_assert(json_is_null(json_object_get(row, "p50_us")));
                        seen++;
                }
        }
        ck_assert_uint_eq(seen, 2);
        json_decref(r);
        stream_done(&s, d);
}
END_TEST

START_TEST(paths_that_are_no_text_keep_their_bytes)
{
        struct stream s;
        struct detection *d;
        stream_open(&s);
        stream_database(&s, 2, "/srv/a\xff.db", VIGIL_DB_ASKED);
        stream_close(&s);
        json_t *r = build(&s, NULL, &d);
        const json_t *db = json_array_get(json_object_get(r, "databases"), 1);
        ck_assert_str_eq(json_string_value(json_object_get(db, "path")), "/srv/a\xef\xbf\xbd.db");
        ck_assert_str_eq(json_string_value(json_object_get(db, "path_hex")), "2f7372762f61ff2e6462");
        json_decref(r);
        stream_done(&s, d);
}
END_TEST

START_TEST(a_live_run_adds_check_and_backup)
{
        struct stream s;
        struct detection *d;
        struct check_result ok = {
                .outcome = CHECK_OK, .method = "quick_check", .on = "snapshot", .errors = json_array(), .ms = 12};
        json_t *backup = json_pack("{s:s, s:b}", "path", "/b/app.db", "verified", 1);
        struct report_attachment a = {.database = 0, .check = &ok, .backup = backup};
        struct report_extras extras = {.item = &a, .n = 1};
        fill(&s);
        json_t *r = build(&s, &extras, &d);
        const json_t *db = first(r, "databases");
        ck_assert_str_eq(json_string_value(json_object_get(json_object_get(db, "integrity"), "result")), "ok");
        ck_assert(json_is_true(json_object_get(json_object_get(db, "backup"), "verified")));
        json_decref(r);
        json_decref(backup);
        json_decref(ok.errors);
        stream_done(&s, d);
}
END_TEST

/* The text of the report of @p s. */
static char *text_of(const struct stream *s, const struct report_style *style, struct detection **ret)
{
        char *text = NULL;
        size_t n;
        FILE *out = open_memstream(&text, &n);
        json_t *r = build(s, NULL, ret);
        ck_assert_int_eq(report_text(r, out, style), 0);
        fclose(out);
        json_decref(r);
        return text;
}

START_TEST(the_verdict_comes_first_and_the_advice_last)
{
        struct stream s;
        struct detection *d;
        struct report_style style = {0};
        fill(&s);
        char *text = text_of(&s, &style, &d);
        ck_assert_int_eq(strncmp(text, "UNCLEAN  " APP_DB, strlen("UNCLEAN  " APP_DB)), 0);
        ck_assert_ptr_nonnull(strstr(text, "killed by SIGKILL"));
        ck_assert_ptr_nonnull(strstr(text, "bash (pid 77"));
        ck_assert_ptr_nonnull(strstr(text, "wal-write"));
        ck_assert(strstr(text, "what to do") > strstr(text, "killed by SIGKILL"));
        ck_assert_ptr_null(strchr(text, '\033'));
        free(text);
        stream_done(&s, d);
}
END_TEST

START_TEST(a_transaction_that_is_not_known_to_be_one_is_told_so)
{
        struct stream s;
        struct detection *d;
        struct report_style style = {0};
        struct actor a = actor(100, "app");
        a.use.locks_at_end = VIGIL_LOCK_RESERVED | VIGIL_LOCK_EXCLUSIVE;
        a.use.flags |= VIGIL_USE_TXN_OWNER | VIGIL_USE_OPEN_AT_END;
        a.db.flags = VIGIL_DB_NO_JOURNAL | VIGIL_DB_END_POSSIBLE;
        a.db.txn = VIGIL_TXN_ROLLBACK;
        a.db.txn_db_writes = 1;
        killed(&a, SIGKILL);
        stream_open(&s);
        stream_act(&s, &a, VIGIL_EXIT);
        stream_close(&s);
        char *text = text_of(&s, &style, &d);
        ck_assert_int_eq(strncmp(text, "UNKNOWN  " APP_DB, strlen("UNKNOWN  " APP_DB)), 0);
        ck_assert_ptr_nonnull(strstr(text, "perhaps a write transaction; locks reserved, exclusive"));
        free(text);
        stream_done(&s, d);
}
END_TEST

START_TEST(no_line_is_wider_than_the_page)
{
        struct stream s;
        struct detection *d;
        struct report_style style = {.verbose = true};
        fill(&s);
        char *text = text_of(&s, &style, &d), *save = NULL;
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                ck_assert_msg(strlen(line) <= 100, "%zu columns: %s", strlen(line), line);
        free(text);
        stream_done(&s, d);
}
END_TEST

START_TEST(a_name_cannot_send_an_escape_sequence)
{
        struct stream s;
        struct detection *d;
        struct report_style style = {0};
        stream_open(&s);
        stream_database(&s, 2, "/srv/\033[2J\n.db", VIGIL_DB_ASKED);
        stream_close(&s);
        char *text = text_of(&s, &style, &d);
        ck_assert_ptr_null(strchr(text, '\033'));
        ck_assert_ptr_nonnull(strstr(text, "/srv/?[2J?.db"));
        free(text);
        stream_done(&s, d);
}
END_TEST

START_TEST(what_is_no_report_is_refused)
{
        json_t *o = json_object();
        struct report_style style = {0};
        ck_assert_int_eq(report_text(o, stdout, &style), -EINVAL);
        json_decref(o);
}
END_TEST

SUITE("report", every_key_of_the_contract_is_there, values_are_those_of_the_stream,
      only_timed_operations_have_percentiles, paths_that_are_no_text_keep_their_bytes,
      a_live_run_adds_check_and_backup, the_verdict_comes_first_and_the_advice_last,
      a_transaction_that_is_not_known_to_be_one_is_told_so, no_line_is_wider_than_the_page,
      a_name_cannot_send_an_escape_sequence, what_is_no_report_is_refused)
