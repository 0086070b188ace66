/* test_wording.c - the names of the Contract. */
#include "detect/wording.h"

#include <signal.h>
#include <string.h>

#include "suite.h"

static bool array_is(json_t *array, const char *const *names)
{
        size_t n = 0;
        for (; names[n]; n++)
                if (!json_array_get(array, n) || strcmp(json_string_value(json_array_get(array, n)), names[n]) != 0)
                        return false;
        bool same = json_array_size(array) == n;
        json_decref(array);
        return same;
}

START_TEST(locks_have_the_names_of_the_contract)
{
        ck_assert(array_is(lock_names(0), (const char *const[]){NULL}));
        ck_assert(array_is(
                lock_names(VIGIL_LOCK_SHARED | VIGIL_LOCK_RESERVED | VIGIL_LOCK_PENDING | VIGIL_LOCK_EXCLUSIVE),
                (const char *const[]){"shared", "reserved", "pending", "exclusive", NULL}));
        ck_assert(array_is(lock_names(VIGIL_LOCK_WAL_WRITE | VIGIL_LOCK_WAL_CKPT | VIGIL_LOCK_DMS),
                           (const char *const[]){"wal-write", "wal-checkpoint", "dms", NULL}));
}
END_TEST

START_TEST(a_mark_held_both_ways_is_named_once)
{
        ck_assert(array_is(lock_names(VIGIL_LOCK_WAL_READ0 | VIGIL_LOCK_WAL_READ0_WR),
                           (const char *const[]){"wal-read-0", NULL}));
}
END_TEST

START_TEST(a_number_nobody_knows_has_a_name_all_the_same)
{
        ck_assert_str_eq(op_name(200), "other");
        ck_assert_str_eq(op_name(0), "other");
        ck_assert_str_eq(role_name(77), "other");
}
END_TEST

START_TEST(an_ending_is_one_sentence)
{
        struct vigil_sig s = {.sig = SIGKILL, .sender_tgid = 7, .sender_comm = "bash"};
        struct model_death d = {.id = {.tgid = 12, .comm = "app"}};
        struct ending e = {.cause = CAUSE_PROCESS, .signal = SIGKILL, .by = &s, .sender_named = true};
        char text[160];
        ending_text(text, sizeof(text), &d, &e);
        ck_assert_str_eq(text, "app (pid 12) was killed by SIGKILL from bash (pid 7)");
        e = (struct ending){.cause = CAUSE_EXIT, .status = 3};
        ending_text(text, sizeof(text), &d, &e);
        ck_assert_str_eq(text, "app (pid 12) exited with status 3");
        e = (struct ending){.cause = CAUSE_KERNEL_OOM, .signal = SIGKILL, .status = -1};
        ending_text(text, sizeof(text), &d, &e);
        ck_assert_str_eq(text, "app (pid 12) was killed by the kernel: out of memory");
}
END_TEST

SUITE("wording", locks_have_the_names_of_the_contract, a_mark_held_both_ways_is_named_once,
      a_number_nobody_knows_has_a_name_all_the_same, an_ending_is_one_sentence)
