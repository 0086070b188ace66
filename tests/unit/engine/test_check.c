/* test_check.c - sound, damaged, foreign and crashed databases; and the evidence stays as it was. */
#include "suite.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database.h"
#include "engine/check.h"
#include "writer.h"

/* Where the private copies go. */
static const char *scratch(void)
{
        const char *dir = place("scratch");
        ck_assert(mkdir(dir, 0700) == 0 || errno == EEXIST);
        return dir;
}

static int left_there(void)
{
        int n = 0;
        DIR *d = opendir(scratch());
        for (struct dirent *e; (e = readdir(d));)
                n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
        closedir(d);
        return n;
}

static struct check_result check(const char *path, enum check_method method)
{
        struct check_options o = {.method = method, .scratch = scratch(), .others_may_write = true};
        struct check_result r;
        ck_assert_int_eq(check_database(path, &o, &r), 0);
        ck_assert_int_eq(left_there(), 0);
        return r;
}

static void expect(const char *path, enum check_outcome outcome)
{
        struct check_result r = check(path, CHECK_QUICK);
        char *errors = json_dumps(r.errors, 0);
        ck_assert_msg(r.outcome == outcome, "%s: %s, %s, %s", path, check_outcome_name(r.outcome), r.reason,
                      errors);
        free(errors);
        check_result_done(&r);
}

START_TEST(a_sound_database_is_ok_and_gets_no_companions)
{
        const char *path = place("a.db");
        db_make(path, "wal", 100);
        const char *before = hash_of(path);
        struct check_result r = check(path, CHECK_FULL);
        ck_assert_int_eq(r.outcome, CHECK_OK);
        ck_assert_str_eq(r.method, "integrity_check");
        ck_assert_str_eq(r.on, "snapshot");
        ck_assert_uint_eq(json_array_size(r.errors), 0);
        ck_assert_ptr_null(r.reason);
        check_result_done(&r);
        ck_assert_str_eq(hash_of(path), before);
        ck_assert_int_eq(size_of(with(path, "-wal")), -1);
        ck_assert_int_eq(size_of(with(path, "-shm")), -1);
}
END_TEST

START_TEST(damage_is_told_with_its_page)
{
        const char *path = place("a.db");
        db_make(path, "delete", 300);
        size_t n;
        uint8_t *data = slurp(path, &n);
        memset(data + 4 * 4096, 0xee, 100); /* page 5: a leaf of the table */
        spill(path, data, n);
        free(data);
        struct check_result r = check(path, CHECK_QUICK);
        ck_assert_int_eq(r.outcome, CHECK_CORRUPT);
        ck_assert_str_eq(r.method, "quick_check");
        size_t i;
        json_t *e;
        bool named = false;
        json_array_foreach (r.errors, i, e)
                named = named || json_integer_value(json_object_get(e, "page")) == 5;
        ck_assert(named);
        check_result_done(&r);
}
END_TEST

START_TEST(a_database_cut_short_is_corrupt)
{
        const char *path = place("a.db");
        db_make(path, "delete", 300);
        ck_assert_int_eq(truncate(path, 5 * 4096 + 100), 0);
        expect(path, CHECK_CORRUPT);
}
END_TEST

START_TEST(a_last_page_that_is_torn_is_corrupt)
{
        const char *path = place("a.db");
        db_make(path, "delete", 200);
        expect(path, CHECK_OK);
        struct stat st;
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_int_eq(truncate(path, st.st_size - 100), 0);
        struct check_result r = check(path, CHECK_QUICK);
        ck_assert_int_eq(r.outcome, CHECK_CORRUPT);
        char *errors = json_dumps(r.errors, 0);
        ck_assert_ptr_nonnull(strstr(errors, "the file ends after"));
        free(errors);
        check_result_done(&r);
}
END_TEST

START_TEST(a_lying_header_is_corrupt)
{
        const char *path = place("a.db");
        db_make(path, "delete", 50);
        size_t n;
        uint8_t *data = slurp(path, &n);
        data[16] = 0x13;
        spill(path, data, n);
        expect(path, CHECK_CORRUPT);
        free(data);
}
END_TEST

