/* test_jobs.c - jobs of databases and of state files; whatever is wrong with them is one clear sentence, and no application
 * notices that they are read. */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "database.h"
#include "engine/jobs.h"
#include "writer.h"

#define DEADLINE_MS 20000 /* a busy machine must not fail a test */

static struct jobs_result result;

static int read_with(struct jobs_source s)
{
        jobs_result_done(&result);
        s.deadline_ms = s.deadline_ms ? s.deadline_ms : DEADLINE_MS;
        s.max_rows = s.max_rows ? s.max_rows : 1000;
        return jobs_read(&s, &result);
}

static int ask(const char *path, const char *query)
{
        return read_with((struct jobs_source){.path = path, .query = query});
}

static size_t rows(void)
{
        return json_array_size(result.rows);
}

static const json_t *cell(size_t row, enum job_field f)
{
        return json_array_get(json_array_get(result.rows, row), f);
}

static const char *text_of(size_t row, enum job_field f)
{
        return json_string_value(cell(row, f));
}

static const char *odd(void)
{
        return result.nodd ? json_string_value(json_array_get(result.odd, 0)) : "nothing";
}

static void refused(int expected, int err, const char *told)
{
        ck_assert_msg(err == expected, "%d: %s", err, result.reason);
        ck_assert_msg(strstr(result.reason, told) != NULL, "%s", result.reason);
        ck_assert_uint_eq(rows(), 0);
}

/* The table of the runbooks. */
static const char *make(const char *mode, const char *sql)
{
        const char *path = place("app.db");
        char pragma[64];
        sqlite3 *db = db_open(path);

        snprintf(pragma, sizeof(pragma), "pragma journal_mode=%s", mode);
        db_exec(db, pragma);
        db_exec(db,
                "create table jobs(id text, status text, created_at text, updated_at text, progress, total, pid)");
        db_exec(db, sql ? sql
                        : "insert into jobs values('job_a','running','2026-11-26 14:05:09','2026-11-26 "
                          "14:06:00',3,10,4711),"
                          "('job_b','done',null,null,null,null,null)");
        sqlite3_close(db);
        return path;
}

static const char all[] = "select * from jobs order by id";

static void both_jobs(void)
{
        ck_assert_uint_eq(rows(), 2);
        ck_assert_str_eq(text_of(0, JOB_FIELD_ID), "job_a");
        ck_assert_str_eq(text_of(0, JOB_FIELD_STATUS), "running");
        ck_assert_int_eq(json_integer_value(cell(0, JOB_FIELD_STARTED)), 1795701909000000000LL);
        ck_assert(json_real_value(cell(0, JOB_FIELD_PROGRESS)) == 3);
        ck_assert_int_eq(json_integer_value(cell(0, JOB_FIELD_PID)), 4711);
        ck_assert(json_is_null(cell(1, JOB_FIELD_UPDATED)));
        ck_assert_uint_eq(result.nodd, 0);
}

START_TEST(a_closed_database_is_read_without_a_trace)
{
        static const char *const modes[] = {"wal", "delete", "truncate", "persist"};

        for (size_t i = 0; i < 4; i++) {
                const char *path = make(modes[i], NULL);
                const char *before = hash_of(path);
                ck_assert_msg(ask(path, all) == 0, "%s: %s", modes[i], result.reason);
                both_jobs();
                ck_assert_str_eq(result.method, "unchanged");
                ck_assert_str_eq(hash_of(path), before);
                ck_assert_int_eq(size_of(with(path, "-wal")), -1);
                ck_assert_int_eq(size_of(with(path, "-shm")), -1);
                unlink(path);
                unlink(with(path, "-journal"));
        }
}
END_TEST

START_TEST(a_database_that_is_newer_than_the_clock_says_is_read_at_once)
{
        const char *path = make("delete", NULL);
        struct timespec times[2];

        clock_gettime(CLOCK_REALTIME, &times[0]);
        times[0].tv_sec += 86400; /* the clock was set back by a day */
        times[1] = times[0];
        ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
        ck_assert_msg(ask(path, all) == 0, "%s", result.reason);
        both_jobs();
        ck_assert_str_eq(result.method, "unchanged");
}
END_TEST

