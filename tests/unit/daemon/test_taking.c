/* test_taking.c - deaths leave the memory whole and in order, and can go back. */
#include "daemon/taking.h"

#include "stream.h"
#include "suite.h"

static void die(struct memory *m, struct stream *s, uint32_t pid, bool whole)
{
        struct actor a = actor(pid, "app");
        uint32_t db;
        a.no_snapshot = !whole;
        stream_act(s, &a, VIGIL_EXIT);
        for (size_t at = 0; at < s->n;) {
                const struct vigil_hdr *h = (const void *)(s->bytes + at);
                ck_assert_int_ge(memory_take(m, h, &db), 0);
                at += h->size;
        }
        s->n = 0;
}

static void expect_pids(const struct death *d, const uint32_t *pid)
{
        for (; *pid; pid++, d = d->next) {
                ck_assert_ptr_nonnull(d);
                ck_assert_uint_eq(d->proc.id.tgid, *pid);
        }
        ck_assert_ptr_null(d);
}

START_TEST(deaths_that_went_back_come_first_again)
{
        struct vigil_session session = {.mode = VIGIL_MODE_ATTACH};
        struct memory *m = memory_new(&session, false);
        struct stream s = {.now = 100 * SECOND};
        unsigned wait_ms = 0;
        ck_assert_ptr_nonnull(m);
        stream_database(&s, 1, APP_DB, VIGIL_DB_ASKED);
        die(m, &s, 1, true);
        die(m, &s, 2, false);
        die(m, &s, 3, true);

        struct death *taken = take_deaths(m, s.now, &wait_ms);
        expect_pids(taken, (const uint32_t[]){1, 3, 0});
        expect_pids(m->first, (const uint32_t[]){2, 0});
        ck_assert_uint_gt(wait_ms, 0);
        die(m, &s, 4, true);
        put_deaths_back(m, taken);
        ck_assert_uint_eq(m->ndeaths, 4);
        die(m, &s, 5, true);
        expect_pids(m->first, (const uint32_t[]){1, 3, 2, 4, 5, 0});

        taken = take_deaths(m, s.now + SECOND, &wait_ms);
        expect_pids(taken, (const uint32_t[]){1, 3, 2, 4, 5, 0});
        ck_assert_uint_eq(m->ndeaths, 0);
        die(m, &s, 6, true);
        expect_pids(m->first, (const uint32_t[]){6, 0});
        put_deaths_back(m, taken);
        memory_free(m);
        stream_done(&s, NULL);
}
END_TEST

SUITE("taking", deaths_that_went_back_come_first_again)
