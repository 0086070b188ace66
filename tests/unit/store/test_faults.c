/* test_faults.c - a file that is locked, a disk that is full or read-only, a kill at any moment: what was committed stays. */
#include "suite.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

#define ROUNDS 120

/* Of some size, so that a small disk is soon full. */
static int put_one(struct store *s, const char *id)
{
        char text[3000];
        struct store_incident i = an_incident(id);
        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        i.summary = text;
        int r = store_begin(s);
        if (r < 0)
                return r;
        r = store_put_incident(s, &i);
        if (r < 0) {
                store_rollback(s);
                return r;
        }
        return store_commit(s);
}

static void assert_sound(void)
{
        char text[64];
        shell("PRAGMA quick_check", text, sizeof(text));
        ck_assert_str_eq(text, "ok");
}

START_TEST(a_locked_store_is_busy_at_once_and_takes_the_row_later)
{
        struct store *s = opened(NULL);
        sqlite3 *writer = other("BEGIN EXCLUSIVE");
        json_t *d = NULL;
        ck_assert_int_eq(put_one(s, "i-1"), -EBUSY);
        ck_assert_int_eq(store_incidents(s, &(struct store_query){0}, &d), -EBUSY);
        sqlite3_close(writer);
        ck_assert_int_eq(put_one(s, "i-1"), 0);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM alerts"), 1);
        store_close(s);
}
END_TEST

START_TEST(a_reader_in_the_shell_makes_the_commit_busy_and_the_transaction_void)
{
        struct store *s = opened(NULL);
        ck_assert_int_eq(put_one(s, "i-1"), 0);
        sqlite3 *reader = other("BEGIN; SELECT count(*) FROM alerts");
        ck_assert_int_eq(put_one(s, "i-2"), -EBUSY);
        sqlite3_close(reader);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM alerts"), 1);
        ck_assert_int_eq(put_one(s, "i-2"), 0);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM alerts"), 2);
        store_close(s);
}
END_TEST

START_TEST(a_store_that_stays_locked_cannot_be_opened_and_is_not_set_aside)
{
        struct store *s = opened(NULL);
        enum store_opened how;
        char *aside;
        ck_assert_int_eq(put_one(s, "i-1"), 0);
        store_close(s);
        sqlite3 *writer = other("BEGIN EXCLUSIVE");
        ck_assert_int_eq(store_open(state(), false, &s, &how, &aside), -EBUSY);
        sqlite3_close(writer);
        s = opened(&how);
        ck_assert_int_eq(how, STORE_AS_IT_WAS);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM alerts"), 1);
        store_close(s);
}
END_TEST

/* Over the state directory, in a mount namespace of the test's own. */
static void tmpfs(const char *options)
{
        ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
        ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        ck_assert_int_eq(mount("tmpfs", state(), "tmpfs", 0, options), 0);
}

static bool may_mount(void)
{
        if (geteuid() == 0)
                return true;
        puts("skipped: needs root to mount a tmpfs");
        return false;
}

/* Incidents until one is refused. @return how many were committed */
static int fill(struct store *s, int first, int want)
{
        int r = 0, n = 0;
        for (; r == 0 && n < 100000; n += r == 0) {
                char id[16];
                snprintf(id, sizeof(id), "i-%d", first + n);
                r = put_one(s, id);
        }
        ck_assert_int_eq(r, want);
        return n;
}

START_TEST(a_full_disk_refuses_and_keeps_what_it_has_and_goes_on_when_there_is_room)
{
        if (!may_mount())
                return;
        tmpfs("size=1m");
        struct store *s = opened(NULL);
        int n = fill(s, 0, -ENOSPC);
        ck_assert_int_gt(n, 10);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM alerts"), n);
        json_t *d;
        ck_assert_int_eq(store_incidents(s, &(struct store_query){.id = "i-0"}, &d), 0);
        json_decref(d);
        ck_assert_int_eq(mount("tmpfs", state(), "tmpfs", MS_REMOUNT, "size=2m"), 0);
        ck_assert_int_gt(fill(s, n, -ENOSPC), 10);
        store_close(s);
        assert_sound();
}
END_TEST

START_TEST(a_disk_that_is_full_from_the_beginning_is_said_to_be)
{
        if (!may_mount())
                return;
        tmpfs("size=16k");
        struct store *s;
        enum store_opened how;
        char *aside;
        ck_assert_int_eq(store_open(state(), false, &s, &how, &aside), -ENOSPC);
        ck_assert_int_ne(access(in_state("vigil.db"), F_OK), 0);
}
END_TEST

START_TEST(a_limit_of_the_file_size_refuses_and_keeps_what_was_committed)
{
        struct store *s = opened(NULL);
        signal(SIGXFSZ, SIG_IGN);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){400000, 400000}), 0);
        int n = fill(s, 0, -EIO);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM alerts"), n);
        store_close(s);
        assert_sound();
}
END_TEST

