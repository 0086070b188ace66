/* test_inspect.c - what the files of a database look like, told by a confined child. */
#include "suite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database.h"
#include "engine/inspect.h"
#include "engine/predict.h"

static struct vigil_observed inspect(const char *path)
{
        struct vigil_observed o;
        ck_assert_int_eq(inspect_database(&engine_sqlite, path, &o), 0);
        return o;
}

static const char *predict(const char *path)
{
        static char text[PREDICT_LEN];
        struct vigil_observed o = inspect(path);
        predict_next_open(&o, text, sizeof(text));
        return text;
}

START_TEST(an_idle_database_is_a_main_file_and_nothing_else)
{
        const char *path = place("a.db");
        db_make(path, "delete", 10);
        struct vigil_observed o = inspect(path);
        ck_assert_uint_eq(o.flags, VIGIL_OBS_MAIN | VIGIL_OBS_SQLITE);
        ck_assert_uint_eq(o.page_size, 4096);
        ck_assert_uint_eq(o.main_bytes, (uint64_t)size_of(path));
}
END_TEST

START_TEST(a_killed_wal_writer_leaves_commits_and_frames)
{
        const char *path = place("a.db");
        db_make(path, "wal", 200);
        db_killed_after(path, "insert into t values(1001, 'x'); begin; update t set v = randomblob(500);");
        struct vigil_observed o = inspect(path);
        ck_assert_uint_eq(o.flags, VIGIL_OBS_MAIN | VIGIL_OBS_SQLITE | VIGIL_OBS_WAL_MODE | VIGIL_OBS_WAL |
                                           VIGIL_OBS_WAL_HEADER | VIGIL_OBS_SHM);
        ck_assert_uint_eq(o.wal_commits, 1);
        ck_assert_uint_gt(o.wal_tail_frames, 0);
        ck_assert_uint_eq(o.shm_max_frame, o.wal_frames - o.wal_tail_frames);
        ck_assert_ptr_nonnull(strstr(predict(path), "next open recovers 1 committed transaction from the WAL and "
                                                    "discards "));
}
END_TEST

START_TEST(a_killed_rollback_writer_leaves_a_hot_journal)
{
        const char *path = place("a.db");
        db_make(path, "delete", 200);
        db_killed_after(path, "begin; update t set v = randomblob(500);");
        struct vigil_observed o = inspect(path);
        ck_assert_uint_eq(o.flags, VIGIL_OBS_MAIN | VIGIL_OBS_SQLITE | VIGIL_OBS_JOURNAL | VIGIL_OBS_JOURNAL_HOT);
        ck_assert_uint_gt(o.journal_pages, 0);
        ck_assert_ptr_nonnull(strstr(predict(path), "next open rolls back the hot journal ("));
}
END_TEST

/* Scenario 68: a reader in mode=ro leaves an empty -wal and a -shm behind. */
START_TEST(ro_reader_leaves_wal0)
{
        const char *path = place("a.db");
        db_make(path, "wal", 10);
        sqlite3 *db;
        ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
        db_int(db, "select count(*) from t");
        sqlite3_close(db);
        ck_assert_int_eq(size_of(with(path, "-wal")), 0);
        ck_assert_str_eq(predict(path), "nothing to recover");
}
END_TEST

START_TEST(looking_changes_no_file_and_makes_none)
{
        const char *path = place("a.db");
        db_make(path, "wal", 50);
        inspect(path);
        ck_assert_int_eq(size_of(with(path, "-wal")), -1);
        ck_assert_int_eq(size_of(with(path, "-shm")), -1);
}
END_TEST

START_TEST(a_symbolic_link_leads_to_the_companions_of_its_target)
{
        const char *path = place("a.db"), *link = place("link.db");
        db_make(path, "wal", 50);
        db_killed_after(path, "insert into t values(1001, 'x')");
        ck_assert_int_eq(symlink(path, link), 0);
        ck_assert_uint_eq(inspect(link).wal_commits, 1);
}
END_TEST

