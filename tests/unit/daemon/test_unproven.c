/* test_unproven.c - what nobody watched is not known to be on the disk until it is synced or gone. */
#include "daemon/unproven.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "suite.h"

#define MAIN    (1u << VIGIL_ROLE_MAIN)
#define WAL     (1u << VIGIL_ROLE_WAL)
#define S       1000000000LL
#define CHANGED 1795260000LL /* in seconds */

static char dir[] = "/tmp/vigil-test-unproven-XXXXXX";
static char path[64], wal[64];

static void remove_dir(void)
{
        unlink(wal);
        unlink(path);
        rmdir(dir);
}

static void make(const char *name, long changed)
{
        const struct timespec times[2] = {{.tv_sec = changed}, {.tv_sec = changed}};
        int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(futimens(fd, times), 0);
        close(fd);
}

/* A database with a log that was changed ten seconds after it. */
static void make_both(void)
{
        ck_assert_ptr_nonnull(mkdtemp(dir));
        atexit(remove_dir);
        snprintf(path, sizeof(path), "%s/a.db", dir);
        snprintf(wal, sizeof(wal), "%s/a.db-wal", dir);
        make(path, CHANGED);
        make(wal, CHANGED + 10);
}

START_TEST(what_was_changed_since_is_told_from_what_was_not)
{
        make_both();
        ck_assert_uint_eq(unproven_changed(path, CHANGED * S), MAIN | WAL);
        ck_assert_uint_eq(unproven_changed(path, (CHANGED + 5) * S), WAL);
        ck_assert_uint_eq(unproven_changed(path, (CHANGED + 20) * S), 0);
}
END_TEST

START_TEST(a_file_that_is_synced_or_gone_is_known)
{
        struct vigil_db account = {0};
        make_both();
        ck_assert_uint_eq(unproven_left(UNPROVEN_ALL, path, &account), MAIN | WAL); /* there is no journal */
        account.file[VIGIL_ROLE_MAIN].last_sync_ns = 1;
        ck_assert_uint_eq(unproven_left(MAIN | WAL, path, &account), WAL);
        ck_assert_int_eq(unlink(wal), 0);
        ck_assert_uint_eq(unproven_left(WAL, path, &account), 0);
        ck_assert_uint_eq(unproven_left(0, path, &account), 0);
}
END_TEST

START_TEST(a_sync_after_one_that_failed_proves_nothing)
{
        struct vigil_db account = {0};
        make_both();
        account.file[VIGIL_ROLE_WAL].last_sync_ns = 1;
        account.file[VIGIL_ROLE_WAL].flags = VIGIL_LEDGER_TAINTED;
        ck_assert_uint_eq(unproven_left(WAL, path, &account), WAL);
}
END_TEST

SUITE("unproven", what_was_changed_since_is_told_from_what_was_not, a_file_that_is_synced_or_gone_is_known,
      a_sync_after_one_that_failed_proves_nothing)
