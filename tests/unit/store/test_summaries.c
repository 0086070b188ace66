/* test_summaries.c - sums and histograms come out as they went in, however they are grouped. */
#include "suite.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "fixture.h"
#include "store/packed.h"

#define S0 (T0 / SECOND)

/* Samples in two buckets, the longest of 5 ms. */
static struct vigil_hist timed(uint32_t fast, uint32_t slow)
{
        struct vigil_hist h = {
                .count = fast + slow, .sum_ns = 1000ull * fast + 5000000ull * slow, .max_ns = 5000000};
        h.bucket[3] = fast;
        h.bucket[60] = slow;
        return h;
}

static void add(struct store *s, const char *database, const char *file, const char *process, const char *op,
                int64_t start_s, uint64_t count, const struct vigil_hist *h)
{
        struct store_summary row = {.database = database,
                                    .file = file,
                                    .process = process,
                                    .op = op,
                                    .start_s = start_s,
                                    .span_s = STORE_MINUTE_S,
                                    .count = count,
                                    .bytes = count * 10,
                                    .errors = count / 10,
                                    .hist = h};
        ck_assert_int_eq(store_add_summary(s, &row), 0);
}

/* One line for each row: "db file process op count bytes errors max_us". */
static const char *rows_of(struct store *s, unsigned by, const struct store_query *q,
                           const struct store_summary *live, size_t nlive)
{
        static char text[4096];
        static const char *const names[] = {"db", "file", "process", "op"};
        json_t *d, *row;
        size_t i, used = 0;
        ck_assert_int_eq(store_summary_rows(s, q, by, live, nlive, &d), 0);
        ck_assert_str_eq(json_string_value(json_object_get(d, "schema")), "vigil.summary/1");
        ck_assert(json_is_string(json_object_get(d, "since")) && json_is_string(json_object_get(d, "until")));
        text[0] = '\0';
        json_array_foreach (json_object_get(d, "rows"), i, row) {
                for (size_t k = 0; k < 4; k++) {
                        const char *name = json_string_value(json_object_get(row, names[k]));
                        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s ", name ? name : "-");
                }
                const json_t *max = json_object_get(row, "max_us");
                used += (size_t)snprintf(text + used, sizeof(text) - used, "%lld %lld %lld %s\n",
                                         json_integer_value(json_object_get(row, "count")),
                                         json_integer_value(json_object_get(row, "bytes")),
                                         json_integer_value(json_object_get(row, "errors")),
                                         json_is_null(max)                 ? "untimed"
                                         : json_integer_value(max) == 5000 ? "5000"
                                                                           : "?");
        }
        json_decref(d);
        return text;
}

static const struct store_query everything;

static void two_kinds(struct store *s)
{
        struct vigil_hist h = timed(90, 10);
        add(s, "orders", "wal", "", "sync", S0, 100, &h);
        add(s, "orders", "wal", "", "sync", S0 + 60, 100, &h);
        add(s, "orders", "main", "", "write", S0, 7, NULL);
        add(s, "app", "wal", "", "sync", S0, 1, NULL);
        add(s, "orders", "", "node", "sync", S0, 150, &h);
        add(s, "orders", "", "cron", "sync", S0, 50, &h);
}

START_TEST(rows_per_file_and_rows_per_process_are_never_added_up)
{
        struct store *s = opened(NULL);
        two_kinds(s);
        ck_assert_str_eq(rows_of(s, STORE_BY_DB, &everything, NULL, 0), "app - - - 1 10 0 untimed\n"
                                                                        "orders - - - 207 2070 20 5000\n");
        ck_assert_str_eq(rows_of(s, STORE_BY_PROCESS, &everything, NULL, 0), "- - cron - 50 500 5 5000\n"
                                                                             "- - node - 150 1500 15 5000\n");
        ck_assert_str_eq(rows_of(s, 15, &everything, NULL, 0), "app wal - sync 1 10 0 untimed\n"
                                                               "orders - cron sync 50 500 5 5000\n"
                                                               "orders - node sync 150 1500 15 5000\n"
                                                               "orders main - write 7 70 0 untimed\n"
                                                               "orders wal - sync 200 2000 20 5000\n");
        store_close(s);
}
END_TEST

