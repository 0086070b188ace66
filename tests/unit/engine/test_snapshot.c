/* test_snapshot.c - copies of idle, crashed, stuck and busy databases. */
#include "suite.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database.h"
#include "engine/check.h"
#include "engine/snapshot.h"
#include "writer.h"

static const struct snapshot_options defaults = {.others_may_write = true, .deadline_ms = 20000};

/* Descriptor of the directory that copies go to. */
static int target(void)
{
        char dir[200];
        strcpy(dir, place("copies"));
        ck_assert(mkdir(dir, 0700) == 0 || errno == EEXIST);
        int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        return fd;
}

static int take(const char *path, const char *name, const struct snapshot_options *options,
                struct snapshot_result *ret)
{
        int dir = target();
        int err = snapshot_take(path, dir, name, options, ret);
        close(dir);
        return err;
}

static struct snapshot_result taken(const char *path, const char *name)
{
        struct snapshot_result r;
        int err = take(path, name, &defaults, &r);
        ck_assert_msg(err == 0, "%s: %s (%s)", path, strerror(-err), r.reason);
        return r;
}

/* Path of a finished copy. */
static const char *copy(const char *name)
{
        static char path[256];
        snprintf(path, sizeof(path), "%s/%s", place("copies"), name);
        return path;
}

/* Files in the directory of copies. */
static int left_there(void)
{
        int n = 0;
        DIR *d = opendir(place("copies"));
        for (struct dirent *e; d && (e = readdir(d));)
                n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
        if (d)
                closedir(d);
        return n;
}

START_TEST(an_idle_database_is_copied_byte_by_byte)
{
        const char *path = place("a.db");
        db_make(path, "wal", 300);
        struct snapshot_result r = taken(path, "copy");
        ck_assert_str_eq(hash_of(copy("copy")), hash_of(path));
        ck_assert_str_eq(r.sha256, hash_of(path));
        ck_assert_uint_eq(r.bytes, (uint64_t)size_of(path));
        ck_assert_uint_eq(r.source_main_bytes, r.bytes);
        ck_assert_uint_eq(r.source_wal_bytes, 0);
        ck_assert_uint_eq(r.page_size, 4096);
        ck_assert(strcmp(r.method, "copy") == 0 || strcmp(r.method, "reflink") == 0);
        struct stat st;
        ck_assert_int_eq(stat(copy("copy"), &st), 0);
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
        ck_assert_str_eq(hash_of(copy("copy")), r.sha256);
        ck_assert_int_eq(left_there(), 1);
        ck_assert_int_eq(db_ask(copy("copy"), "select count(*) from t"), 201);
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
        ck_assert_int_eq(db_ask(copy("copy"), "select sum(length(v)) from t"), sum);
        ck_assert_int_eq(
                db_ask(copy("copy"), "select count(*) from pragma_integrity_check where integrity_check = 'ok'"),
                1);
        ck_assert_str_eq(hash_of(path), main);
        ck_assert_str_eq(hash_of(with(path, "-journal")), journal);
}
END_TEST

/* What a backup relies on: both see the same bytes, and only the second pays for SHA-256. */
START_TEST(the_fingerprint_of_a_copy_is_found_again_by_its_check)
{
        const char *path = place("a.db");
        struct snapshot_options quick = defaults;
        struct snapshot_result r;
        struct check_options finished = {.method = CHECK_QUICK, .finished = true};
        struct check_result c;
        quick.no_sha256 = true;
        db_make(path, "wal", 200);
        db_killed_after(path, "insert into t values(1001, 'x')");
        ck_assert_int_eq(take(path, "copy", &quick, &r), 0);
        ck_assert_str_eq(r.sha256, "");
        ck_assert_int_eq(check_database(copy("copy"), &finished, &c), 0);
        ck_assert_int_eq(c.outcome, CHECK_OK);
        ck_assert_str_eq(c.fingerprint, r.fingerprint);
        ck_assert_uint_eq(strlen(c.fingerprint), 32);
        ck_assert_str_eq(c.sha256, hash_of(copy("copy")));
        check_result_done(&c);
}
END_TEST

