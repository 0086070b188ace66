/* test_row_queue.c - rows wait in order; what can be spared goes first, and never what somebody is at work with. */
#include "daemon/row_queue.h"

#include <stdlib.h>

#include "daemon/keeper_private.h"
#include "suite.h"

static struct row *row(int64_t n, size_t bytes, bool spare)
{
        struct row *r = calloc(1, sizeof(*r));

        ck_assert_ptr_nonnull(r);
        r->o = json_pack("{s:I}", "n", (json_int_t)n);
        ck_assert_ptr_nonnull(r->o);
        r->bytes = bytes;
        r->spare = spare;
        return r;
}

static int64_t take(struct row_queue *q)
{
        struct row *r = row_queue_take(q);
        int64_t n = r ? json_integer_value(json_object_get(r->o, "n")) : -1;

        row_free(r);
        return n;
}

START_TEST(rows_come_out_as_they_went_in)
{
        struct row_queue q = {0};

        for (int i = 0; i < 3; i++)
                ck_assert_ptr_nonnull(row_queue_add(&q, row(i, 10, false), 100, 0));
        ck_assert_uint_eq(row_queue_count(&q, 100), 3);
        ck_assert_uint_eq(row_queue_count(&q, 2), 2);
        ck_assert_uint_eq(q.bytes, 30);
        for (int i = 0; i < 3; i++)
                ck_assert_int_eq(take(&q), i);
        ck_assert_int_eq(take(&q), -1);
        ck_assert_uint_eq(q.bytes, 0);
        ck_assert_ptr_nonnull(row_queue_add(&q, row(7, 10, false), 100, 0)); /* after it was empty */
        ck_assert_int_eq(take(&q), 7);
}
END_TEST

START_TEST(what_belongs_together_is_counted_as_a_whole)
{
        struct row_queue q = {0};

        for (int i = 0; i < 5; i++)
                ck_assert_ptr_nonnull(row_queue_add(&q, row(i, 10, false), 100, 0));
        q.first->next->with_next = q.first->next->next->with_next = true; /* 1, 2 and 3 */
        ck_assert_uint_eq(row_queue_count(&q, 2), 1);
        ck_assert_uint_eq(row_queue_count(&q, 3), 1);
        ck_assert_uint_eq(row_queue_count(&q, 4), 4);
        q.first->with_next = true;
        ck_assert_uint_eq(row_queue_count(&q, 3), 3); /* more than can be written at once */
        q.last->with_next = true;                     /* what it was to be with had no room */
        ck_assert_uint_eq(row_queue_count(&q, 9), 5);
        row_queue_done(&q);
}
END_TEST

START_TEST(the_oldest_that_can_be_spared_makes_room)
{
        struct row_queue q = {0};

        row_queue_add(&q, row(0, 40, false), 100, 0);
        row_queue_add(&q, row(1, 30, true), 100, 0);
        row_queue_add(&q, row(2, 30, true), 100, 0);
        ck_assert_ptr_nonnull(row_queue_add(&q, row(3, 20, true), 100, 0));
        ck_assert_uint_eq(q.given_up, 1);
        ck_assert_uint_eq(q.bytes, 90);
        ck_assert_int_eq(take(&q), 0);
        ck_assert_int_eq(take(&q), 2);
        ck_assert_int_eq(take(&q), 3);
}
END_TEST

START_TEST(the_last_row_may_be_the_one_that_goes)
{
        struct row_queue q = {0};

        row_queue_add(&q, row(0, 50, false), 100, 0);
        row_queue_add(&q, row(1, 50, true), 100, 0);
        ck_assert_ptr_nonnull(row_queue_add(&q, row(2, 50, false), 100, 0));
        ck_assert_ptr_nonnull(row_queue_add(&q, row(3, 0, false), 100, 0));
        ck_assert_int_eq(take(&q), 0);
        ck_assert_int_eq(take(&q), 2);
        ck_assert_int_eq(take(&q), 3);
}
END_TEST

START_TEST(what_must_stay_stays_whatever_it_takes)
{
        struct row_queue q = {0};

        row_queue_add(&q, row(0, 90, false), 100, 0);
        ck_assert_ptr_nonnull(row_queue_add(&q, row(1, 90, false), 100, 0));
        ck_assert_ptr_null(row_queue_add(&q, row(2, 1, true), 100, 0));
        ck_assert_ptr_null(row_queue_add(&q, NULL, 100, 0));
        ck_assert_uint_eq(q.given_up, 2);
        ck_assert_uint_eq(row_queue_count(&q, 9), 2);
        row_queue_done(&q);
        ck_assert_uint_eq(q.bytes, 0);
        ck_assert_ptr_null(q.first);
}
END_TEST

START_TEST(what_somebody_is_at_work_with_is_not_given_up)
{
        struct row_queue q = {0};

        row_queue_add(&q, row(0, 50, true), 100, 0);
        row_queue_add(&q, row(1, 50, true), 100, 0);
        ck_assert_ptr_nonnull(row_queue_add(&q, row(2, 40, true), 100, 1));
        ck_assert_int_eq(take(&q), 0);
        ck_assert_int_eq(take(&q), 2);
}
END_TEST

static void on_stored(void *userdata)
{
        (void)userdata;
}

START_TEST(who_waits_for_a_row_can_leave)
{
        struct row_queue q = {0};
        struct row *a = row_queue_add(&q, row(0, 1, false), 100, 0),
                   *b = row_queue_add(&q, row(1, 1, false), 100, 0);

        a->stored = b->stored = on_stored;
        row_queue_forget(&q, b->o);
        ck_assert(a->stored == on_stored);
        ck_assert(!b->stored);
        row_queue_done(&q);
}
END_TEST

SUITE("row_queue", rows_come_out_as_they_went_in, what_belongs_together_is_counted_as_a_whole,
      the_oldest_that_can_be_spared_makes_room, the_last_row_may_be_the_one_that_goes,
      what_must_stay_stays_whatever_it_takes, what_somebody_is_at_work_with_is_not_given_up,
      who_waits_for_a_row_can_leave)