/* Other processes that use the database; "-ready" says that they do. */
static void use(const char *path, const char *sql)
{
        sqlite3 *db = db_open(path);

        db_exec(db, sql);
        spill(with(path, "-ready"), "", 0);
        pause();
}

static void commits(const char *path)
{
        use(path, "update jobs set progress = 4 where id = 'job_a'");
}

static void is_in_transaction(const char *path)
{
        use(path, "update jobs set progress = 4 where id = 'job_a'; begin immediate; update jobs set progress = 5");
}

static void holds_exclusively(const char *path)
{
        use(path, "pragma locking_mode=exclusive; update jobs set progress = 4 where id = 'job_a'");
}

static pid_t begin_use(void (*fn)(const char *), const char *path)
{
        unlink(with(path, "-ready"));
        pid_t pid = process_start(fn, path);
        for (int i = 0; i < 2000 && size_of(with(path, "-ready")) < 0; i++)
                usleep(5000);
        ck_assert_int_eq(size_of(with(path, "-ready")), 0);
        return pid;
}

/* Such a reading is not left out while the database is quiet: the query would say something else. */
START_TEST(a_query_whose_answer_changes_by_itself_does_not_last)
{
        static const struct {
                const char *query;
                bool lasts;
        } table[] = {
                {"select * from jobs", true},
                {"select upper(id) as id, max(progress) from jobs where status like 'r%' group by 1", true},
                {"select id from jobs where updated_at < datetime('now', '-1 hour')", false},
                {"select id from jobs where updated_at < current_timestamp", false},
                {"select id from jobs where random() <> 0", false},
                {"select id from late", false}, /* a view */
        };
        const char *path = make("wal", "create view late as select id from jobs where date() > updated_at");

        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
                ck_assert_msg(ask(path, table[i].query) == 0, "%s", result.reason);
                ck_assert_msg(result.lasting == table[i].lasts, "%s", table[i].query);
        }
        ck_assert_int_ne(ask(path, "select nothing from jobs"), 0);
        ck_assert(!result.lasting);
}
END_TEST

START_TEST(a_wal_database_in_use_is_read_with_its_log)
{
        static void (*const uses[])(const char *) = {commits, is_in_transaction};

        for (size_t i = 0; i < 2; i++) {
                const char *path = make("wal", NULL);
                pid_t pid = begin_use(uses[i], path);
                ck_assert_msg(ask(path, all) == 0, "%s", result.reason);
                ck_assert_str_eq(result.method, "wal");
                ck_assert(json_real_value(cell(0, JOB_FIELD_PROGRESS)) == 4);
                child_end(pid, SIGKILL);
                unlink(path);
                unlink(with(path, "-wal"));
                unlink(with(path, "-shm"));
        }
}
END_TEST

START_TEST(what_a_dead_writer_left_is_read_too)
{
        static const char *const modes[] = {"wal", "delete"};

        for (size_t i = 0; i < 2; i++) {
                const char *path = make(modes[i], NULL);
                char script[256];
                snprintf(script, sizeof(script),
                         "update jobs set progress = 4 where id = 'job_a'; begin immediate;"
                         "update jobs set progress = 5; create table big as with recursive n(i) as (select 1 union "
                         "all "
                         "select i+1 from n where i < 300) select zeroblob(3000) from n;");
                db_killed_after(path, script);
                const char *before = hash_of(path);
                ck_assert_msg(ask(path, all) == 0, "%s: %s", modes[i], result.reason);
                ck_assert_msg(json_real_value(cell(0, JOB_FIELD_PROGRESS)) == 4, "%s: %s", modes[i], result.method);
                ck_assert_str_eq(hash_of(path), before);
                unlink(path);
                unlink(with(path, "-wal"));
                unlink(with(path, "-shm"));
                unlink(with(path, "-journal"));
        }
}
END_TEST

