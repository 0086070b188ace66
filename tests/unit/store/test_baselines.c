/* test_baselines.c - what is usual is kept hour by hour, and in no more rows than there are hours. */
#include "suite.h"

#include <errno.h>
#include <string.h>

#include "fixture.h"

static void put(struct store *s, const char *op, unsigned hour, const char *learned)
{
        const struct store_baseline b = {.database = "app",
                                         .file = "wal",
                                         .op = op,
                                         .hour = hour,
                                         .updated_s = T0 / SECOND,
                                         .learned = learned,
                                         .size = strlen(learned)};
        ck_assert_int_eq(store_put_baseline(s, &b), 0);
}

static int loaded;

static int on_row(void *userdata, const struct store_baseline *b)
{
        ck_assert_str_eq(b->database, "app");
        ck_assert_str_eq(b->file, "wal");
        ck_assert_str_eq(b->op, "sync");
        ck_assert_uint_eq(b->hour, 5);
        ck_assert_uint_eq(b->size, 3);
        ck_assert_int_eq(memcmp(b->learned, "new", 3), 0);
        loaded++;
        return *(int *)userdata;
}

START_TEST(an_hour_is_one_row_whatever_is_learned)
{
        struct store *s = opened(NULL);
        int go_on = 0, stop = -ENOMEM;
        put(s, "sync", 5, "old");
        put(s, "sync", 5, "new");
        ck_assert_int_eq(store_load_baselines(s, "app", on_row, &go_on), 0);
        ck_assert_int_eq(store_load_baselines(s, "another", on_row, &go_on), 0);
        ck_assert_int_eq(loaded, 1);
        ck_assert_int_eq(store_load_baselines(s, "app", on_row, &stop), -ENOMEM);
        store_close(s);
}
END_TEST

START_TEST(one_operation_is_forgotten_and_the_others_stay)
{
        struct store *s = opened(NULL);
        put(s, "sync", 5, "x");
        put(s, "sync", 6, "x");
        put(s, "commit", 5, "x");
        ck_assert_int_eq(store_forget_baseline(s, "app", "wal", "sync"), 0);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM baselines"), 1);
        store_close(s);
}
END_TEST

START_TEST(what_is_too_long_is_refused)
{
        char large[STORE_BASELINE_BYTES + 1] = {0};
        struct store *s = opened(NULL);
        struct store_baseline b = {
                .database = "app", .file = "wal", .op = "sync", .learned = large, .size = sizeof(large)};
        ck_assert_int_eq(store_put_baseline(s, &b), -EINVAL);
        b.size = 0;
        ck_assert_int_eq(store_put_baseline(s, &b), -EINVAL);
        store_close(s);
}
END_TEST

SUITE("baselines in the store", an_hour_is_one_row_whatever_is_learned,
      one_operation_is_forgotten_and_the_others_stay, what_is_too_long_is_refused)