START_TEST(a_companion_that_is_a_link_is_not_followed)
{
        const char *path = place("a.db"), *secret = place("secret");
        db_make(path, "delete", 5);
        spill(secret, "secret", 6);
        ck_assert_int_eq(symlink(secret, with(path, "-wal")), 0);
        ck_assert_int_eq(inspect_database(&engine_sqlite, path, &(struct vigil_observed){0}), -ELOOP);
}
END_TEST

START_TEST(what_is_no_database_is_told_apart)
{
        struct vigil_observed o;
        const char *dir = place("dir"), *fifo = place("fifo"), *empty = place("empty"), *text = place("text");
        ck_assert_int_eq(mkdir(dir, 0700), 0);
        ck_assert_int_eq(mkfifo(fifo, 0600), 0);
        spill(empty, "", 0);
        spill(text, "hello", 5);
        ck_assert_int_eq(inspect_database(&engine_sqlite, dir, &o), -EISDIR);
        ck_assert_int_eq(o.error, -EISDIR);
        ck_assert_int_eq(inspect_database(&engine_sqlite, fifo, &o), -EINVAL);
        ck_assert_int_eq(inspect_database(&engine_sqlite, "/nowhere/at/all", &o), -ENOENT);
        ck_assert_int_eq(inspect_database(&engine_sqlite, "/", &o), -EISDIR);
        ck_assert_uint_eq(inspect(empty).flags, VIGIL_OBS_MAIN | VIGIL_OBS_EMPTY);
        ck_assert_uint_eq(inspect(text).flags, VIGIL_OBS_MAIN);
        ck_assert_uint_eq(inspect(place("missing.db")).flags, 0);
}
END_TEST

START_TEST(an_encrypted_file_is_pages_without_a_header)
{
        const char *path = place("a.db");
        char *noise = malloc(8192);
        memset(noise, 0x5a, 8192);
        spill(path, noise, 8192);
        ck_assert_uint_eq(inspect(path).flags, VIGIL_OBS_MAIN | VIGIL_OBS_ENCRYPTED);
        free(noise);
}
END_TEST

START_TEST(a_lying_page_size_is_not_believed)
{
        const char *path = place("a.db");
        db_make(path, "delete", 10);
        size_t n;
        uint8_t *data = slurp(path, &n);
        data[16] = 0x13;
        spill(path, data, n);
        struct vigil_observed o = inspect(path);
        ck_assert(o.flags & VIGIL_OBS_SQLITE);
        ck_assert_uint_eq(o.page_size, 0);
        free(data);
}
END_TEST

/* The last record names the super-journal: number of the lock page, name, length, sum, magic. */
static void append_super(const char *path, const char *super)
{
        static const uint8_t magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
        size_t n, len = strlen(super);
        uint8_t *data = slurp(with(path, "-journal"), &n);
        data = realloc(data, n + 4 + len + 16);
        uint8_t *p = data + n + 4;
        uint32_t sum = 0;
        memset(data + n, 0, 4 + len + 16);
        memcpy(p, super, len);
        for (size_t i = 0; i < len; i++)
                sum += (uint8_t)super[i];
        p[len + 3] = (uint8_t)len;
        p[len + 6] = (uint8_t)(sum >> 8);
        p[len + 7] = (uint8_t)sum;
        memcpy(p + len + 8, magic, sizeof(magic));
        spill(with(path, "-journal"), data, n + 4 + len + 16);
        free(data);
}

START_TEST(a_hot_journal_is_stale_when_its_super_journal_is_gone)
{
        const char *path = place("a.db"), *super = place("a.db-mj00000001");
        db_make(path, "delete", 200);
        db_killed_after(path, "begin; update t set v = randomblob(500);");
        append_super(path, super);
        spill(super, "x", 1);
        ck_assert_uint_eq(inspect(path).flags & (VIGIL_OBS_JOURNAL_HOT | VIGIL_OBS_JOURNAL_STALE),
                          VIGIL_OBS_JOURNAL_HOT);
        unlink(super);
        ck_assert_uint_eq(inspect(path).flags & (VIGIL_OBS_JOURNAL_HOT | VIGIL_OBS_JOURNAL_STALE),
                          VIGIL_OBS_JOURNAL_STALE);
        ck_assert_ptr_nonnull(strstr(predict(path), "deletes the journal unread"));
        /* SQLite sees it the same way: what was written stays. */
        const char *written = hash_of(path);
        db_ask(path, "select count(*) from sqlite_schema");
        ck_assert_int_eq(size_of(with(path, "-journal")), -1);
        ck_assert_str_eq(hash_of(path), written);
}
END_TEST