START_TEST(only_a_full_check_compares_the_index_with_its_table)
{
        const char *path = place("a.db");
        sqlite3 *db = db_open(path);
        db_exec(db, "create table t(x); create index i on t(x); insert into t values(1), (2), (3);"
                    "pragma writable_schema=1; update sqlite_schema set sql = 'create index i on t(x desc)' where "
                    "name = 'i'");
        sqlite3_close(db);
        struct check_result r = check(path, CHECK_FULL);
        ck_assert_int_eq(r.outcome, CHECK_CORRUPT);
        check_result_done(&r);
        expect(path, CHECK_OK);
}
END_TEST

START_TEST(what_is_no_database_fails_with_its_reason)
{
        static const struct {
                const char *name, *says;
        } bad[] = {{"encrypted", "not an SQLite database (or encrypted)"},
                   {"text", "not an SQLite database (or encrypted)"},
                   {"missing", "No such file"},
                   {"dir", "directory"},
                   {"fifo", "not a regular file"}};
        char noise[8192];
        memset(noise, 0x5a, sizeof(noise));
        spill(place("encrypted"), noise, sizeof(noise));
        spill(place("text"), "hello", 5);
        ck_assert_int_eq(mkdir(place("dir"), 0700), 0);
        ck_assert_int_eq(mkfifo(place("fifo"), 0600), 0);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                struct check_result r = check(place(bad[i].name), CHECK_QUICK);
                ck_assert_msg(r.outcome == CHECK_FAILED, "%s", bad[i].name);
                ck_assert_msg(strstr(r.reason, bad[i].says) && strstr(r.reason, bad[i].name), "%s", r.reason);
                ck_assert_str_eq(r.on, "none");
                check_result_done(&r);
        }
}
END_TEST

START_TEST(an_empty_file_is_an_empty_database)
{
        spill(place("empty.db"), "", 0);
        expect(place("empty.db"), CHECK_OK);
        ck_assert_int_eq(size_of(place("empty.db")), 0);
}
END_TEST

/* Scenario 66. */
static void checker_preserves_evidence_of(const char *mode)
{
        static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
        char name[32];
        const char *before[4];
        snprintf(name, sizeof(name), "%s.db", mode);
        const char *path = place(name);
        db_make(path, mode, 200);
        db_killed_after(path, "begin; update t set v = randomblob(400); insert into t values(1001, 'x')");
        for (int i = 0; i < 4; i++)
                before[i] = hash_of(with(path, suffixes[i]));
        expect(path, CHECK_OK);
        for (int i = 0; i < 4; i++)
                ck_assert_str_eq(hash_of(with(path, suffixes[i])), before[i]);
}

START_TEST(checker_preserves_evidence)
{
        checker_preserves_evidence_of("wal");
        checker_preserves_evidence_of("delete");
}
END_TEST

START_TEST(a_hot_journal_is_rolled_back_before_the_copy_is_judged)
{
        const char *path = place("a.db");
        db_make(path, "delete", 300);
        db_killed_after(path, "begin; delete from t where id % 3 = 0; update t set v = randomblob(900)");
        ck_assert_int_gt(size_of(with(path, "-journal")), 4096);
        expect(path, CHECK_OK);
        /* Without its journal it is half a transaction. */
        ck_assert_int_eq(unlink(with(path, "-journal")), 0);
        expect(path, CHECK_CORRUPT);
}
END_TEST

START_TEST(a_database_in_use_is_checked_without_the_writer_noticing)
{
        const char *path = place("busy.db");
        writer_make(path, "wal");
        pid_t pid = process_start(writer_constant, path);
        writer_wait(path, "-wal");
        for (int i = 0; i < 5; i++)
                expect(path, CHECK_OK);
        child_end(pid, SIGTERM);
}
END_TEST

START_TEST(time_that_is_up_is_a_timeout)
{
        const char *path = place("a.db");
        sqlite3 *db = db_open(path);
        db_exec(db, "create table t(v blob); insert into t values(zeroblob(100000000))");
        sqlite3_close(db);
        struct check_options o = {.method = CHECK_QUICK, .scratch = scratch(), .deadline_ms = 1};
        struct check_result r;
        ck_assert_int_eq(check_database(path, &o, &r), 0);
        ck_assert_int_eq(r.outcome, CHECK_TIMEOUT);
        ck_assert_ptr_nonnull(r.reason);
        ck_assert_int_eq(left_there(), 0);
        check_result_done(&r);
}
END_TEST

