/* test_deferred.c - a question that cannot be answered at once waits, is asked again, and is not kept for ever. */
#include "daemon/deferred.h"

#include <string.h>

#include "suite.h"

static struct deferred deferred;
static char clients[CONTROL_CLIENTS + 1]; /* only their addresses count */

static struct deferred_question question(size_t i, json_t *args)
{
        return (struct deferred_question){.client = (struct control_client *)&clients[i],
                                          .command = "incidents",
                                          .args = args,
                                          .since_ns = 7};
}

static void keep_again(void *userdata, const struct deferred_question *q)
{
        ck_assert_str_eq(q->command, "incidents");
        ck_assert_uint_eq(q->since_ns, 7);
        ck_assert(q->again);
        ck_assert_str_eq(json_string_value(json_object_get(q->args, "status")), "firing");
        ck_assert(deferred_keep(&deferred, q, 8));
        ++*(unsigned *)userdata;
}

static void count(void *userdata, const struct deferred_question *q)
{
        (void)q;
        ++*(unsigned *)userdata;
}

START_TEST(it_is_asked_again_until_it_is_answered)
{
        json_t *args = json_pack("{s:s}", "status", "firing");
        const struct deferred_question q = question(0, args);
        unsigned asked = 0;

        ck_assert(!deferred_any(&deferred));
        ck_assert(deferred_keep(&deferred, &q, 7));
        json_decref(args);
        deferred_again(&deferred, keep_again, &asked);
        deferred_again(&deferred, keep_again, &asked);
        ck_assert_uint_eq(asked, 2);
        ck_assert(deferred_any(&deferred));
        deferred_again(&deferred, count, &asked);
        ck_assert_uint_eq(asked, 3);
        ck_assert(!deferred_any(&deferred));
}
END_TEST

START_TEST(who_has_waited_long_enough_is_answered_now)
{
        const struct deferred_question q = question(0, NULL);

        ck_assert(deferred_keep(&deferred, &q, 7 + DEFERRED_NS));
        deferred_done(&deferred);
        ck_assert(!deferred_keep(&deferred, &q, 8 + DEFERRED_NS));
        ck_assert(!deferred_any(&deferred));
}
END_TEST

START_TEST(who_has_left_is_forgotten_and_nobody_else)
{
        const struct deferred_question left = question(0, NULL), stays = question(1, NULL);
        unsigned asked = 0;

        ck_assert(deferred_keep(&deferred, &left, 7));
        ck_assert(deferred_keep(&deferred, &stays, 7));
        deferred_forget(&deferred, left.client);
        deferred_again(&deferred, count, &asked);
        ck_assert_uint_eq(asked, 1);
}
END_TEST

START_TEST(there_is_room_for_each_client_and_no_more)
{
        for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
                const struct deferred_question q = question(i, NULL);
                ck_assert(deferred_keep(&deferred, &q, 7));
        }
        const struct deferred_question q = question(CONTROL_CLIENTS, NULL);
        ck_assert(!deferred_keep(&deferred, &q, 7));
        deferred_done(&deferred);
        ck_assert(deferred_keep(&deferred, &q, 7));
        deferred_done(&deferred);
}
END_TEST

SUITE("deferred", it_is_asked_again_until_it_is_answered, who_has_waited_long_enough_is_answered_now,
      who_has_left_is_forgotten_and_nobody_else, there_is_room_for_each_client_and_no_more)
