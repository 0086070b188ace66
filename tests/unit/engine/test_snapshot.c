/* test_snapshot.c - copies of idle and crashed databases. */
#include "suite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database.h"
#include "engine/check.h"
#include "engine/snapshot.h"
#include "taking.h"

START_TEST(an_idle_database_is_copied_byte_by_byte)
{
        const char *path = place("a.db");
        db_make(path, "wal", 300);
        struct snapshot_result r = taken(path, "copy");
        ck_assert_str_eq(hash_of(copy_path("copy")), hash_of(path));
        ck_assert_str_eq(r.sha256, hash_of(path));
        ck_assert_uint_eq(r.bytes, (uint64_t)size_of(path));
        ck_assert_uint_eq(r.source_main_bytes, r.bytes);
        ck_assert_uint_eq(r.source_wal_bytes, 0);
        ck_assert_uint_eq(r.page_size, 4096);
        ck_assert(strcmp(r.method, "copy") == 0 || strcmp(r.method, "reflink") == 0);
        struct stat st;
        ck_assert_int_eq(stat(copy_path("copy"), &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        ck_assert_uint_eq(st.st_uid, geteuid());
        /* Nothing appeared beside either of them. */
        ck_assert_int_eq(size_of(with(path, "-wal")), -1);
        ck_assert_int_eq(size_of(with(path, "-shm")), -1);
        ck_assert_int_eq(left_there(), 1);
}
END_TEST

START_TEST(what_a_killed_wal_writer_committed_is_in_the_copy_and_the_original_is_untouched)
{
        const char *path = place("a.db");
        db_make(path, "wal", 200);
        db_killed_after(path, "insert into t values(1001, 'x'); begin; update t set v = randomblob(500);");
        const char *main = hash_of(path), *wal = hash_of(with(path, "-wal")), *shm = hash_of(with(path, "-shm"));
        struct snapshot_result r = taken(path, "copy");
        ck_assert_uint_eq(r.wal_commits, 1);
        ck_assert_uint_ne(r.wal_salt[0] | r.wal_salt[1], 0);
        ck_assert_uint_gt(r.source_wal_bytes, 0);
        ck_assert_str_eq(hash_of(copy_path("copy")), r.sha256);
        ck_assert_int_eq(left_there(), 1);
        ck_assert_int_eq(db_ask(copy_path("copy"), "select count(*) from t"), 201);
        ck_assert_str_eq(hash_of(path), main);
        ck_assert_str_eq(hash_of(with(path, "-wal")), wal);
        ck_assert_str_eq(hash_of(with(path, "-shm")), shm);
}
END_TEST

START_TEST(a_hot_journal_is_rolled_back_in_the_copy_and_kept_beside_the_original)
{
        const char *path = place("a.db");
        db_make(path, "delete", 200);
        int64_t sum = db_ask(path, "select sum(length(v)) from t");
        db_killed_after(path, "begin; update t set v = randomblob(400); insert into t values(1001, 'x')");
        const char *main = hash_of(path), *journal = hash_of(with(path, "-journal"));
        taken(path, "copy");
        ck_assert_int_eq(left_there(), 1);
        ck_assert_int_eq(db_ask(copy_path("copy"), "select sum(length(v)) from t"), sum);
        ck_assert_int_eq(db_ask(copy_path("copy"),
                                "select count(*) from pragma_integrity_check where integrity_check = 'ok'"),
                         1);
        ck_assert_str_eq(hash_of(path), main);
        ck_assert_str_eq(hash_of(with(path, "-journal")), journal);
}
END_TEST

/* What a backup relies on: both see the same bytes, and only the second pays for SHA-256. */
START_TEST(the_fingerprint_of_a_copy_is_found_again_by_its_check)
{
        const char *path = place("a.db");
        struct snapshot_options quick = taking_defaults;
        struct snapshot_result r;
        struct check_options finished = {.method = CHECK_QUICK, .finished = true};
        struct check_result c;
        quick.no_sha256 = true;
        db_make(path, "wal", 200);
        db_killed_after(path, "insert into t values(1001, 'x')");
        ck_assert_int_eq(take(path, "copy", &quick, &r), 0);
        ck_assert_str_eq(r.sha256, "");
        ck_assert_int_eq(check_database(copy_path("copy"), &finished, &c), 0);
        ck_assert_int_eq(c.outcome, CHECK_OK);
        ck_assert_str_eq(c.fingerprint, r.fingerprint);
        ck_assert_uint_eq(strlen(c.fingerprint), 32);
        ck_assert_str_eq(c.sha256, hash_of(copy_path("copy")));
        check_result_done(&c);
}
END_TEST

START_TEST(raw_copies_are_the_files_as_they_are)
{
        const char *path = place("a.db");
        struct snapshot_options raw = taking_defaults;
        struct snapshot_result r;
        raw.raw = true;
        db_make(path, "delete", 200);
        db_killed_after(path, "begin; update t set v = randomblob(400)");
        ck_assert_int_eq(take(path, "copy", &raw, &r), 0);
        ck_assert_str_eq(hash_of(copy_path("copy")), hash_of(path));
        ck_assert_str_eq(hash_of(copy_path("copy-journal")), hash_of(with(path, "-journal")));
        ck_assert_int_eq(left_there(), 2);

        const char *wal = place("w.db");
        db_make(wal, "wal", 200);
        db_killed_after(wal, "begin; update t set v = randomblob(400)");
        ck_assert_int_eq(take(wal, "other", &raw, &r), 0);
        ck_assert_str_eq(hash_of(copy_path("other")), hash_of(wal));
        ck_assert_str_eq(hash_of(copy_path("other-wal")), hash_of(with(wal, "-wal")));
        ck_assert_int_eq(size_of(copy_path("other-shm")), -1);
}
END_TEST

/* A log of 4 GiB, most of it a hole, or frames of an older generation. */
START_TEST(a_log_is_copied_up_to_its_last_commit)
{
        const char *path = place("a.db"), *wal = with(path, "-wal");
        db_make(path, "wal", 200);
        db_killed_after(path, "insert into t values(1001, 'x')");
        ck_assert_int_eq(truncate(wal, 4LL << 30), 0);
        struct snapshot_result r = taken(path, "copy");
        ck_assert_uint_eq(r.source_wal_bytes, 4ULL << 30);
        ck_assert_uint_eq(r.wal_commits, 1);
        ck_assert_uint_le(r.bytes, 1 << 20);
        ck_assert_int_eq(db_ask(copy_path("copy"), "select count(*) from t"), 201);

        struct snapshot_options raw = taking_defaults;
        struct stat st;
        raw.raw = true;
        ck_assert_int_eq(take(path, "raw", &raw, &r), 0);
        ck_assert_int_eq(stat(copy_path("raw-wal"), &st), 0);
        ck_assert_int_eq(st.st_size, 4LL << 30);
        ck_assert_int_lt(st.st_blocks * 512, 16 << 20);
}
END_TEST

START_TEST(what_is_no_database_is_refused_with_its_reason)
{
        static const struct {
                const char *name;
                int error;
        } bad[] = {{"missing.db", -ENOENT},
                   {"dir", -EISDIR},
                   {"fifo", -EINVAL},
                   {"encrypted", -EBADMSG},
                   {"text", -EBADMSG}};
        char noise[8192];
        memset(noise, 0x5a, sizeof(noise));
        ck_assert_int_eq(mkdir(place("dir"), 0700), 0);
        ck_assert_int_eq(mkfifo(place("fifo"), 0600), 0);
        spill(place("encrypted"), noise, sizeof(noise));
        spill(place("text"), "hello", 5);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                struct snapshot_result r;
                ck_assert_msg(take(place(bad[i].name), "copy", &taking_defaults, &r) == bad[i].error, "%s: %s",
                              bad[i].name, r.reason);
                ck_assert_ptr_nonnull(strstr(r.reason, bad[i].name));
                ck_assert_int_eq(left_there(), 0);
        }
}
END_TEST

START_TEST(an_empty_file_is_an_empty_database)
{
        const char *path = place("empty.db");
        spill(path, "", 0);
        struct snapshot_result r = taken(path, "copy");
        ck_assert_uint_eq(r.bytes, 0);
        ck_assert_int_eq(size_of(copy_path("copy")), 0);
        ck_assert_int_eq(size_of(path), 0);
}
END_TEST

START_TEST(an_existing_name_is_never_replaced)
{
        const char *path = place("a.db");
        struct snapshot_result r;
        db_make(path, "delete", 10);
        close(taking_dir());
        spill(copy_path("copy"), "precious", 8);
        ck_assert_int_eq(take(path, "copy", &taking_defaults, &r), -EEXIST);
        ck_assert_int_eq(size_of(copy_path("copy")), 8);
        ck_assert_int_eq(left_there(), 1);
}
END_TEST

START_TEST(a_budget_is_kept_before_anything_is_written)
{
        const char *path = place("a.db");
        struct snapshot_options tight = {.byte_budget = 4096};
        struct snapshot_result r;
        db_make(path, "delete", 100);
        ck_assert_int_eq(take(path, "copy", &tight, &r), -EFBIG);
        ck_assert_ptr_nonnull(strstr(r.reason, "budget"));
        ck_assert_int_eq(left_there(), 0);
}
END_TEST

START_TEST(a_symbolic_link_leads_to_the_companions_of_its_target)
{
        const char *path = place("a.db"), *link = place("link.db");
        db_make(path, "wal", 50);
        db_killed_after(path, "insert into t values(1001, 'x')");
        ck_assert_int_eq(symlink(path, link), 0);
        taken(link, "copy");
        ck_assert_int_eq(db_ask(copy_path("copy"), "select count(*) from t"), 51);
}
END_TEST

static void appended_super(const char *path, const char *super)
{
        size_t n, len = strlen(super);
        uint8_t *data = slurp(with(path, "-journal"), &n), tail[20] = {0};
        uint32_t sum = 0;
        data = realloc(data, n + len + 20);
        for (size_t i = 0; i < len; i++)
                sum += (uint8_t)super[i];
        tail[3] = (uint8_t)len;
        for (int i = 0; i < 4; i++)
                tail[4 + i] = (uint8_t)(sum >> (24 - 8 * i));
        memcpy(tail + 8, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8);
        memset(data + n, 0, 4);
        memcpy(data + n + 4, super, len);
        memcpy(data + n + 4 + len, tail, 16);
        spill(with(path, "-journal"), data, n + 4 + len + 16);
        free(data);
}

/* The super-journal decides, as it stands beside the original; recovery of the copy must not touch it. */
START_TEST(a_journal_with_a_super_journal_is_rolled_back_while_that_exists)
{
        const char *path = place("a.db"), *super = place("a.db-mj00000001");
        db_make(path, "delete", 200);
        db_killed_after(path, "begin; update t set v = randomblob(400)");
        spill(super, path, strlen(path) + 1);
        appended_super(path, super);
        taken(path, "copy");
        ck_assert_int_eq(db_ask(copy_path("copy"), "select count(*) from t where length(v) = 500"), 200);
        ck_assert_int_gt(size_of(super), 0);
        ck_assert_int_gt(size_of(with(path, "-journal")), 0);

        ck_assert_int_eq(unlink(super), 0);
        taken(path, "committed");
        ck_assert_str_eq(hash_of(copy_path("committed")), hash_of(path));
}
END_TEST

START_TEST(the_leftover_of_a_killed_vigil_is_swept)
{
        const char *path = place("a.db");
        db_make(path, "delete", 10);
        close(taking_dir());
        ck_assert_int_eq(mkdir(copy_path(".vigil-copy-0123456789abcdef"), 0700), 0);
        spill(copy_path(".vigil-copy-0123456789abcdef/db"), "x", 1);
        spill(copy_path(".vigil-copy-0123456789abcdef/db-wal"), "x", 1);
        ck_assert_int_eq(mkdir(copy_path(".vigil-copy-not-ours"), 0700), 0);
        taken(path, "copy");
        ck_assert_int_eq(left_there(), 2);
        ck_assert_int_eq(size_of(copy_path(".vigil-copy-0123456789abcdef")), -1);
}
END_TEST

START_TEST(a_copy_that_lacks_what_its_users_see_says_so)
{
        const char *path = place("a.db");
        db_make(path, "wal", 10);
        sqlite3 *db = db_open(path);
        db_exec(db, "insert into t values(1001, 'x'); insert into t values(1002, 'y')");
        ck_assert_uint_eq(taken(path, "whole").wal_unreadable, 0);
        db_break_frame(path, 1);
        ck_assert_int_eq(db_int(db, "select count(*) from t where id > 1000"), 2);
        ck_assert_uint_gt(taken(path, "lacking").wal_unreadable, 0);
        /* Whoever sees them can save them. */
        db_exec(db, "pragma wal_checkpoint(truncate)");
        ck_assert_uint_eq(taken(path, "saved").wal_unreadable, 0);
        ck_assert_int_eq(db_ask(copy_path("saved"), "select count(*) from t where id > 1000"), 2);
        sqlite3_close(db);
}
END_TEST

SUITE("snapshot", a_copy_that_lacks_what_its_users_see_says_so, an_idle_database_is_copied_byte_by_byte,
      what_a_killed_wal_writer_committed_is_in_the_copy_and_the_original_is_untouched,
      a_hot_journal_is_rolled_back_in_the_copy_and_kept_beside_the_original,
      the_fingerprint_of_a_copy_is_found_again_by_its_check, raw_copies_are_the_files_as_they_are,
      a_log_is_copied_up_to_its_last_commit, what_is_no_database_is_refused_with_its_reason,
      an_empty_file_is_an_empty_database, an_existing_name_is_never_replaced,
      a_budget_is_kept_before_anything_is_written, a_symbolic_link_leads_to_the_companions_of_its_target,
      a_journal_with_a_super_journal_is_rolled_back_while_that_exists, the_leftover_of_a_killed_vigil_is_swept)