START_TEST(no_check_is_skipped)
{
        struct check_result r = check(place("missing"), CHECK_NONE);
        ck_assert_int_eq(r.outcome, CHECK_SKIPPED);
        ck_assert_str_eq(r.method, "none");
        check_result_done(&r);
}
END_TEST

START_TEST(random_bit_flips_end_in_ok_corrupt_or_failed_and_never_in_a_change)
{
        const char *path = place("a.db");
        db_make(path, "wal", 200);
        db_killed_after(path, "insert into t values(1001, 'x'); begin; update t set v = randomblob(400)");
        size_t n, w;
        uint8_t *main = slurp(path, &n), *wal = slurp(with(path, "-wal"), &w);
        srand(11);
        for (int i = 0; i < 40; i++) {
                uint8_t *in = i % 2 ? main : wal;
                size_t at = (size_t)rand() % (i % 4 < 2 ? 120 : i % 2 ? n : w);
                in[at] ^= (uint8_t)(1 << rand() % 8);
                spill(path, main, n);
                spill(with(path, "-wal"), wal, w);
                const char *before = hash_of(path), *before_wal = hash_of(with(path, "-wal"));
                struct check_result r = check(path, CHECK_FULL);
                ck_assert_int_le(r.outcome, CHECK_FAILED);
                check_result_done(&r);
                ck_assert_str_eq(hash_of(path), before);
                ck_assert_str_eq(hash_of(with(path, "-wal")), before_wal);
        }
        free(main);
        free(wal);
}
END_TEST

START_TEST(without_a_scratch_directory_one_is_found)
{
        const char *path = place("a.db");
        db_make(path, "delete", 10);
        struct check_options o = {.method = CHECK_QUICK};
        struct check_result r;
        setenv("TMPDIR", "/nowhere/at/all", 1);
        ck_assert_int_eq(check_database(path, &o, &r), 0);
        ck_assert_int_eq(r.outcome, CHECK_OK);
        ck_assert_ptr_null(r.reason);
        check_result_done(&r);
}
END_TEST

START_TEST(the_document_has_the_fields_of_the_contract)
{
        const char *path = place("a.db");
        db_make(path, "delete", 10);
        struct check_result r = check(path, CHECK_QUICK);
        json_t *o = check_json(&r);
        ck_assert_str_eq(json_string_value(json_object_get(o, "result")), "ok");
        ck_assert_str_eq(json_string_value(json_object_get(o, "method")), "quick_check");
        ck_assert_str_eq(json_string_value(json_object_get(o, "on")), "snapshot");
        ck_assert(json_is_array(json_object_get(o, "errors")));
        ck_assert(json_is_integer(json_object_get(o, "ms")));
        json_decref(o);
        check_result_done(&r);
}
END_TEST

/* Schemas that an application with functions and collations of its own leaves. */
static void made_by_an_application(const char *path, const char *sql)
{
        sqlite3 *db = db_open(path);
        db_exec(db, "create table t(v); insert into t values('b'), ('A'), ('c'); create table u(v); create index i "
                    "on t(v);"
                    "pragma writable_schema=1");
        db_exec(db, sql);
        sqlite3_close(db);
}

START_TEST(what_only_the_application_has_is_done_without)
{
        static const char *const schemas[] = {
                "update sqlite_schema set sql = 'create index i on t(v collate mine)' where name = 'i'",
                "update sqlite_schema set sql = 'create table u(v check(mine(v)))' where name = 'u'",
                "update sqlite_schema set sql = 'create index i on t(v) where mine(v)' where name = 'i'",
                "insert into sqlite_schema values('table', 'x', 'x', 0, 'create virtual table x using mine(y)')",
        };
        for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
                char name[16];
                snprintf(name, sizeof(name), "%zu.db", i);
                made_by_an_application(place(name), schemas[i]);
                expect(place(name), CHECK_OK);
                struct check_result r = check(place(name), CHECK_FULL);
                ck_assert_msg(r.outcome == CHECK_OK, "%s: %s", schemas[i], r.reason);
                bool less = strcmp(r.method, "quick_check") == 0;
                ck_assert(less == (r.reason != NULL));
                ck_assert(less || i == 3);
                check_result_done(&r);
        }
}
END_TEST