START_TEST(live_rows_are_merged_wherever_their_names_belong)
{
        struct store *s = opened(NULL);
        struct vigil_hist h = timed(1, 1);
        two_kinds(s);
        const struct store_summary live[] = {
                {.database = "zoo", .file = "main", .process = "", .op = "read", .start_s = S0 + 120, .count = 1},
                {.database = "orders",
                 .file = "wal",
                 .process = "",
                 .op = "sync",
                 .start_s = S0 + 120,
                 .count = 2,
                 .hist = &h},
                {.database = "aaa", .file = "main", .process = "", .op = "read", .start_s = S0 + 120, .count = 3},
                {.database = "app",
                 .file = "wal",
                 .process = "",
                 .op = "sync",
                 .start_s = S0 + 120,
                 .count = 4,
                 .hist = &h},
                {.database = "orders",
                 .file = "",
                 .process = "node",
                 .op = "sync",
                 .start_s = S0 + 120,
                 .count = 5},
        };
        ck_assert_str_eq(rows_of(s, STORE_BY_DB | STORE_BY_OP, &everything, live, 5),
                         "aaa - - read 3 0 0 untimed\n"
                         "app - - sync 5 10 0 5000\n"
                         "orders - - sync 202 2000 20 5000\n"
                         "orders - - write 7 70 0 untimed\n"
                         "zoo - - read 1 0 0 untimed\n");
        ck_assert_str_eq(rows_of(s, STORE_BY_DB, &(struct store_query){.database = "app"}, live, 5),
                         "app - - - 5 10 0 5000\n");
        ck_assert_str_eq(rows_of(s, STORE_BY_DB, &(struct store_query){.until_ns = T0 + 60 * SECOND}, live, 5),
                         "app - - - 1 10 0 untimed\n"
                         "orders - - - 107 1070 10 5000\n");
        store_close(s);
}
END_TEST

static void assert_since(struct store *s, int64_t asked_ns, int64_t counted_s)
{
        char text[TEXT_TIME_LEN];
        json_t *d;

        ck_assert_int_eq(
                store_summary_rows(s, &(struct store_query){.since_ns = asked_ns}, STORE_BY_DB, NULL, 0, &d), 0);
        text_time(text, counted_s * SECOND);
        ck_assert_str_eq(json_string_value(json_object_get(d, "since")), text);
        text_time(text, asked_ns);
        ck_assert_str_eq(json_string_value(json_object_get(d, "asked_since")), text);
        json_decref(d);
}

START_TEST(since_is_where_the_first_row_that_counts_begins)
{
        struct store *s = opened(NULL);
        two_kinds(s);
        assert_since(s, T0 + 57 * SECOND, S0);
        assert_since(s, T0 + 60 * SECOND, S0 + 60);
        /* nothing is stored of that time: a minute it is all the same */
        assert_since(s, T0 + 603 * SECOND, S0 + 600);
        struct store_summary hour = {.database = "app",
                                     .file = "main",
                                     .process = "",
                                     .op = "read",
                                     .start_s = S0 - 1200,
                                     .span_s = STORE_HOUR_S,
                                     .count = 1};
        ck_assert_int_eq(store_add_summary(s, &hour), 0);
        assert_since(s, T0 + 603 * SECOND, S0 - 1200);
        store_close(s);
}
END_TEST

START_TEST(quantiles_are_those_of_the_histograms_put_together)
{
        struct store *s = opened(NULL);
        struct vigil_hist a = timed(900, 0), b = timed(0, 100), both = {0};
        hist_add(&both, &a);
        hist_add(&both, &b);
        add(s, "app", "wal", "", "sync", S0, 900, &a);
        add(s, "app", "wal", "", "sync", S0 + 60, 100, &b);
        json_t *d;
        ck_assert_int_eq(store_summary_rows(s, &everything, STORE_BY_DB, NULL, 0, &d), 0);
        const json_t *row = json_array_get(json_object_get(d, "rows"), 0);
        ck_assert_int_eq(json_integer_value(json_object_get(row, "p50_us")),
                         (json_int_t)(hist_quantile(&both, 500) + 500) / 1000);
        ck_assert_int_eq(json_integer_value(json_object_get(row, "p95_us")),
                         (json_int_t)(hist_quantile(&both, 950) + 500) / 1000);
        ck_assert_int_eq(json_integer_value(json_object_get(row, "max_us")), 5000);
        json_decref(d);
        store_close(s);
}
END_TEST

