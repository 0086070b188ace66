/* test_policy.c - when a backup is made, as tables. */
#include "suite.h"

#include "incident/incident.h"
#include "incident/policy.h"

#define S      1000000000LL
#define MINUTE (60 * S)
#define HOUR   (60 * MINUTE)
#define START  (1000 * HOUR)

static const struct config_backup usual = {
        .on = CONFIG_ON_UNCLEAN | CONFIG_ON_HAZARD | CONFIG_ON_SYNC_ERROR | CONFIG_ON_CORRUPT,
        .min_interval_ms = 600000,
        .max_per_hour = 3,
};

START_TEST(each_backup_has_its_reason_to_be_made_or_not)
{
        static const struct {
                int64_t made[6]; /* before, after START; ended by 0 */
                int64_t at;
                unsigned trigger;
                enum severity severity;
                enum policy_answer expected;
        } table[] = {
                {{0}, 0, CONFIG_ON_UNCLEAN, SEVERITY_P1, POLICY_GO},
                {{0}, 0, CONFIG_ON_SCHEDULE, SEVERITY_P1, POLICY_NOT_WANTED},
                {{0}, 0, 0, SEVERITY_P0, POLICY_NOT_WANTED},
                {{1}, 10 * MINUTE, CONFIG_ON_UNCLEAN, SEVERITY_P1, POLICY_TOO_SOON},
                {{1}, 10 * MINUTE + 1, CONFIG_ON_UNCLEAN, SEVERITY_P1, POLICY_GO},
                {{1, 11 * MINUTE, 22 * MINUTE}, 33 * MINUTE, CONFIG_ON_UNCLEAN, SEVERITY_P1, POLICY_HOURLY_CAP},
                {{1, 11 * MINUTE, 22 * MINUTE}, 61 * MINUTE, CONFIG_ON_UNCLEAN, SEVERITY_P1, POLICY_GO},
                {{1, 11 * MINUTE, 22 * MINUTE}, 200 * MINUTE, CONFIG_ON_UNCLEAN, SEVERITY_P1, POLICY_GO},
                /* A P0 borrows one, not two; an hour later again. */
                {{1}, MINUTE, CONFIG_ON_CORRUPT, SEVERITY_P0, POLICY_GO},
                {{1, 11 * MINUTE, 22 * MINUTE}, 33 * MINUTE, CONFIG_ON_HAZARD, SEVERITY_P0, POLICY_GO},
                {{1, MINUTE}, 2 * MINUTE, CONFIG_ON_CORRUPT, SEVERITY_P0, POLICY_TOO_SOON},
                {{1, MINUTE, 60 * MINUTE + 1}, 61 * MINUTE + 1, CONFIG_ON_CORRUPT, SEVERITY_P0, POLICY_GO},
                /* The clock was set back. */
                {{5 * HOUR}, 0, CONFIG_ON_UNCLEAN, SEVERITY_P1, POLICY_GO},
        };
        for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
                struct policy_state s = {0};
                for (size_t m = 0; table[i].made[m]; m++)
                        policy_made(&usual, &s, START + table[i].made[m]);
                enum policy_answer a = policy_backup(&usual, &s, table[i].trigger, table[i].severity,
                                                     START + table[i].at);
                ck_assert_msg(a == table[i].expected, "row %zu: %d", i, a);
        }
}
END_TEST

START_TEST(a_schedule_does_not_borrow)
{
        struct config_backup p = usual;
        struct policy_state s = {0};
        p.on |= CONFIG_ON_SCHEDULE;
        policy_made(&p, &s, START);
        ck_assert_int_eq(policy_backup(&p, &s, CONFIG_ON_SCHEDULE, SEVERITY_P0, START + MINUTE), POLICY_TOO_SOON);
}
END_TEST

START_TEST(nobody_goes_beyond_the_byte_budget)
{
        static const struct {
                uint64_t bytes, need;
                enum policy_answer expected;
        } table[] = {
                {0, 0, POLICY_GO},        {0, 1000, POLICY_GO},           {0, 1001, POLICY_BUDGET},
                {600, 400, POLICY_GO},    {600, 401, POLICY_BUDGET},      {1000, 0, POLICY_BUDGET},
                {2000, 1, POLICY_BUDGET}, {1, UINT64_MAX, POLICY_BUDGET},
        };
        struct config_backup p = usual;
        p.byte_budget = 1000;
        for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
                struct policy_state s = {.bytes = table[i].bytes, .need = table[i].need};
                ck_assert_int_eq(policy_backup(&p, &s, CONFIG_ON_CORRUPT, SEVERITY_P0, START), table[i].expected);
        }
}
END_TEST