START_TEST(raw_copies_are_the_files_as_they_are)
{
        const char *path = place("a.db");
        struct snapshot_options raw = defaults;
        struct snapshot_result r;
        raw.raw = true;
        db_make(path, "delete", 200);
        db_killed_after(path, "begin; update t set v = randomblob(400)");
        ck_assert_int_eq(take(path, "copy", &raw, &r), 0);
        ck_assert_str_eq(hash_of(copy("copy")), hash_of(path));
        ck_assert_str_eq(hash_of(copy("copy-journal")), hash_of(with(path, "-journal")));
        ck_assert_int_eq(left_there(), 2);

        const char *wal = place("w.db");
        db_make(wal, "wal", 200);
        db_killed_after(wal, "begin; update t set v = randomblob(400)");
        ck_assert_int_eq(take(wal, "other", &raw, &r), 0);
        ck_assert_str_eq(hash_of(copy("other")), hash_of(wal));
        ck_assert_str_eq(hash_of(copy("other-wal")), hash_of(with(wal, "-wal")));
        ck_assert_int_eq(size_of(copy("other-shm")), -1);
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
        ck_assert_int_eq(db_ask(copy("copy"), "select count(*) from t"), 201);

        struct snapshot_options raw = defaults;
        struct stat st;
        raw.raw = true;
        ck_assert_int_eq(take(path, "raw", &raw, &r), 0);
        ck_assert_int_eq(stat(copy("raw-wal"), &st), 0);
        ck_assert_int_eq(st.st_size, 4LL << 30);
        ck_assert_int_lt(st.st_blocks * 512, 16 << 20);
}
END_TEST

/* Copies while the writer writes; it must not notice, and every copy must be one instant. */
static void copies_under(const char *mode, void (*writer)(const char *path), const char *written,
                         const char *method, int copies)
{
        const char *path = place("busy.db");
        long last = -1;
        writer_make(path, mode);
        pid_t pid = child_start(writer, path);
        writer_wait(path, written);
        for (int i = 0; i < copies; i++) {
                char name[16];
                snprintf(name, sizeof(name), "copy%d", i);
                struct snapshot_result r = taken(path, name);
                ck_assert(!method || strcmp(r.method, method) == 0);
                long n = writer_verify(copy(name));
                ck_assert_int_ge(n, last);
                last = n;
        }
        writer_wait(path, written); /* it still goes on */
        child_end(pid, SIGTERM);
        ck_assert_int_gt(last, 0);
        ck_assert_int_ge(writer_verify(path), last);
}

START_TEST(copies_under_a_constant_wal_writer_are_consistent_and_unnoticed)
{
        copies_under("wal", writer_constant, "-wal", "read-transaction", 15);
}
END_TEST

START_TEST(copies_between_rollback_transactions_are_consistent_and_unnoticed)
{
        copies_under("delete", writer_with_gaps, "", NULL, 8);
}
END_TEST

START_TEST(copies_of_a_wal_held_exclusively_are_consistent_and_unnoticed)
{
        copies_under("wal", writer_exclusive, "-wal", NULL, 8);
}
END_TEST

START_TEST(a_rollback_writer_that_leaves_no_gap_is_left_alone_and_told)
{
        const char *path = place("busy.db");
        struct snapshot_options impatient = {.others_may_write = true, .deadline_ms = 700};
        struct snapshot_result r;
        writer_make(path, "delete");
        sqlite3 *db = db_open(path); /* large enough that a copy takes longer than the writer rests */
        db_exec(db, "insert into load values(zeroblob(30000000))");
        sqlite3_close(db);
        pid_t pid = child_start(writer_constant, path);
        setpriority(PRIO_PROCESS, (id_t)pid, -20); /* on a busy host it would rest whenever others run */
        writer_wait(path, "");
        ck_assert_int_eq(take(path, "copy", &impatient, &r), -EBUSY);
        ck_assert_uint_gt(r.attempts, 0);
        ck_assert_str_eq(r.method, "none");
        ck_assert_ptr_nonnull(strstr(r.reason, "during every attempt"));
        ck_assert_int_eq(left_there(), 0);
        child_end(pid, SIGTERM);
}
END_TEST

