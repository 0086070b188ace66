/* test_jobs_unchanged.c - which accounts of a database say that nobody has written to it. */
#include "suite.h"

#include <stddef.h>
#include <string.h>

#include "daemon/jobs_private.h"

#define FIELD(name)                                                                                                \
        {                                                                                                          \
                offsetof(struct vigil_db, name), sizeof(((struct vigil_db *)0)->name)                              \
        }
#define OF(role, name) FIELD(file[VIGIL_ROLE_##role].name)
#define FILE_FIELDS(role)                                                                                          \
        OF(role, ino), OF(role, dev), OF(role, generation), OF(role, incarnation), OF(role, writes),               \
                OF(role, bytes_total), OF(role, truncates), OF(role, unlinks), OF(role, renames),                  \
                OF(role, write_errors)

struct field {
        size_t offset, size;
};

/* True when an account that differs in this field alone is told as quiet. */
static bool quiet_with(struct field f)
{
        struct vigil_db a, b;

        memset(&a, 0, sizeof(a));
        b = a;
        ((unsigned char *)&b)[f.offset] ^= 1;
        ck_assert_uint_le(f.offset + f.size, sizeof(b));
        return job_account_is_quiet(&a, &b);
}

START_TEST(an_account_that_stays_is_quiet)
{
        struct vigil_db a = {.id = 3, .wal_commits = 7};

        ck_assert(job_account_is_quiet(&a, &a));
}
END_TEST

START_TEST(whatever_changes_a_file_is_seen)
{
        static const struct field fields[] = {FIELD(id),
                                              FILE_FIELDS(MAIN),
                                              FILE_FIELDS(WAL),
                                              FILE_FIELDS(JOURNAL),
                                              FIELD(wal_generations),
                                              FIELD(wal_commits),
                                              FIELD(wal_frames),
                                              FIELD(wal_recoveries),
                                              FIELD(rb_commits),
                                              FIELD(rb_recoveries)};

        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
                ck_assert_msg(!quiet_with(fields[i]), "field %zu", i);
}
END_TEST

/* Who opens, reads, locks and syncs changes no row. */
START_TEST(what_changes_no_byte_is_quiet)
{
        static const struct field fields[] = {FIELD(users),        OF(MAIN, opens), OF(MAIN, locks),
                                              OF(MAIN, lock_busy), OF(WAL, syncs),  OF(WAL, durable),
                                              OF(MAIN, reads),     OF(SHM, locks),  FIELD(wal_commits_durable)};

        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
                ck_assert_msg(quiet_with(fields[i]), "field %zu", i);
}
END_TEST

SUITE("jobs_unchanged", an_account_that_stays_is_quiet, whatever_changes_a_file_is_seen,
      what_changes_no_byte_is_quiet)