/* A reading that met a writer says so and is made again at the next turn, as the daemon does it. */
static int read_in_turns(struct jobs_source s, int turns)
{
        int err = read_with(s);

        for (int i = 1; i < turns && err == -EBUSY; i++)
                err = read_with(s);
        return err;
}

/* Writers without a busy timeout end with an error as soon as anybody makes them wait. With @p turns each reading comes to pass. */
static void read_under(const char *mode, void (*writer)(const char *), const char *written, int turns)
{
        const char *path = place("busy.db");
        struct jobs_source source = {.path = path, .query = "select count(*) as id from a"};

        source.deadline_ms = turns ? 0 : 300;
        writer_make(path, mode);
        pid_t pid = process_start(writer, path);
        writer_wait(path, written);
        for (int i = 0; i < 5; i++) {
                int err = read_in_turns(source, turns);
                ck_assert_msg(err == 0 || !turns, "%d of 5: %d: %s", i + 1, err, result.reason);
        }
        writer_wait(path, written); /* it still goes on */
        child_end(pid, SIGTERM);
        unlink(path);
}

START_TEST(a_constant_wal_writer_does_not_notice)
{
        read_under("wal", writer_constant, "-wal", 1);
}
END_TEST

START_TEST(a_rollback_writer_does_not_notice)
{
        read_under("delete", writer_with_gaps, "", 50);
        read_under("delete", writer_constant, "", 0); /* it leaves no gap: told, not waited for */
}
END_TEST

START_TEST(a_query_that_is_none_is_told)
{
        const char *path = make("wal", NULL);
        pid_t pid = begin_use(commits, path);

        refused(-EINVAL, ask(path, "select id from jobz"), "no such table: jobz");
        refused(-EINVAL, ask(path, "select idd from jobs"), "no such column: idd");
        refused(-EINVAL, ask(path, "select status from jobs"), "gives no column 'id'");
        refused(-EINVAL, ask(path, "selekt"), "syntax error");
        refused(-EINVAL, ask(path, ""), "not one statement");
        refused(-EINVAL, ask(path, "select id from jobs; select 1"), "not one statement");
        struct jobs_source s = {.path = path, .query = all, .name = {[JOB_FIELD_PID] = "worker"}};
        refused(-EINVAL, read_with(s), "gives no column 'worker'");
        child_end(pid, SIGKILL);
}
END_TEST

START_TEST(a_query_that_does_more_than_read_is_refused)
{
        static const char *const queries[] = {
                "update jobs set status = 'x' returning id",
                "delete from jobs",
                "with x as (select 1) insert into jobs(id) select * from x",
                "create table t(a)",
                "pragma journal_mode=delete",
                "select * from pragma_table_info('jobs')",
                "attach '/etc/passwd' as p",
                "select load_extension('x') as id",
                "begin",
                "vacuum",
        };
        const char *path = make("wal", NULL);
        pid_t pid = begin_use(commits, path);

        for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
                const char *before = hash_of(path);
                int err = ask(path, queries[i]);
                ck_assert_msg(err == -EINVAL, "%s: %d %s", queries[i], err, result.reason);
                ck_assert_str_eq(hash_of(path), before);
        }
        child_end(pid, SIGKILL);
        ck_assert_int_eq(db_ask(path, "select count(*) from jobs"), 2);
}
END_TEST

START_TEST(a_query_that_never_ends_is_ended)
{
        const char *path = make("wal", NULL);
        struct jobs_source s = {.path = path,
                                .query = "with recursive n(i) as (select 1 union all select i+1 from n) select "
                                         "max(i) as id from n",
                                .deadline_ms = 300};

        refused(-ETIME, read_with(s), "did not end within its deadline");
}
END_TEST