static void stuck_in_a_rollback_transaction(const char *path)
{
        sqlite3 *db = db_open(path);
        db_exec(db, "pragma cache_size=5; begin; update t set v = randomblob(400)");
        spill(with(path, "-ready"), "", 0);
        pause();
}

static void stuck_in_a_wal_transaction(const char *path)
{
        sqlite3 *db = db_open(path);
        db_exec(db,
                "pragma cache_size=5; insert into t values(1001, 'x'); begin; update t set v = randomblob(400)");
        spill(with(path, "-ready"), "", 0);
        pause();
}

static void copy_while_stuck(const char *mode, void (*stuck)(const char *path), int64_t rows)
{
        const char *path = place("stuck.db");
        db_make(path, mode, 200);
        pid_t pid = child_start(stuck, path);
        for (int i = 0; i < 2000 && size_of(with(path, "-ready")) < 0; i++)
                usleep(5000);
        taken(path, "copy");
        ck_assert_int_eq(db_ask(copy("copy"), "select count(*) from t where length(v) <> 400"), rows);
        child_end(pid, SIGKILL);
}

START_TEST(a_transaction_stuck_half_way_does_not_stop_the_copy)
{
        copy_while_stuck("delete", stuck_in_a_rollback_transaction, 200);
}
END_TEST

START_TEST(a_wal_transaction_stuck_half_way_does_not_stop_the_copy)
{
        copy_while_stuck("wal", stuck_in_a_wal_transaction, 201);
}
END_TEST

