/* test_top.c - frames of `vigil top`: what stands where, and that nothing is larger than its terminal. Keys and terminals:
 * tests/e2e/top.bats. */
#include "report/top.h"

#include <string.h>

#include "report/top_rows.h"
#include "suite.h"

static char *text;

static const char *frame(const json_t *document, struct top_page *page)
{
        size_t size;
        free(text);
        FILE *out = open_memstream(&text, &size);
        ck_assert_int_eq(top_print(document, page, out), 0);
        fclose(out);
        return text;
}

static json_t *database(const char *name, double commits, int p99_us)
{
        return json_pack("{s:s, s:s, s:f, s:i, s:i, s:n}", "db", name, "state", "watched", "commits_per_s", commits,
                         "commit_p99_us", p99_us, "errors", 0, "spike");
}

static json_t *document_of(json_t *databases, json_t *rows)
{
        return json_pack("{s:s, s:s, s:i, s:{s:s, s:[]}, s:o, s:o}", "schema", "vigil.top/1", "at",
                         "2026-11-21T03:15:02.123456Z", "span_ms", 7000, "health", "status", "healthy", "reasons",
                         "databases", databases, "rows", rows ? rows : json_array());
}

static json_t *many(int n)
{
        json_t *list = json_array();
        char name[32];
        for (int i = 0; i < n; i++) {
                snprintf(name, sizeof(name), "db-%03d", i);
                json_array_append_new(list, database(name, i, i));
        }
        return document_of(list, NULL);
}

static unsigned lines_of(const char *s)
{
        unsigned n = 1;
        for (; *s; s++)
                n += *s == '\n';
        return n;
}

static unsigned longest(const char *s)
{
        size_t most = 0;
        for (;;) {
                size_t n = strcspn(s, "\n");
                most = n > most ? n : most;
                if (!s[n])
                        return (unsigned)most;
                s += n + 1;
        }
}

START_TEST(a_frame_is_never_larger_than_its_terminal)
{
        json_t *o = many(100);
        for (unsigned columns = 20; columns < 200; columns += 7)
                for (unsigned lines = 5; lines < 60; lines += 5)
                        for (int view = 0; view < TOP_VIEWS; view++)
                                for (int help = 0; help < 2; help++) {
                                        struct top_page page = {.view = (enum top_view)view,
                                                                .help = help,
                                                                .lines = lines,
                                                                .columns = columns};
                                        frame(o, &page);
                                        ck_assert_uint_eq(lines_of(text), lines);
                                        ck_assert_uint_le(longest(text), columns);
                                }
        json_decref(o);
}
END_TEST

START_TEST(scrolling_ends_with_the_last_entry)
{
        struct top_page page = {.sort = TOP_NAME, .lines = 24, .columns = 80, .scroll = SIZE_MAX / 2};
        json_t *o = many(100);
        frame(o, &page);
        ck_assert_uint_eq(page.scroll, 100 - 19);
        ck_assert_ptr_nonnull(strstr(text, "\ndb-099 "));
        ck_assert_ptr_null(strstr(text, "db-080"));
        json_decref(o);
}
END_TEST

START_TEST(without_a_terminal_every_entry_is_there)
{
        struct top_page page = {.columns = 100};
        json_t *o = many(100);
        frame(o, &page);
        ck_assert_uint_eq(lines_of(text), 104);
        ck_assert_ptr_null(strstr(text, "q quit"));
        json_decref(o);
}
END_TEST

static const char *first_of(const json_t *o, enum top_sort sort)
{
        const json_t **list;
        ck_assert_uint_ge(top_rows(o, TOP_DATABASES, sort, &list), 1);
        const char *name = json_string_value(json_object_get(list[0], "db"));
        free(list);
        return name;
}