START_TEST(a_cap_of_many_per_hour_is_kept_to_the_minute)
{
        struct config_backup p = usual;
        struct policy_state s = {0};
        p.min_interval_ms = 0;
        p.max_per_hour = 100;
        for (int i = 0; i < 100; i++)
                policy_made(&p, &s, START + i * 30 * S);
        ck_assert_int_eq(policy_backup(&p, &s, CONFIG_ON_UNCLEAN, SEVERITY_P1, START + 50 * MINUTE),
                         POLICY_HOURLY_CAP);
        ck_assert_int_eq(policy_backup(&p, &s, CONFIG_ON_UNCLEAN, SEVERITY_P1, START + 61 * MINUTE), POLICY_GO);
}
END_TEST

START_TEST(findings_are_triggers_by_their_code_and_severity)
{
        static const struct {
                const char *code;
                enum severity severity;
                unsigned expected;
        } table[] = {
                {"unclean-death", SEVERITY_P1, CONFIG_ON_UNCLEAN},
                {"no-journal", SEVERITY_P0, CONFIG_ON_UNCLEAN},
                {"abrupt-death", SEVERITY_P2, 0},
                {"killed-in-sync", SEVERITY_P2, 0},
                {"writeback-error", SEVERITY_P0, CONFIG_ON_SYNC_ERROR},
                {"no-space", SEVERITY_P1, CONFIG_ON_SYNC_ERROR},
                {"integrity-failed", SEVERITY_P0, CONFIG_ON_CORRUPT},
                {"silent-loss-suspected", SEVERITY_P1, 0},
                {"wal-removed", SEVERITY_P0, CONFIG_ON_HAZARD},
                {"wal-unreadable", SEVERITY_P0, CONFIG_ON_HAZARD},
                {"events-lost", SEVERITY_P2, 0},
                {"backup-failed", SEVERITY_P2, 0},
        };
        for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
                ck_assert_uint_eq(policy_trigger(table[i].code, table[i].severity), table[i].expected);
}
END_TEST

START_TEST(every_answer_but_go_has_its_words)
{
        for (int a = POLICY_NOT_WANTED; a <= POLICY_BUDGET; a++)
                ck_assert_ptr_nonnull(policy_why((enum policy_answer)a));
        ck_assert_ptr_null(policy_why(POLICY_GO));
}
END_TEST

START_TEST(a_backup_is_stale_by_max_age_or_by_twice_the_schedule)
{
        static const struct {
                uint64_t every_ms, max_age_ms;
                int64_t verified, now; /* after START; 0: never. The watch began at START. */
                unsigned on;
                bool stale;
        } table[] = {
                {0, 0, 1, 9000 * HOUR, CONFIG_ON_UNCLEAN, false},
                {0, 3600000, 1, HOUR, CONFIG_ON_UNCLEAN, false},
                {0, 3600000, 1, HOUR + S, CONFIG_ON_UNCLEAN, true},
                {0, 3600000, 0, HOUR + S, CONFIG_ON_UNCLEAN, true},
                {0, 3600000, 0, MINUTE, CONFIG_ON_UNCLEAN, false},
                {3600000, 0, 1, 2 * HOUR, CONFIG_ON_SCHEDULE, false},
                {3600000, 0, 1, 2 * HOUR + S, CONFIG_ON_SCHEDULE, true},
                {3600000, 0, 0, 9 * HOUR, CONFIG_ON_SCHEDULE, false},
                {3600000, 0, 1, 9 * HOUR, CONFIG_ON_UNCLEAN, false},
                {0, 3600000, 9 * HOUR, HOUR, CONFIG_ON_UNCLEAN, false},
        };
        for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
                struct config_backup p = {
                        .on = table[i].on, .every_ms = table[i].every_ms, .max_age_ms = table[i].max_age_ms};
                int64_t verified = table[i].verified ? START + table[i].verified : 0;
                ck_assert_msg(policy_stale(&p, verified, START, START + table[i].now) == table[i].stale, "row %zu",
                              i);
        }
}
END_TEST

SUITE("policy", each_backup_has_its_reason_to_be_made_or_not, a_schedule_does_not_borrow,
      nobody_goes_beyond_the_byte_budget, a_cap_of_many_per_hour_is_kept_to_the_minute,
      findings_are_triggers_by_their_code_and_severity, every_answer_but_go_has_its_words,
      a_backup_is_stale_by_max_age_or_by_twice_the_schedule)