static struct check_result check_finished(const char *path, enum check_method method)
{
        struct check_options o = {.method = method, .finished = true};
        struct check_result r;
        ck_assert_int_eq(check_database(path, &o, &r), 0);
        return r;
}

START_TEST(a_finished_file_is_hashed_and_checked_where_it_stands)
{
        /* Everything in this name means something in a URI or to SQLite. */
        const char *path = place("b%41 ?mode=rwc&x#y=:memory:\xff.db");
        db_make(path, "wal", 200);
        int dirs = (int)size_of(place("."));
        struct check_result r = check_finished(path, CHECK_FULL);
        ck_assert_msg(r.outcome == CHECK_OK, "%s", r.reason);
        ck_assert_str_eq(r.on, "file");
        ck_assert_str_eq(r.sha256, hash_of(path));
        ck_assert_uint_eq(strlen(r.fingerprint), 32);
        ck_assert_int_eq(size_of(with(path, "-wal")), -1);
        ck_assert_int_eq(size_of(with(path, "-shm")), -1);
        ck_assert_int_eq((int)size_of(place(".")), dirs);
        check_result_done(&r);
}
END_TEST

START_TEST(a_finished_file_that_is_damaged_or_foreign_is_told)
{
        const char *path = place("a.db"), *text = place("text"), *empty = place("empty");
        db_make(path, "delete", 300);
        size_t n;
        uint8_t *data = slurp(path, &n);
        memset(data + 4 * 4096, 0xee, 100);
        spill(path, data, n);
        free(data);
        struct check_result r = check_finished(path, CHECK_QUICK);
        ck_assert_int_eq(r.outcome, CHECK_CORRUPT);
        ck_assert_str_eq(r.sha256, hash_of(path));
        check_result_done(&r);
        spill(text, "hello", 5);
        r = check_finished(text, CHECK_QUICK);
        ck_assert_int_eq(r.outcome, CHECK_FAILED);
        ck_assert_ptr_nonnull(strstr(r.reason, "not an SQLite database"));
        check_result_done(&r);
        r = check_finished(place("missing"), CHECK_QUICK);
        ck_assert_int_eq(r.outcome, CHECK_FAILED);
        ck_assert_str_eq(r.sha256, "");
        check_result_done(&r);
        spill(empty, "", 0);
        r = check_finished(empty, CHECK_QUICK);
        ck_assert_msg(r.outcome == CHECK_OK, "%s", r.reason);
        check_result_done(&r);
}
END_TEST

/* SQLite 3.38 to 3.40 calls such a schema malformed when it does not trust it: that is no damage. */
START_TEST(a_schema_that_checks_json_is_no_damage)
{
        const char *path = place("a.db");
        sqlite3 *db;
        ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
        ck_assert_int_eq(sqlite3_exec(db,
                                      "create table t(doc text check(json_valid(doc)));"
                                      "create index at on t(json_extract(doc, '$.at')); insert into t values('{}')",
                                      NULL, NULL, NULL),
                         SQLITE_OK);
        sqlite3_close(db);
        struct check_result r = check(path, CHECK_FULL);
        ck_assert_int_eq(r.outcome, CHECK_OK);
        ck_assert_str_eq(r.method, "integrity_check");
        check_result_done(&r);
        expect(path, CHECK_OK);
}
END_TEST

SUITE("check", a_schema_that_checks_json_is_no_damage, what_only_the_application_has_is_done_without,
      a_finished_file_is_hashed_and_checked_where_it_stands, a_finished_file_that_is_damaged_or_foreign_is_told,
      a_sound_database_is_ok_and_gets_no_companions, damage_is_told_with_its_page, a_database_cut_short_is_corrupt,
      a_last_page_that_is_torn_is_corrupt, a_lying_header_is_corrupt,
      only_a_full_check_compares_the_index_with_its_table, what_is_no_database_fails_with_its_reason,
      an_empty_file_is_an_empty_database, checker_preserves_evidence,
      a_hot_journal_is_rolled_back_before_the_copy_is_judged,
      a_database_in_use_is_checked_without_the_writer_noticing, time_that_is_up_is_a_timeout, no_check_is_skipped,
      random_bit_flips_end_in_ok_corrupt_or_failed_and_never_in_a_change, without_a_scratch_directory_one_is_found,
      the_document_has_the_fields_of_the_contract)