START_TEST(each_order_has_another_first)
{
        json_t *spike = database("spike", 1, 10), *errors = database("errors", 2, 20),
               *gone = database("gone", 0, 0), *busy = database("busy", 900, 5), *slow = database("slow", 3, 900),
               *writes = database("writes", 4, 6);
        json_object_set_new(spike, "spike", json_pack("{s:f}", "factor", 9.0));
        json_object_set_new(errors, "errors", json_integer(3));
        json_object_set_new(gone, "state", json_string("gone"));
        json_object_set_new(writes, "write_bytes_per_s", json_real(1e6));
        json_t *o = document_of(json_pack("[o, o, o, o, o, o]", busy, slow, errors, spike, gone, writes), NULL);
        ck_assert_str_eq(first_of(o, TOP_WORST), "gone");
        ck_assert_str_eq(first_of(o, TOP_RATE), "busy");
        ck_assert_str_eq(first_of(o, TOP_TIME), "slow");
        ck_assert_str_eq(first_of(o, TOP_BYTES), "writes");
        ck_assert_str_eq(first_of(o, TOP_NAME), "busy");
        json_array_remove(json_object_get(o, "databases"), 4);
        ck_assert_str_eq(first_of(o, TOP_WORST), "spike");
        json_array_remove(json_object_get(o, "databases"), 3);
        ck_assert_str_eq(first_of(o, TOP_WORST), "errors");
        json_decref(o);
}
END_TEST

START_TEST(what_is_not_there_is_unknown_and_harms_nothing)
{
        struct top_page page = {.lines = 24, .columns = 80, .notice = "no daemon answers"};
        frame(NULL, &page);
        ck_assert_ptr_nonnull(strstr(text, "UNKNOWN  no daemon answers"));
        json_t *o = json_pack("{s:[{}, n, i], s:i}", "databases", 3, "rows", 4);
        page.notice = NULL;
        frame(o, &page);
        json_decref(o);
}
END_TEST

START_TEST(no_name_reaches_the_terminal_as_a_sequence)
{
        struct top_page page = {.columns = 80};
        json_t *o = document_of(json_pack("[o]", database("evil\033[2J\nname", 1, 1)), NULL);
        frame(o, &page);
        ck_assert_ptr_null(strchr(text, '\033'));
        ck_assert_uint_eq(lines_of(text), 5);
        json_decref(o);
}
END_TEST

/* @p n processes wait at @p name, the longest for @p ms. */
static json_t *waited_at(const char *name, int n, int ms)
{
        json_t *o = database(name, 0, 0);
        json_object_update_new(o, json_pack("{s:i, s:[{s:{s:i, s:s}, s:{s:s, s:i, s:i, s:{s:i, s:s}}}]}", "waiters",
                                            n, "waits", "process", "pid", 12, "comm", "python3", "waits_for",
                                            "lock", "wal-write", "waiting_ms", ms, "holders", 1, "holder", "pid",
                                            10, "comm", "node"));
        return o;
}

START_TEST(below_a_database_stands_who_waits_for_its_locks)
{
        struct top_page page = {.columns = 80};
        json_t *o = document_of(
                json_pack("[o, o, o]", database("a", 5, 5), waited_at("b", 5, 8200), waited_at("c", 1, 20)), NULL);
        frame(o, &page);
        ck_assert_ptr_nonnull(
                strstr(text, "\n  5 wait: python3 (pid 12) 8.2 s for wal-write, held by node (pid 10)\na "));
        ck_assert_ptr_nonnull(
                strstr(text, "\n  1 waits: python3 (pid 12) 20 ms for wal-write, held by node (pid 10)"));
        ck_assert_uint_eq(lines_of(text), 9);
        /* Whose wait is short does not come first. */
        ck_assert(strstr(text, "\nb ") < strstr(text, "\na ") && strstr(text, "\na ") < strstr(text, "\nc "));
        json_decref(o);
}
END_TEST

START_TEST(below_a_database_stands_that_who_waits_is_not_known)
{
        struct top_page page = {.columns = 80};
        json_t *o = document_of(json_pack("[o]", database("a", 5, 5)), NULL);
        json_t *entry = json_array_get(json_object_get(o, "databases"), 0);
        json_object_set_new(entry, "waiters", json_null());
        json_object_set_new(entry, "waits", json_null());
        frame(o, &page);
        ck_assert_ptr_nonnull(strstr(text, "\n  who waits for a lock is not known"));
        json_decref(o);
}
END_TEST

