/* test_notes.c - a memory that begins where another one ended tells nothing twice and misses nothing. */
#include <string.h>

#include "daemon/compose.h"
#include "daemon/memory_private.h"
#include "stream.h"
#include "suite.h"

/* What a memory noted last: of all, and of database 1. */
struct noted {
        unsigned char note[2][SENSOR_NOTE_BYTES];
        size_t n;
        int fails;
};

static int on_note(unsigned id, const void *bytes, size_t n, void *userdata)
{
        struct noted *noted = userdata;
        ck_assert_uint_lt(id, 2);
        ck_assert_uint_le(n, SENSOR_NOTE_BYTES);
        if (noted->fails)
                return noted->fails;
        memcpy(noted->note[id], bytes, n);
        noted->n++;
        return 0;
}

static struct memory *fresh(void)
{
        struct vigil_session session = {.mode = VIGIL_MODE_ATTACH};
        struct memory *m = memory_new(&session, false);
        ck_assert_ptr_nonnull(m);
        return m;
}

/* Another memory that begins where @m ends. */
static struct memory *successor(struct memory *m)
{
        struct noted noted = {0};
        struct memory *other = fresh();
        ck_assert_int_eq(memory_notes(m, on_note, &noted), 0);
        for (unsigned id = 0; id < 2; id++)
                memory_remember(other, id, noted.note[id]);
        return other;
}

static void statistics(struct memory *m, uint64_t ns, uint64_t lost)
{
        struct vigil_stats now = {.hdr.ns = ns, .canary = 1, .c.lost = lost};
        memory_statistics(m, &now);
}

/* The errors of database 1 that an episode of @m tells of when its account has @errors. */
static uint64_t told_of(struct memory *m, uint64_t errors)
{
        struct episode e = {.memory = m};
        struct vigil_db db = {.id = 1};
        db.file[VIGIL_ROLE_WAL].sync_errors = errors;
        ck_assert_int_eq(compose_account(&e, &db, SECOND), 0);
        uint64_t told = ((struct vigil_ledger_rec *)(void *)e.bytes)->db.file[VIGIL_ROLE_WAL].sync_errors;
        free(e.bytes);
        return told;
}

START_TEST(an_error_that_was_told_is_not_told_by_the_next)
{
        struct memory *m = fresh();
        ck_assert_uint_eq(told_of(m, 3), 3);
        struct memory *other = successor(m);
        ck_assert_uint_eq(told_of(other, 4), 1);
        memory_free(other);
        memory_free(m);
}
END_TEST

START_TEST(only_what_is_new_is_noted_and_what_could_not_be_is_tried_again)
{
        struct memory *m = fresh();
        struct noted noted = {0};
        ck_assert_int_eq(memory_notes(m, on_note, &noted), 0);
        ck_assert_uint_eq(noted.n, 0);
        told_of(m, 1);
        statistics(m, SECOND, 1);
        noted.fails = -5;
        ck_assert_int_eq(memory_notes(m, on_note, &noted), -5);
        noted.fails = 0;
        ck_assert_int_eq(memory_notes(m, on_note, &noted), 0);
        ck_assert_uint_eq(noted.n, 2);
        ck_assert_int_eq(memory_notes(m, on_note, &noted), 0);
        ck_assert_uint_eq(noted.n, 2);
        memory_free(m);
}
END_TEST

START_TEST(an_old_loss_concerns_who_took_part_then)
{
        struct memory *m = fresh();
        statistics(m, 2 * SECOND, 3);
        struct memory *other = successor(m);
        statistics(other, 9 * SECOND, 3); /* no more than before */
        ck_assert_uint_eq(losses_since(&other->losses, SECOND).c.lost, 3);
        ck_assert_uint_eq(losses_since(&other->losses, 3 * SECOND).c.lost, 0);
        statistics(other, 10 * SECOND, 4);
        ck_assert_uint_eq(losses_since(&other->losses, 3 * SECOND).c.lost, 1);
        memory_free(other);
        memory_free(m);
}
END_TEST

/* What was lost while nobody took notes concerns everybody who was there. */
START_TEST(a_loss_in_between_is_one)
{
        struct memory *m = fresh(), *other = successor(m);
        statistics(other, 9 * SECOND, 5);
        ck_assert_uint_eq(losses_since(&other->losses, 8 * SECOND).c.lost, 5);
        memory_free(other);
        memory_free(m);
}
END_TEST

START_TEST(numbers_that_another_one_took_are_not_missing)
{
        struct memory *m = fresh();
        uint32_t db;
        struct stream s = {.now = 100 * SECOND};
        struct actor a = actor(100, "app");
        for (int i = 0; i < 3; i++)
                stream_act(&s, &a, VIGIL_EXIT);
        const struct vigil_hdr *first = (void *)s.bytes, *last = NULL;
        for (size_t at = 0; at < s.n; at += last->size)
                last = (void *)(s.bytes + at);
        memory_begin_at(m, last->ns + 1);
        memory_take(m, first, &db);
        memory_take(m, last, &db);
        ck_assert_uint_eq(memory_missing(m), 0);
        memory_begin_at(m, 0);
        memory_take(m, first, &db);
        memory_take(m, last, &db);
        ck_assert_uint_gt(memory_missing(m), 0);
        memory_free(m);
        stream_done(&s, NULL);
}
END_TEST

SUITE("notes", an_error_that_was_told_is_not_told_by_the_next,
      only_what_is_new_is_noted_and_what_could_not_be_is_tried_again, an_old_loss_concerns_who_took_part_then,
      a_loss_in_between_is_one, numbers_that_another_one_took_are_not_missing)