START_TEST(the_same_minute_again_is_added_and_its_histogram_with_it)
{
        struct store *s = opened(NULL);
        struct vigil_hist h = timed(3, 1);
        add(s, "app", "wal", "", "sync", S0, 4, &h);
        add(s, "app", "wal", "", "sync", S0, 4, &h);
        add(s, "app", "wal", "", "sync", S0, 2, NULL);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM summaries"), 1);
        ck_assert_int_eq(shell_number("SELECT count FROM summaries"), 10);
        ck_assert_int_eq(shell_number("SELECT sum_ns FROM summaries"), (long long)h.sum_ns * 2);
        char text[64];
        shell("SELECT hex(hist) FROM summaries", text, sizeof(text));
        ck_assert_str_eq(text, "03060000003C02000000");
        store_close(s);
}
END_TEST

START_TEST(a_histogram_survives_packing)
{
        struct vigil_hist h = {0}, back = {0};
        uint8_t packed[PACKED_MAX];
        for (unsigned i = 0; i < VIGIL_HIST_BUCKETS; i++)
                h.bucket[i] = i * 2654435761u;
        size_t n = packed_write(&h, packed);
        ck_assert_uint_eq(n, (VIGIL_HIST_BUCKETS - 1) * PACKED_PAIR);
        packed_add(&back, packed, n);
        ck_assert_mem_eq(h.bucket, back.bucket, sizeof(h.bucket));
}
END_TEST

START_TEST(bytes_that_are_no_histogram_are_passed_over)
{
        static const uint8_t noise[] = {255, 1, 1, 1, 1, 3, 255, 255, 255, 255, 3, 1, 0, 0, 0, 7, 1};
        struct vigil_hist h = {0};
        packed_add(&h, noise, sizeof(noise));
        ck_assert_uint_eq(h.bucket[3], UINT32_MAX);
        ck_assert_uint_eq(h.bucket[7], 0);
}
END_TEST

START_TEST(names_of_programs_that_are_no_text_are_one_row_live_and_stored)
{
        struct store *s = opened(NULL);
        add(s, "app", "", "no\377de", "sync", S0, 1, NULL);
        const struct store_summary live = {
                .database = "app", .file = "", .process = "no\377de", .op = "sync", .start_s = S0 + 60, .count = 2};
        ck_assert_str_eq(rows_of(s, STORE_BY_PROCESS, &everything, &live, 1),
                         "- - no\357\277\275de - 3 10 0 untimed\n");
        store_close(s);
}
END_TEST

START_TEST(a_row_of_another_span_or_without_a_name_is_refused)
{
        struct store *s = opened(NULL);
        struct store_summary row = {
                .database = "app", .file = "wal", .process = "", .op = "sync", .start_s = S0, .span_s = 61};
        ck_assert_int_eq(store_add_summary(s, &row), -EINVAL);
        row.span_s = STORE_MINUTE_S;
        row.file = "";
        ck_assert_int_eq(store_add_summary(s, &row), -EINVAL);
        ck_assert_str_eq(rows_of(s, STORE_BY_DB, &everything, &row, 1), "");
        ck_assert_int_eq(shell_number("SELECT count(*) FROM summaries"), 0);
        store_close(s);
}
END_TEST

START_TEST(too_many_rows_are_cut_and_too_much_work_is_ended)
{
        struct store *s = opened(NULL);
        json_t *d = NULL;
        shell("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<200000) INSERT INTO summaries"
              " SELECT 1795260000, 60, 'db' || i, 'wal', '', 'sync', 1, 1, 0, NULL, NULL, NULL FROM n",
              NULL, 0);
        struct store_query q = {.limit = 3, .deadline_ms = 60000};
        ck_assert_int_eq(store_summary_rows(s, &q, STORE_BY_DB, NULL, 0, &d), 0);
        ck_assert_uint_eq(json_array_size(json_object_get(d, "rows")), 3);
        ck_assert(json_is_true(json_object_get(d, "cut")));
        json_decref(d);
        d = NULL;
        q.deadline_ms = 1;
        ck_assert_int_eq(store_summary_rows(s, &q, STORE_BY_DB, NULL, 0, &d), -ETIME);
        ck_assert_ptr_null(d);
        put_incident(s, "i-1", "firing");
        store_close(s);
}
END_TEST

SUITE("summaries", rows_per_file_and_rows_per_process_are_never_added_up,
      live_rows_are_merged_wherever_their_names_belong, since_is_where_the_first_row_that_counts_begins,
      quantiles_are_those_of_the_histograms_put_together, the_same_minute_again_is_added_and_its_histogram_with_it,
      a_histogram_survives_packing, bytes_that_are_no_histogram_are_passed_over,
      names_of_programs_that_are_no_text_are_one_row_live_and_stored,
      a_row_of_another_span_or_without_a_name_is_refused, too_many_rows_are_cut_and_too_much_work_is_ended)
