/* keeper_fixture.c - see keeper_fixture.h. */
#include "keeper_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

char dir[] = "/tmp/vigil-test-keeper-XXXXXX";
char db[64];

static void on_events(void *userdata)
{
        ((struct seen *)userdata)->events++;
}

static void on_trouble(void *userdata, const char *why)
{
        snprintf(((struct seen *)userdata)->trouble, 160, "%s", why ? why : "");
}

static void on_renewed(void *userdata)
{
        ((struct seen *)userdata)->renewed++;
}

void on_stored(void *userdata)
{
        ((struct seen *)userdata)->stored++;
}

static void remove_all(void)
{
        char command[128];

        snprintf(command, sizeof(command), "rm -rf %s", dir);
        if (system(command) != 0) /* NOLINT(cert-env33-c): a fixed command on a directory of our own */
                perror("rm");
}

struct scribe *scribe;

struct keeper *begin(struct seen *seen)
{
        const struct keeper_hooks hooks = {
                .events = on_events, .trouble = on_trouble, .renewed = on_renewed, .userdata = seen};
        struct keeper_run run = {.boot_id = "b", .pid = 1, .version = "test", .started_ns = 1};
        struct keeper *k = NULL;

        memset(seen, 0, sizeof(*seen));
        log_set_level(LOG_ERROR_);
        ck_assert_ptr_nonnull(mkdtemp(dir));
        atexit(remove_all);
        snprintf(db, sizeof(db), "%s/vigil.db", dir);
        ck_assert_int_eq(scribe_new(-1, &scribe), 0);
        ck_assert_int_eq(keeper_open(dir, &hooks, scribe, &k), 0);
        ck_assert_int_eq(store_begin_run(keeper_store(k), "b", 1, "test", 1, &run.id), 0);
        ck_assert_int_eq(keeper_begin(k, &run), 0);
        return k;
}

sqlite3 *lock(void)
{
        sqlite3 *other;

        ck_assert_int_eq(sqlite3_open(db, &other), SQLITE_OK);
        ck_assert_int_eq(sqlite3_exec(other, "begin immediate", NULL, NULL, NULL), SQLITE_OK);
        return other;
}

int count(const char *sql)
{
        sqlite3 *other;
        sqlite3_stmt *s;

        ck_assert_int_eq(sqlite3_open(db, &other), SQLITE_OK);
        sqlite3_busy_timeout(other, 20000);
        ck_assert_int_eq(sqlite3_prepare_v2(other, sql, -1, &s, NULL), SQLITE_OK);
        ck_assert_int_eq(sqlite3_step(s), SQLITE_ROW);
        int n = sqlite3_column_int(s, 0);
        sqlite3_finalize(s);
        sqlite3_close(other);
        return n;
}

void end(struct keeper *k)
{
        keeper_close(k);
        scribe_free(scribe);
}

void turn(struct keeper *k)
{
        keeper_turn(k);
        ck_assert(scribe_wait(scribe, SCRIBE_STORE, 20000));
}

void shell(const char *sql)
{
        sqlite3 *other;

        ck_assert_int_eq(sqlite3_open(db, &other), SQLITE_OK);
        sqlite3_busy_timeout(other, 20000);
        ck_assert_int_eq(sqlite3_exec(other, sql, NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(other);
}

pid_t only_child(void)
{
        char path[64];
        int pid = 0;

        snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
        FILE *children = fopen(path, "r");
        ck_assert_ptr_nonnull(children);
        ck_assert_int_eq(fscanf(children, "%d", &pid), 1); /* NOLINT(cert-err34-c): the kernel's own number */
        fclose(children);
        return pid;
}
