/* commits - commits one small row change after the other and says what a commit cost.
 *
 *   commits [-m wal|delete] [-s off|normal|full] [-n COMMITS] [-f MIB] [-r PER_SECOND] DB
 *
 * -n 0 goes on until SIGTERM. -f makes the database that large first. -r waits where it would be faster. One JSON line for each window: SIGUSR1 ends a window
 * and begins the next, the end of the program ends the last. The first 500 commits are not counted. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "histogram.h"

enum { WARM_UP = 500, ROWS = 1000 };

struct settings {
        const char *mode, *sync, *path;
        uint64_t commits, fill_mib, rate;
};

static volatile sig_atomic_t stop, next_window;

static void on_signal(int sig)
{
        if (sig == SIGUSR1)
                next_window = 1;
        else
                stop = 1;
}

static void must(sqlite3 *db, int rc, const char *what)
{
        if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW)
                return;
        fprintf(stderr, "commits: %s: %s\n", what, db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
        exit(3);
}

static void run_sql(sqlite3 *db, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void run_sql(sqlite3 *db, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        char *sql = sqlite3_vmprintf(format, args);
        va_end(args);
        must(db, sql ? sqlite3_exec(db, sql, NULL, NULL, NULL) : SQLITE_NOMEM, sql);
        sqlite3_free(sql);
}

static sqlite3 *prepare(const struct settings *s)
{
        sqlite3 *db = NULL;

        must(NULL, sqlite3_open(s->path, &db), s->path);
        sqlite3_busy_timeout(db, 10000);
        run_sql(db, "pragma journal_mode=%s", s->mode);
        run_sql(db, "pragma synchronous=%s", s->sync);
        run_sql(db, "create table if not exists t(a integer primary key, b text)");
        run_sql(db,
                "with recursive n(i) as (select 1 union all select i+1 from n where i<%d)"
                " insert or ignore into t select i, hex(randomblob(40)) from n",
                ROWS);
        if (s->fill_mib) {
                run_sql(db, "create table if not exists ballast(a integer primary key, b blob)");
                run_sql(db,
                        "with recursive n(i) as (select 1 union all select i+1 from n where i<%" PRIu64 ")"
                        " insert or ignore into ballast select i, randomblob(60000) from n",
                        s->fill_mib * 1048576 / 61440);
                run_sql(db, "pragma wal_checkpoint(truncate)");
        }
        return db;
}

/* A new value in every row in turn: the page changes, the tree does not. A value that was there before would be written by
 * nobody: SQLite compares. */
static void commit_one(sqlite3 *db, sqlite3_stmt *update, uint64_t i)
{
        static uint64_t unique;
        char value[81];

        snprintf(value, sizeof(value), "%080" PRIu64, unique ? ++unique : (unique = now_ns()));
        sqlite3_bind_text(update, 1, value, -1, SQLITE_TRANSIENT);
        sqlite3_bind_int64(update, 2, (sqlite3_int64)(i % ROWS) + 1);
        must(db, sqlite3_step(update), "update");
        must(db, sqlite3_reset(update), "update");
}

/* Processor time of this process, in ns: what a commit costs even when others keep it waiting. */
static uint64_t cpu_ns(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
        return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void tell(struct histogram *h, uint64_t elapsed, uint64_t cpu)
{
        uint64_t n = h->count ? h->count : 1;

        printf("{\"commits\": %" PRIu64 ", \"ns_per_commit\": %" PRIu64 ", \"cpu_ns_per_commit\": %" PRIu64
               ", \"p50_ns\": %" PRIu64 ", \"p99_ns\": %" PRIu64 ", \"max_ns\": %" PRIu64 "}\n",
               h->count, elapsed / n, cpu / n, histogram_at(h, 500), histogram_at(h, 990), h->max);
        fflush(stdout);
        memset(h, 0, sizeof(*h));
}

/* Sleeps until @n commits may have been made since @begin; less than a millisecond ahead is not worth it. */
static void pace(uint64_t begin, uint64_t n, uint64_t rate)
{
        uint64_t due = begin + n * 1000000000u / rate, now = now_ns();

        if (due > now + 1000000)
                nanosleep(&(struct timespec){.tv_nsec = (long)(due - now) % 1000000000}, NULL);
}

static void measure(sqlite3 *db, sqlite3_stmt *update, uint64_t commits, uint64_t rate)
{
        static struct histogram h;
        uint64_t begin = now_ns(), last = begin, cpu = cpu_ns();

        for (uint64_t i = 0; !stop && (commits == 0 || i < commits); i++) {
                commit_one(db, update, i);
                uint64_t now = now_ns();
                histogram_add(&h, now - last);
                last = now;
                if (rate)
                        pace(begin, h.count, rate);
                if (next_window) {
                        next_window = 0;
                        tell(&h, now - begin, cpu_ns() - cpu);
                        cpu = cpu_ns();
                        begin = last = now_ns();
                }
        }
        tell(&h, last - begin, cpu_ns() - cpu);
}

static struct settings parse(int argc, char **argv)
{
        struct settings s = {.mode = "wal", .sync = "normal", .commits = 100000};
        int c;

        while ((c = getopt(argc, argv, "m:s:n:f:r:")) != -1) {
                if (c == 'm')
                        s.mode = optarg;
                else if (c == 's')
                        s.sync = optarg;
                else if (c == 'n')
                        s.commits = strtoull(optarg, NULL, 10);
                else if (c == 'f')
                        s.fill_mib = strtoull(optarg, NULL, 10);
                else if (c == 'r')
                        s.rate = strtoull(optarg, NULL, 10);
                else
                        exit(2);
        }
        if (optind != argc - 1) {
                fprintf(stderr, "commits: one database, please\n");
                exit(2);
        }
        s.path = argv[optind];
        return s;
}

int main(int argc, char **argv)
{
        struct settings s = parse(argc, argv);
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
        sqlite3_stmt *update = NULL;

        sigaction(SIGUSR1, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        sqlite3 *db = prepare(&s);
        must(db, sqlite3_prepare_v2(db, "update t set b=?1 where a=?2", -1, &update, NULL), "prepare");
        for (uint64_t i = 0; i < WARM_UP; i++)
                commit_one(db, update, i);
        measure(db, update, s.commits, s.rate);
        sqlite3_finalize(update);
        return sqlite3_close(db) == SQLITE_OK ? 0 : 3;
}