/* Scenario 64. */
START_TEST(wal_growth_cap_gives_the_locks_back)
{
        const char *path = place("busy.db");
        struct snapshot_options capped = {.others_may_write = true, .deadline_ms = 20000, .wal_cap = 1};
        struct snapshot_result r;
        writer_make(path, "wal");
        sqlite3 *db = db_open(path);
        db_exec(db, "insert into load values(zeroblob(150000000))");
        sqlite3_close(db);
        pid_t pid = child_start(writer_constant, path);
        writer_wait(path, "-wal");
        ck_assert_int_eq(take(path, "copy", &capped, &r), -EBUSY);
        ck_assert_ptr_nonnull(strstr(r.reason, "cap"));
        ck_assert_int_eq(left_there(), 0);
        child_end(pid, SIGTERM);
        /* Closed as the last one, with everything checkpointed: nobody held a lock. */
        ck_assert_int_eq(size_of(with(path, "-wal")), -1);
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
                ck_assert_msg(take(place(bad[i].name), "copy", &defaults, &r) == bad[i].error, "%s: %s",
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
        ck_assert_int_eq(size_of(copy("copy")), 0);
        ck_assert_int_eq(size_of(path), 0);
}
END_TEST

START_TEST(an_existing_name_is_never_replaced)
{
        const char *path = place("a.db");
        struct snapshot_result r;
        db_make(path, "delete", 10);
        close(target());
        spill(copy("copy"), "precious", 8);
        ck_assert_int_eq(take(path, "copy", &defaults, &r), -EEXIST);
        ck_assert_int_eq(size_of(copy("copy")), 8);
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
        ck_assert_int_eq(db_ask(copy("copy"), "select count(*) from t"), 51);
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
        ck_assert_int_eq(db_ask(copy("copy"), "select count(*) from t where length(v) = 500"), 200);
        ck_assert_int_gt(size_of(super), 0);
        ck_assert_int_gt(size_of(with(path, "-journal")), 0);

        ck_assert_int_eq(unlink(super), 0);
        taken(path, "committed");
        ck_assert_str_eq(hash_of(copy("committed")), hash_of(path));
}
END_TEST

START_TEST(the_leftover_of_a_killed_vigil_is_swept)
{
        const char *path = place("a.db");
        db_make(path, "delete", 10);
        close(target());
        ck_assert_int_eq(mkdir(copy(".vigil-copy-0123456789abcdef"), 0700), 0);
        spill(copy(".vigil-copy-0123456789abcdef/db"), "x", 1);
        spill(copy(".vigil-copy-0123456789abcdef/db-wal"), "x", 1);
        ck_assert_int_eq(mkdir(copy(".vigil-copy-not-ours"), 0700), 0);
        taken(path, "copy");
        ck_assert_int_eq(left_there(), 2);
        ck_assert_int_eq(size_of(copy(".vigil-copy-0123456789abcdef")), -1);
}
END_TEST

static void copy_for_ever(const char *path)
{
        struct snapshot_options slow = defaults;
        struct snapshot_result r;
        spill(with(path, "-started"), "", 0);
        for (int i = 0;; i++) {
                char name[16];
                snprintf(name, sizeof(name), "copy%d", i);
                take(path, name, &slow, &r);
                unlink(copy(name));
        }
}

START_TEST(a_vigil_that_is_killed_leaves_no_lock_and_nothing_that_stays)
{
        const char *path = place("busy.db");
        writer_make(path, "wal");
        sqlite3 *db = db_open(path);
        db_exec(db, "insert into load values(zeroblob(20000000)); pragma wal_checkpoint(truncate)");
        for (int i = 0; i < 5; i++) {
                pid_t pid = child_start(copy_for_ever, path);
                for (int k = 0; k < 2000 && size_of(with(path, "-started")) < 0; k++)
                        usleep(1000);
                usleep(20000 + 7000 * (useconds_t)i); /* anywhere inside a copy */
                child_end(pid, SIGKILL);
                unlink(with(path, "-started"));
        }
        taken(path, "last");
        ck_assert_int_le(left_there(), 6); /* and copies that were finished but not yet unlinked */
        DIR *d = opendir(place("copies"));
        for (struct dirent *e; (e = readdir(d));)
                ck_assert_ptr_null(strstr(e->d_name, ".vigil"));
        closedir(d);
        /* A TRUNCATE checkpoint needs every lock that a copy takes. */
        db_exec(db, "insert into a(v) values(1)");
        ck_assert_int_eq(db_int(db, "pragma wal_checkpoint(truncate)"), 0);
        sqlite3_close(db);
        ck_assert_int_eq(size_of(with(path, "-wal")), -1);
}
END_TEST

SUITE("snapshot", the_fingerprint_of_a_copy_is_found_again_by_its_check, a_log_is_copied_up_to_its_last_commit,
      an_idle_database_is_copied_byte_by_byte,
      what_a_killed_wal_writer_committed_is_in_the_copy_and_the_original_is_untouched,
      a_hot_journal_is_rolled_back_in_the_copy_and_kept_beside_the_original, raw_copies_are_the_files_as_they_are,
      copies_under_a_constant_wal_writer_are_consistent_and_unnoticed,
      copies_between_rollback_transactions_are_consistent_and_unnoticed,
      copies_of_a_wal_held_exclusively_are_consistent_and_unnoticed,
      a_rollback_writer_that_leaves_no_gap_is_left_alone_and_told,
      a_transaction_stuck_half_way_does_not_stop_the_copy, a_wal_transaction_stuck_half_way_does_not_stop_the_copy,
      wal_growth_cap_gives_the_locks_back, what_is_no_database_is_refused_with_its_reason,
      an_empty_file_is_an_empty_database, an_existing_name_is_never_replaced,
      a_budget_is_kept_before_anything_is_written, a_symbolic_link_leads_to_the_companions_of_its_target,
      a_journal_with_a_super_journal_is_rolled_back_while_that_exists, the_leftover_of_a_killed_vigil_is_swept,
      a_vigil_that_is_killed_leaves_no_lock_and_nothing_that_stays)