START_TEST(a_million_rows_are_cut_and_told)
{
        const char *path = make("wal", NULL);

        ck_assert_int_eq(ask(path, "with recursive n(i) as (select 1 union all select i+1 from n limit 1000000) "
                                   "select i as id, 'running' as status from n"),
                         0);
        ck_assert_uint_eq(rows(), 1000);
        ck_assert(result.more);
        ck_assert(result.partial);
        ck_assert_str_eq(text_of(999, JOB_FIELD_ID), "1000");
}
END_TEST

START_TEST(odd_values_are_told_and_cost_only_themselves)
{
        const char *path = make(
                "delete",
                "insert into jobs values(null,'running',null,null,1,2,3),"
                "('a','running','soon','2026-11-26','many',x'00ff',-5), ('b',7,0,1795701909,'0.5',1e999,'12'),"
                "(x'00ff','running',null,null,null,null,null)");

        ck_assert_msg(ask(path, "select * from jobs order by rowid") == 0, "%s", result.reason);
        ck_assert_uint_eq(rows(), 2);
        ck_assert_uint_eq(result.nodd, 8);
        ck_assert_str_eq(odd(), "row 1: it has no id");
        ck_assert_str_eq(json_string_value(json_array_get(result.odd, 1)), "job a: started_at is no time: 'soon'");
        ck_assert(json_is_null(cell(0, JOB_FIELD_PROGRESS)));
        ck_assert(json_is_null(cell(0, JOB_FIELD_PID)));
        ck_assert_str_eq(text_of(1, JOB_FIELD_STATUS), "7");
        ck_assert_int_eq(json_integer_value(cell(1, JOB_FIELD_PID)), 12);
        ck_assert_int_eq(json_integer_value(cell(1, JOB_FIELD_UPDATED)), 1795701909000000000LL);
}
END_TEST

START_TEST(a_database_that_is_none_is_told)
{
        refused(-ENOENT, ask(place("missing.db"), all), "does not exist");
        spill(place("text.db"),
              "this is no database, and that is all of it, but long enough for a header of one: "
              "it needs a hundred bytes",
              105);
        refused(-EBADMSG, ask(place("text.db"), all), "no SQLite database");
        spill(place("empty.db"), "", 0);
        refused(-EINVAL, ask(place("empty.db"), all), "no such table");
}
END_TEST

START_TEST(a_database_that_is_held_exclusively_is_copied)
{
        static const char *const modes[] = {"wal", "delete"};

        for (size_t i = 0; i < 2; i++) {
                const char *path = make(modes[i], NULL);
                pid_t pid = begin_use(holds_exclusively, path);
                ck_assert_msg(ask(path, all) == 0, "%s: %s", modes[i], result.reason);
                ck_assert_msg(json_real_value(cell(0, JOB_FIELD_PROGRESS)) == 4, "%s", modes[i]);
                child_end(pid, SIGKILL);
                unlink(path);
                unlink(with(path, "-wal"));
        }
}
END_TEST

/* ---- state files ---- */

static int read_files(void)
{
        return read_with((struct jobs_source){.files = place("jobs/*.json")});
}

static void state(const char *name, const char *text)
{
        mkdir(place("jobs"), 0700);
        spill(place(name), text, strlen(text));
}

START_TEST(state_files_are_jobs)
{
        state("jobs/a.json", "{\"id\":\"job_a\",\"status\":\"running\",\"startedAt\":\"2026-11-26T14:05:09.000Z\","
                             "\"updatedAt\":1795701909250,\"progress\":3,\"total\":10,\"pid\":4711}");
        ck_assert_int_eq(read_files(), 0);
        ck_assert_uint_eq(rows(), 1);
        ck_assert_str_eq(text_of(0, JOB_FIELD_ID), "job_a");
        ck_assert_int_eq(json_integer_value(cell(0, JOB_FIELD_STARTED)), 1795701909000000000LL);
        ck_assert_int_eq(json_integer_value(cell(0, JOB_FIELD_UPDATED)), 1795701909250000000LL);
        ck_assert_str_eq(result.method, "files");
}
END_TEST