START_TEST(a_journal_beside_an_empty_main_file_is_not_hot)
{
        const char *path = place("a.db");
        db_make(path, "delete", 200);
        db_killed_after(path, "begin; update t set v = randomblob(500);");
        ck_assert_uint_ne(inspect(path).flags & VIGIL_OBS_JOURNAL_HOT, 0);
        ck_assert_int_eq(truncate(path, 0), 0);
        ck_assert_uint_eq(inspect(path).flags & (VIGIL_OBS_JOURNAL | VIGIL_OBS_JOURNAL_HOT), VIGIL_OBS_JOURNAL);
        ck_assert_ptr_nonnull(strstr(predict(path), "deletes the journal unread"));
        /* SQLite sees it the same way. */
        db_ask(path, "select count(*) from sqlite_schema");
        ck_assert_int_eq(size_of(with(path, "-journal")), -1);
        ck_assert_int_eq(size_of(path), 0);
}
END_TEST

START_TEST(commits_behind_a_broken_frame_are_told_as_lost_and_are)
{
        const char *path = place("a.db");
        db_make(path, "wal", 10);
        db_killed_after(path, "insert into t values(1001, 'x'); insert into t values(1002, 'y')");
        struct vigil_observed o = inspect(path);
        ck_assert_uint_eq(o.flags & VIGIL_OBS_WAL_UNREADABLE, 0);
        ck_assert_uint_eq(predict_unreadable(&o), 0);
        db_break_frame(path, o.shm_max_frame);
        o = inspect(path);
        ck_assert_uint_eq(predict_unreadable(&o), o.shm_max_frame - o.wal_frames);
        ck_assert_uint_gt(predict_unreadable(&o), 0);
        ck_assert_ptr_nonnull(strstr(predict(path), "next open recovers 1 committed transaction from the WAL; "
                                                    "commits are lost: 1 committed WAL frame cannot be read"));
        ck_assert_ptr_null(strstr(predict(path), "no committed transaction is lost"));
        /* SQLite sees it the same way. */
        ck_assert_int_eq(db_ask(path, "select count(*) from t where id > 1000"), 1);
}
END_TEST

/* What was seen of the writing says whether the commit had ended. */
START_TEST(without_a_shm_a_commit_behind_a_broken_frame_is_not_known_to_be_lost)
{
        const char *path = place("a.db");
        db_make(path, "wal", 10);
        db_killed_after(path, "insert into t values(1001, 'x'); insert into t values(1002, 'y')");
        uint32_t all = inspect(path).shm_max_frame;
        db_break_frame(path, all - 1);
        ck_assert_uint_ne(inspect(path).flags & VIGIL_OBS_WAL_UNREADABLE, 0);
        ck_assert_int_eq(unlink(with(path, "-shm")), 0);
        struct vigil_observed o = inspect(path);
        ck_assert_uint_eq(o.flags & (VIGIL_OBS_WAL_UNREADABLE | VIGIL_OBS_WAL_BEHIND), VIGIL_OBS_WAL_BEHIND);
        ck_assert_uint_eq(o.shm_max_frame, all);
}
END_TEST

SUITE("inspect", without_a_shm_a_commit_behind_a_broken_frame_is_not_known_to_be_lost,
      a_journal_beside_an_empty_main_file_is_not_hot, commits_behind_a_broken_frame_are_told_as_lost_and_are,
      a_hot_journal_is_stale_when_its_super_journal_is_gone, an_idle_database_is_a_main_file_and_nothing_else,
      a_killed_wal_writer_leaves_commits_and_frames, a_killed_rollback_writer_leaves_a_hot_journal,
      ro_reader_leaves_wal0, looking_changes_no_file_and_makes_none,
      a_symbolic_link_leads_to_the_companions_of_its_target, a_companion_that_is_a_link_is_not_followed,
      what_is_no_database_is_told_apart, an_encrypted_file_is_pages_without_a_header,
      a_lying_page_size_is_not_believed)