START_TEST(with_lines_of_waits_no_frame_is_larger_and_the_end_is_reached)
{
        json_t *list = json_array();
        char name[32];
        for (int i = 0; i < 40; i++) {
                snprintf(name, sizeof(name), "db-%03d", i);
                json_array_append_new(list, i % 3 ? waited_at(name, 2, 20) : database(name, 0, 0));
        }
        json_t *o = document_of(list, NULL);
        for (unsigned lines = 7; lines < 40; lines++) {
                struct top_page page = {.sort = TOP_NAME, .lines = lines, .columns = 60, .scroll = SIZE_MAX / 2};
                frame(o, &page);
                ck_assert_uint_eq(lines_of(text), lines);
                ck_assert_uint_le(longest(text), 60);
                ck_assert_ptr_nonnull(strstr(text, "\ndb-039 "));
        }
        json_decref(o);
}
END_TEST

START_TEST(of_several_reasons_the_first_is_cut_and_the_others_are_counted)
{
        static const char *const first = "P1 lock-convoy on bills: a convoy: 5 processes have waited 8.2 s for the "
                                         "wal-write lock of bills";
        struct top_page page = {.columns = 80};
        json_t *o = document_of(json_array(), NULL);
        json_object_set_new(o, "health",
                            json_pack("{s:s, s:[s, s, s]}", "status", "degraded", "reasons", first, "b", "c"));
        frame(o, &page);
        ck_assert_ptr_nonnull(strstr(text, "\nDEGRADED  P1 lock-convoy on bills: "));
        ck_assert_ptr_nonnull(strstr(text, "...  and 2 more: vigil health\n"));
        json_object_set_new(o, "health", json_pack("{s:s, s:[s]}", "status", "degraded", "reasons", "P2 short"));
        frame(o, &page);
        ck_assert_ptr_nonnull(strstr(text, "\nDEGRADED  P2 short\n"));
        json_decref(o);
}
END_TEST

START_TEST(a_refused_lock_is_no_error)
{
        struct top_page page = {.columns = 100, .view = TOP_OPERATIONS};
        json_t *o = document_of(json_array(),
                                json_pack("[{s:s, s:s, s:s, s:f, s:i, s:f, s:f, s:i}]", "db", "a", "file", "shm",
                                          "op", "lock", "per_s", 60.0, "errors", 34, "timed_per_s", 0.5,
                                          "refused_per_s", 17.0, "p99_us", 2500000));
        frame(o, &page);
        ck_assert_ptr_nonnull(strstr(text, " lock            60"));
        ck_assert_ptr_nonnull(strstr(text, " lock-busy       17"));
        ck_assert_ptr_nonnull(strstr(text, " lock-wait      0.5"));
        ck_assert_ptr_null(strstr(text, "34"));
        json_decref(o);
}
END_TEST

START_TEST(at_the_start_there_is_no_sample_and_what_is_too_short_to_be_measured_is_not_nothing)
{
        struct top_page page = {.columns = 120};
        json_t *databases = json_array();
        json_array_append_new(databases, database("a", 1, 0));
        json_t *o = document_of(databases, NULL);
        frame(o, &page);
        ck_assert_ptr_nonnull(strstr(text, ", last 7 s\n"));
        ck_assert_ptr_nonnull(strstr(text, " < 1 us"));
        json_object_set_new(o, "span_ms", json_null());
        frame(o, &page);
        ck_assert_ptr_nonnull(strstr(text, ", no sample yet\n"));
        ck_assert_ptr_null(strstr(text, "0 ns"));
        json_decref(o);
}
END_TEST

SUITE("vigil top", at_the_start_there_is_no_sample_and_what_is_too_short_to_be_measured_is_not_nothing,
      a_frame_is_never_larger_than_its_terminal, scrolling_ends_with_the_last_entry,
      without_a_terminal_every_entry_is_there, each_order_has_another_first,
      what_is_not_there_is_unknown_and_harms_nothing, no_name_reaches_the_terminal_as_a_sequence,
      below_a_database_stands_who_waits_for_its_locks, below_a_database_stands_that_who_waits_is_not_known,
      with_lines_of_waits_no_frame_is_larger_and_the_end_is_reached,
      of_several_reasons_the_first_is_cut_and_the_others_are_counted, a_refused_lock_is_no_error)
