/* test_wait_stacks.c - kernel stacks that nobody waits at any more are let go, on the running kernel. Skipped where it lets nobody
 * watch, or does not attribute. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sensor/internal.h"
#include "sensor/wait_kind.h"
#include "suite.h"

static struct sensor *sensor;

/* Tells why not. */
static bool may_attribute(void)
{
        char why[SENSOR_WHY_LEN];
        const struct sensor_options options = {.attribution = true};

        if (sensor_open(&options, &sensor, why) < 0) {
                printf("skipped: %s\n", why);
                return false;
        }
        if (sensor_not_attributed(sensor)) {
                printf("skipped: %s\n", sensor_not_attributed(sensor));
                sensor_close(sensor);
                return false;
        }
        return true;
}

static void wait_at(int32_t stack, uint64_t ns)
{
        const struct wait_key key = {.stack = stack, .db = 1, .kinds = 1u << SPAN_COMMIT};
        const struct wait_sum sum = {.ns = ns};

        ck_assert_int_eq(bpf_map_update_elem(bpf_map__fd(sensor->skeleton->maps.waits), &key, &sum, BPF_ANY), 0);
}

/* @begun_ns: of the transaction; 0: it is over */
static void open_at(int32_t stack, uint64_t begun_ns)
{
        const struct open_commit c = {.begun_ns = begun_ns, .waits = 1, .stack = {stack}};
        const uint32_t db = 1;

        ck_assert_int_eq(bpf_map_update_elem(bpf_map__fd(sensor->skeleton->maps.open_commits), &db, &c, BPF_ANY),
                         0);
}

/* 0: there is no such sum. */
static uint64_t waited_at(int32_t stack)
{
        const struct wait_key key = {.stack = stack, .db = 1, .kinds = 1u << SPAN_COMMIT};
        struct wait_sum sum = {0};

        return bpf_map_lookup_elem(bpf_map__fd(sensor->skeleton->maps.waits), &key, &sum) == 0 ? sum.ns : 0;
}

/* A thread that there is not is in @state at @stack. */
static void span_at(int32_t stack, uint32_t state)
{
        const struct span span = {.state = state, .stack = stack};
        const uint32_t tid = 0x40000003, place = 3;

        ck_assert_int_eq(bpf_map_update_elem(bpf_map__fd(sensor->skeleton->maps.spans), &place, &span, BPF_ANY), 0);
        sensor->skeleton->bss->span_tids[place] = tid;
}

static int take(const struct vigil_hdr *record, void *userdata)
{
        memcpy(userdata, record, sizeof(struct vigil_attribution));
        return 0;
}

static struct vigil_attribution look(void)
{
        struct vigil_attribution a = {0};

        ck_assert_int_eq(sensor_attribution(sensor, take, &a), 0);
        return a;
}

/* Nothing has been added for longer than that. */
static void rest(int32_t stack)
{
        sensor->wait_stack[stack].since_ns = 1;
}

/* One watch for both, because to end one takes seconds. */
START_TEST(a_stack_that_nobody_waits_at_is_let_go_and_its_waits_count_for_its_kind)
{
        if (!may_attribute())
                return;
        sensor->db[1].path = strdup("/some.db");
        look();
        sensor->wait_stack[5].kind = WAIT_JOURNAL;
        sensor->wait_stack[6].kind = WAIT_JOURNAL;
        sensor->wait_stack[7].kind = WAIT_MEMORY;
        wait_at(5, 1000);
        wait_at(6, 200);
        wait_at(7, 30);
        ck_assert_uint_eq(look().ns[VIGIL_DELAY_JOURNAL], 1200);
        rest(5);
        rest(6);
        ck_assert_uint_eq(look().ns[VIGIL_DELAY_JOURNAL], 1200);
        ck_assert_uint_eq(waited_at(5) + waited_at(6), 0);
        ck_assert_uint_eq(waited_at(WAIT_TOLD(WAIT_JOURNAL)), 1200);
        ck_assert_uint_eq(waited_at(7), 30);
        struct vigil_attribution a = look();
        ck_assert_uint_eq(a.ns[VIGIL_DELAY_JOURNAL], 1200);
        ck_assert_uint_eq(a.ns[VIGIL_DELAY_MEMORY], 30);
        ck_assert_uint_eq(a.total_ns, 1230);
        /* Who had been waiting there all the time wakes up: it was that wait. */
        wait_at(5, 4);
        ck_assert_uint_eq(look().ns[VIGIL_DELAY_JOURNAL], 1204);
        rest(5);
        look();
        ck_assert_uint_eq(waited_at(WAIT_TOLD(WAIT_JOURNAL)), 1204);
        /* One that somebody waits at stays, and one that was not told. */
        wait_at(9, 1000);
        look();
        rest(7);
        rest(9);
        wait_at(7, 31);
        look();
        ck_assert_uint_eq(waited_at(7), 31);
        ck_assert(!sensor->wait_stack[7].let_go);
        ck_assert_uint_eq(waited_at(9), 1000);
        /* Nor does one go at which the open transaction has waited. */
        open_at(7, 1);
        rest(7);
        look();
        ck_assert_uint_eq(waited_at(7), 31);
        open_at(7, 0);
        /* Nor one at which a thread is blocked, for longer than that; one that runs was blocked there before. */
        span_at(7, SPAN_BLOCKED);
        rest(7);
        look();
        ck_assert_uint_eq(waited_at(7), 31);
        span_at(7, SPAN_RUNS);
        rest(7);
        look();
        ck_assert_uint_eq(waited_at(7), 0);
        /* One of the second map is none of the first. */
        sensor->wait_stack[WAIT_STACKS + 7].kind = WAIT_WRITEBACK;
        wait_at(WAIT_STACKS + 7, 500);
        ck_assert_uint_eq(look().ns[VIGIL_DELAY_WRITEBACK], 500);
        rest(WAIT_STACKS + 7);
        ck_assert_uint_eq(look().ns[VIGIL_DELAY_WRITEBACK], 500);
        ck_assert_uint_eq(waited_at(WAIT_STACKS + 7), 0);
        ck_assert(sensor->wait_stack[WAIT_STACKS + 7].let_go);
        sensor_close(sensor);
}
END_TEST

SUITE("wait_stacks", a_stack_that_nobody_waits_at_is_let_go_and_its_waits_count_for_its_kind)
