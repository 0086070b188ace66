/* test_unwatch.c - databases that come and go under one watch, on the running kernel. Skipped where it lets nobody watch. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sensor/internal.h"
#include "suite.h"

static struct sensor *sensor;

/* A writer in a transaction; our own children are never looked at, so the mark is taken from it before it is another program. */
struct writer {
        pid_t pid;
        int in;
};

static struct writer writer(const char *path)
{
        int in[2], go[2];
        char byte = 0;
        ck_assert(pipe(in) == 0 && pipe(go) == 0);
        struct writer w = {.pid = fork(), .in = in[1]};
        if (w.pid == 0) {
                int null = open("/dev/null", O_WRONLY);
                (void)!read(go[0], &byte, 1);
                dup2(in[0], 0);
                dup2(null, 1);
                close(in[1]);
                execlp("sqlite3", "sqlite3", path, (char *)NULL);
                _exit(127);
        }
        ck_assert_int_eq(sensor_mark(sensor, w.pid, 0), 0);
        ck_assert_int_eq((int)write(go[1], &byte, 1), 1);
        static const char sql[] = "BEGIN IMMEDIATE;\nINSERT INTO t VALUES(1);\n";
        ck_assert_int_eq((int)write(w.in, sql, sizeof(sql) - 1), (int)sizeof(sql) - 1);
        close(in[0]);
        close(go[0]);
        close(go[1]);
        return w;
}

/* Made by somebody who is not watched: a transaction that a writer makes is then the one that stays open. */
static void make_database(const char *path)
{
        pid_t pid = fork();
        int status;

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                execlp("sqlite3", "sqlite3", path, "CREATE TABLE t(x)", (char *)NULL);
                _exit(127);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
}

static void end(struct writer w)
{
        kill(w.pid, SIGKILL);
        waitpid(w.pid, NULL, 0);
        close(w.in);
}

static int no_record(const struct vigil_hdr *record, void *userdata)
{
        (void)record;
        (void)userdata;
        return 0;
}

/* The account, when it has @users in a transaction, or none; for ten seconds it may have others. */
static struct vigil_db account_with(unsigned id, uint32_t users)
{
        struct vigil_db db = {0};
        for (int i = 0; i < 1000; i++) {
                ck_assert_int_ge(sensor_poll(sensor, 10, no_record, NULL), -EINTR);
                ck_assert_int_eq(sensor_account(sensor, id, &db), 0);
                if (db.users == users && (db.txn != VIGIL_TXN_NONE) == (users > 0))
                        return db;
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        }
        ck_abort_msg("database %u has %u users, not %u; transaction %u", id, db.users, users, db.txn);
}

static void in_transaction(const char *path)
{
        char journal[80];
        snprintf(journal, sizeof(journal), "%s-journal", path);
        for (int i = 0; i < 1000 && access(journal, F_OK) < 0; i++)
                nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        ck_assert_int_eq(access(journal, F_OK), 0);
}

static int on_living(const struct vigil_hdr *record, void *userdata)
{
        const struct vigil_proc *p = (const void *)record;
        ck_assert_uint_eq(record->type, VIGIL_LIVE);
        *(uint32_t *)userdata |= p->use[0].locks_at_end;
        return 0;
}

static void clear(const char *dir)
{
        static const char *const names[] = {"app.db", "app.db-journal"};
        char path[80];
        for (size_t i = 0; i < 2; i++) {
                snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
                unlink(path);
        }
        ck_assert_int_eq(rmdir(dir), 0);
}

START_TEST(a_database_leaves_the_watch_and_comes_back)
{
        char dir[] = "/tmp/vigil-unwatch-XXXXXX", path[64], moved[64];
        struct vigil_db db;
        unsigned first, second, third;
        uint32_t locks = 0;
        ck_assert_ptr_nonnull(mkdtemp(dir));
        snprintf(path, sizeof(path), "%s/app.db", dir);
        snprintf(moved, sizeof(moved), "%s.moved", dir);

        make_database(path);
        ck_assert_int_eq(sensor_account(sensor, 1, &db), -ENOENT);
        ck_assert_int_eq(sensor_watch(sensor, path, &first), 0);
        ck_assert_int_eq(sensor_watch(sensor, path, &first), -EEXIST);
        struct writer w = writer(path);
        account_with(first, 1);
        ck_assert_int_eq(sensor_living(sensor, first, on_living, &locks), 1);
        ck_assert(locks & VIGIL_LOCK_RESERVED);

        /* Swept while it is in use: the account stays, and so does the id. */
        ck_assert_int_eq(sensor_unwatch(sensor, first), 0);
        ck_assert_int_eq(sensor_unwatch(sensor, first), -ENOENT);
        ck_assert_uint_eq(account_with(first, 1).id, first);
        ck_assert_int_eq(sensor_watch(sensor, path, &second), 0);
        ck_assert_uint_ne(second, first);
        sensor->db[first].left_ns = 1;
        unwatched_release(sensor);
        ck_assert_uint_eq(account_with(first, 1).id, first);

        /* Nobody names it any more: its id is free. The new watch of the same names is not touched by that. */
        end(w);
        account_with(first, 0);
        unwatched_release(sensor);
        ck_assert_int_eq(sensor_account(sensor, first, &db), -ENOENT);
        w = writer(path);
        account_with(second, 1);
        end(w);
        account_with(second, 0);

        /* Swept and not watched again, nobody who uses it is seen. */
        ck_assert_int_eq(sensor_unwatch(sensor, second), 0);
        w = writer(path);
        in_transaction(path);
        account_with(second, 0);
        end(w);

        ck_assert_int_eq(sensor_watch(sensor, path, &third), 0);
        ck_assert_int_eq(sensor_moved(sensor, third, path), 0);
        ck_assert_int_eq(rename(dir, moved), 0);
        ck_assert_int_eq(sensor_moved(sensor, third, path), -ENOENT);
        ck_assert_int_eq(mkdir(dir, 0700), 0);
        make_database(path);
        ck_assert_int_eq(sensor_moved(sensor, third, path), 1);
        ck_assert_int_eq(sensor_unwatch(sensor, third), 0);
        ck_assert_int_eq(sensor_watch(sensor, path, &third), 0);
        w = writer(path);
        account_with(third, 1);
        end(w);
        clear(dir);
        clear(moved);
}
END_TEST

/* The sensor is loaded before Check forks for the test. */
int main(void)
{
        char why[SENSOR_WHY_LEN];
        int r = sensor_open(&(struct sensor_options){0}, &sensor, why);
        if (r < 0) {
                printf("skipped: %s\n", why);
                return r == -EPERM || r == -EOPNOTSUPP ? 77 : EXIT_FAILURE;
        }
        int status = suite_run("unwatch", (const TTest *const[]){a_database_leaves_the_watch_and_comes_back, NULL});
        sensor_close(sensor);
        return status;
}