START_TEST(after_the_first_error_the_transaction_is_void_to_its_end)
{
        if (!may_mount())
                return;
        tmpfs("size=1m");
        struct store *s = opened(NULL);
        int n = fill(s, 0, -ENOSPC), r = 0;
        struct store_incident i = an_incident("i-big");
        char *big = malloc(600001);
        memset(big, 'x', 600000);
        big[600000] = '\0';
        i.summary = big;
        ck_assert_int_eq(store_begin(s), 0);
        for (int k = 0; k < 20 && r == 0; k++) {
                char id[16];
                snprintf(id, sizeof(id), "i-big%d", k);
                i.id = id;
                r = store_put_incident(s, &i);
        }
        if (r < 0) {
                i = an_incident("i-small");
                ck_assert_int_eq(store_put_incident(s, &i), r);
        }
        ck_assert_int_eq(store_commit(s), -ENOSPC);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM alerts"), n);
        free(big);
        store_close(s);
        assert_sound();
}
END_TEST

START_TEST(a_read_only_file_system_is_said_to_be_one_and_loses_nothing)
{
        if (!may_mount())
                return;
        tmpfs("size=4m");
        struct store *s = opened(NULL);
        enum store_opened how;
        char *aside;
        ck_assert_int_eq(put_one(s, "i-1"), 0);
        store_close(s);
        ck_assert_int_eq(mount("tmpfs", state(), "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
        ck_assert_int_eq(store_open(state(), false, &s, &how, &aside), -EROFS);
        ck_assert_int_eq(mount("tmpfs", state(), "tmpfs", MS_REMOUNT, NULL), 0);
        s = opened(&how);
        ck_assert_int_eq(how, STORE_AS_IT_WAS);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM alerts"), 1);
        store_close(s);
}
END_TEST

/* Shared with the child that is killed: how many incidents it was told are committed. */
struct progress {
        volatile long committed;
};

/* What a daemon writes, for ever: incidents with a certificate and an event, summaries, a step of retention. */
static void work(struct progress *p)
{
        struct store *s = opened(NULL);
        for (long k = p->committed;; k++) {
                char id[32], certificate[32];
                snprintf(id, sizeof(id), "i-%ld", k);
                snprintf(certificate, sizeof(certificate), "c-%ld", k);
                struct store_incident i = an_incident(id);
                struct store_summary row = {.database = "app",
                                            .file = "wal",
                                            .process = "",
                                            .op = "sync",
                                            .start_s = k * 60,
                                            .span_s = 60,
                                            .count = 1};
                if (store_begin(s) < 0 || store_put_incident(s, &i) < 0 ||
                    store_put_certificate(s, certificate, "app", id, "unclean", T0, NULL) < 0 ||
                    store_put_event(s, "exit", "app", T0, NULL, NULL) < 0 || store_add_summary(s, &row) < 0 ||
                    store_commit(s) < 0)
                        _exit(1);
                p->committed = k + 1;
                if (k % 8 == 0)
                        store_retain(s, T0 + 10 * 86400 * SECOND, 86400000, 86400000, 100000, 50, 0);
        }
}

START_TEST(a_kill_at_any_moment_loses_no_committed_incident)
{
        struct progress *p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ck_assert(p != MAP_FAILED);
        unsigned seed = 12345;
        state(); /* before the first child: it is the parent's */
        /* A kill takes nothing from a page cache: memory will do, and the disk has no part in the time. */
        if (geteuid() == 0)
                tmpfs("size=64m");
        for (int round = 0; round < ROUNDS; round++) {
                long before = p->committed;
                pid_t child = fork();
                if (child == 0)
                        work(p);
                /* Killed at a moment of its own in each round; a slow machine only changes which. */
                usleep(200 + (useconds_t)(rand_r(&seed) % 15000));
                ck_assert_int_eq(kill(child, SIGKILL), 0);
                int status;
                ck_assert_int_eq(waitpid(child, &status, 0), child);
                ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "round %d: the writer failed",
                              round);
                struct store *s = opened(NULL);
                long have = (long)shell_number("SELECT count(*) FROM alerts");
                ck_assert_msg(have == p->committed || have == p->committed + 1, "round %d: %ld of %ld", round, have,
                              p->committed);
                ck_assert_int_eq(shell_number("SELECT count(*) FROM certificates"), have);
                ck_assert_int_ge(have, before);
                p->committed = have;
                store_close(s);
                assert_sound();
        }
        ck_assert_int_gt(p->committed, 10);
        printf("%d kills, %ld incidents\n", ROUNDS, p->committed);
        munmap(p, sizeof(*p));
}
END_TEST

SUITE("faults of the store", a_locked_store_is_busy_at_once_and_takes_the_row_later,
      a_reader_in_the_shell_makes_the_commit_busy_and_the_transaction_void,
      a_store_that_stays_locked_cannot_be_opened_and_is_not_set_aside,
      a_full_disk_refuses_and_keeps_what_it_has_and_goes_on_when_there_is_room,
      a_disk_that_is_full_from_the_beginning_is_said_to_be,
      a_limit_of_the_file_size_refuses_and_keeps_what_was_committed,
      after_the_first_error_the_transaction_is_void_to_its_end,
      a_read_only_file_system_is_said_to_be_one_and_loses_nothing, a_kill_at_any_moment_loses_no_committed_incident)