START_TEST(what_a_state_file_does_not_say_its_name_and_time_do)
{
        state("jobs/job_7.json", "{\"state\":\"running\"}");
        ck_assert_int_eq(read_files(), 0);
        ck_assert_str_eq(text_of(0, JOB_FIELD_ID), "job_7");
        ck_assert_int_gt(json_integer_value(cell(0, JOB_FIELD_UPDATED)), 0);
}
END_TEST

START_TEST(pointers_lead_to_members)
{
        state("jobs/a.json", "{\"job\":{\"na/me\":\"x\",\"steps\":[1,2,3]}}");
        struct jobs_source s = {.files = place("jobs/*.json"),
                                .name = {[JOB_FIELD_ID] = "/job/na~1me", [JOB_FIELD_PROGRESS] = "/job/steps/1"}};
        ck_assert_int_eq(read_with(s), 0);
        ck_assert_str_eq(text_of(0, JOB_FIELD_ID), "x");
        ck_assert(json_real_value(cell(0, JOB_FIELD_PROGRESS)) == 2);
}
END_TEST

START_TEST(state_files_that_are_none_are_told_and_cost_only_themselves)
{
        char *large = malloc(JOBS_FILE_MAX + 2);

        state("jobs/good.json", "{\"id\":\"g\",\"status\":\"running\"}");
        state("jobs/half.json", "{\"id\":\"h\",\"sta");
        state("jobs/empty.json", "");
        state("jobs/list.json", "[1]");
        state("jobs/wrong.json", "{\"id\":\"w\",\"status\":{\"a\":1},\"pid\":\"x\"}");
        memset(large, ' ', JOBS_FILE_MAX + 1);
        large[JOBS_FILE_MAX + 1] = '\0';
        state("jobs/large.json", large);
        free(large);
        mkfifo(place("jobs/fifo.json"), 0600);
        ck_assert_int_eq(symlink("/etc/passwd", place("jobs/link.json")), 0);
        ck_assert_int_eq(read_files(), 0);
        ck_assert_uint_eq(rows(), 2);
        ck_assert(result.partial);
        ck_assert(!result.more);
        ck_assert_uint_eq(result.nodd, 8); /* five files, a link, and two members of wrong.json */
}
END_TEST

START_TEST(a_directory_that_is_missing_is_told_and_an_empty_one_is_not)
{
        refused(-ENOENT, read_with((struct jobs_source){.files = place("gone/*.json")}), "does not exist");
        state("jobs/other.txt", "");
        ck_assert_int_eq(read_files(), 0);
        ck_assert_uint_eq(rows(), 0);
        ck_assert_uint_eq(result.nodd, 0);
        ck_assert(!result.partial);
        state("jobs/odd.json",
              "{\"id\":\"o\",\"status\":\"running\",\"pid\":\"x\"}"); /* a value is none, the job is there */
        ck_assert_int_eq(read_files(), 0);
        ck_assert_uint_eq(result.nodd, 1);
        ck_assert(!result.partial);
}
END_TEST

SUITE("jobs", a_query_whose_answer_changes_by_itself_does_not_last, a_closed_database_is_read_without_a_trace,
      a_database_that_is_newer_than_the_clock_says_is_read_at_once, a_wal_database_in_use_is_read_with_its_log,
      what_a_dead_writer_left_is_read_too, a_constant_wal_writer_does_not_notice, a_rollback_writer_does_not_notice,
      a_query_that_is_none_is_told, a_query_that_does_more_than_read_is_refused, a_query_that_never_ends_is_ended,
      a_million_rows_are_cut_and_told, odd_values_are_told_and_cost_only_themselves,
      a_database_that_is_none_is_told, a_database_that_is_held_exclusively_is_copied, state_files_are_jobs,
      what_a_state_file_does_not_say_its_name_and_time_do, pointers_lead_to_members,
      state_files_that_are_none_are_told_and_cost_only_themselves,
      a_directory_that_is_missing_is_told_and_an_empty_one_is_not)
