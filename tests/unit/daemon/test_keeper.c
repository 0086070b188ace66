/* test_keeper.c - rows wait for a store that cannot be written; what was promised is not lost. */
#include "daemon/keeper.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/keeper_private.h"
#include "keeper_fixture.h"
#include "suite.h"

START_TEST(an_intent_is_told_of_only_when_it_is_safe)
{
        struct seen seen;
        struct keeper *k = begin(&seen);
        sqlite3 *other = lock();
        json_t *ticket = keeper_intent(k, "backup", "app", NULL, "unclean-death", 1, on_stored, &seen);

        turn(k);
        ck_assert_uint_eq(seen.stored, 0);
        ck_assert_uint_gt(keeper_waiting(k), 0);
        sqlite3_close(other);
        ck_assert(keeper_flush(k, 20000));
        ck_assert_uint_eq(seen.stored, 1);
        ck_assert_uint_eq(keeper_waiting(k), 0);
        keeper_outcome(k, ticket, "done", 2, NULL);
        turn(k);
        ck_assert_int_eq(count("select count(*) from actions where outcome='done'"), 1);
        json_decref(ticket);
        end(k);
}
END_TEST

START_TEST(who_no_longer_waits_is_not_called)
{
        struct seen seen;
        struct keeper *k = begin(&seen);
        json_t *ticket = keeper_intent(k, "check", "app", NULL, "schedule", 1, on_stored, &seen);

        keeper_forget(k, ticket);
        turn(k);
        ck_assert_uint_eq(seen.stored, 0);
        ck_assert_int_eq(count("select count(*) from actions"), 1);
        json_decref(ticket);
        end(k);
}
END_TEST

/* The incident, its finding: whichever row the transaction would have ended with. */
START_TEST(what_belongs_together_is_stored_in_one_transaction)
{
        struct seen seen;
        struct keeper *k = begin(&seen);
        char id[24];

        for (int i = 0; i < ROWS_AT_ONCE - 1; i++)
                keeper_metric(k, "error", i, 1, NULL);
        for (int i = 0; i < 3; i++) {
                snprintf(id, sizeof(id), "f-%016d", i);
                keeper_finding(k, id, "app", "i-1", "unclean-death", "P1", i, NULL);
                if (i < 2)
                        keeper_together(k);
        }
        turn(k);
        ck_assert_int_eq(count("select count(*) from metrics"), ROWS_AT_ONCE - 1);
        ck_assert_int_eq(count("select count(*) from findings"), 0);
        ck_assert(keeper_flush(k, 20000));
        ck_assert_int_eq(count("select count(*) from findings"), 3);
        end(k);
}
END_TEST

START_TEST(without_room_what_can_be_spared_goes_and_findings_stay)
{
        struct seen seen;
        struct keeper *k = begin(&seen);
        sqlite3 *other = lock();
        char text[8192];

        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = 0;
        for (int i = 0; i < 2000; i++) {
                char id[24];
                snprintf(id, sizeof(id), "f-%016d", i);
                keeper_event(k, "test", NULL, i, json_pack("{s:s}", "detail", text));
                if (i % 10 == 0)
                        keeper_finding(k, id, "app", "i-0000000000000001", "unclean-death", "P1", i, NULL);
        }
        ck_assert_uint_le(keeper_waiting(k), KEEPER_BYTES);
        ck_assert_uint_gt(keeper_given_up(k), 0);
        sqlite3_close(other);
        ck_assert(keeper_flush(k, 20000));
        ck_assert_int_eq(count("select count(*) from findings"), 200);
        ck_assert_int_eq(count("select count(*) from events") + (int)keeper_given_up(k), 2000);
        ck_assert_uint_gt(seen.events, 0);
        end(k);
}
END_TEST

static char long_text[8192];

/* Who waited for his intent has something to store at once. */
static void on_stored_add(void *userdata)
{
        keeper_check(*(struct keeper **)userdata, "app", NULL, "schedule", 1,
                     json_pack("{s:s}", "errors", long_text));
}

/* The queue is full, and of what is stored some could be spared: what follows it must not be taken for stored. */
START_TEST(room_is_not_made_among_what_is_just_stored)
{
        struct seen seen;
        struct keeper *k = begin(&seen);
        int findings = 0;

        memset(long_text, 'x', sizeof(long_text) - 1);
        json_t *ticket = keeper_intent(k, "check", "app", NULL, "schedule", 1, on_stored_add, &k);
        keeper_event(k, "test", NULL, 1, json_pack("{s:s}", "detail", long_text));
        for (; keeper_waiting(k) + 4096 < KEEPER_BYTES; findings++) {
                char id[24];
                snprintf(id, sizeof(id), "f-%016d", findings);
                keeper_finding(k, id, "app", "i-0000000000000001", "unclean-death", "P1", findings,
                               json_pack("{s:s}", "detail", long_text + sizeof(long_text) - 2048));
        }
        ck_assert(keeper_flush(k, 20000));
        ck_assert_int_eq(count("select count(*) from findings"), findings);
        ck_assert_int_eq(count("select count(*) from events"), 1);
        ck_assert_int_eq(count("select count(*) from checks"), 1);
        json_decref(ticket);
        end(k);
}
END_TEST

START_TEST(a_store_that_is_deleted_is_begun_anew)
{
        struct seen seen;
        struct keeper *k = begin(&seen);

        keeper_look(k);
        ck_assert_uint_eq(seen.renewed, 0);
        ck_assert_int_eq(unlink(db), 0);
        keeper_look(k);
        turn(k);
        ck_assert_uint_eq(seen.renewed, 1);
        ck_assert_int_eq(count("select count(*) from runs"), 1);
        keeper_event(k, "test", NULL, 1, NULL);
        turn(k);
        ck_assert_int_eq(count("select count(*) from events"), 1);
        end(k);
}
END_TEST

static bool has_store_open(pid_t pid)
{
        char path[64], to[128];
        bool has = false;

        snprintf(path, sizeof(path), "/proc/%d/fd", pid);
        DIR *fds = opendir(path);
        for (struct dirent *e; fds && !has && (e = readdir(fds));) {
                ssize_t n = readlinkat(dirfd(fds), e->d_name, to, sizeof(to) - 1);
                has = n > 0 && (size_t)n == strlen(db) && memcmp(to, db, (size_t)n) == 0;
        }
        if (fds)
                closedir(fds);
        return has;
}

/* The journal of the new file, by its name, is that of the old one, which nobody is writing. */
START_TEST(while_a_new_file_is_written_a_question_to_the_old_one_is_not_refused)
{
        const struct store_query all_of_them = {0};
        struct seen seen;
        struct keeper *k = begin(&seen);
        json_t *document = NULL;
        sqlite3 *other;

        ck_assert_int_eq(unlink(db), 0);
        ck_assert_int_eq(sqlite3_open(db, &other), SQLITE_OK);
        ck_assert_int_eq(
                sqlite3_exec(
                        other,
                        "pragma journal_mode=persist; create table t(b); insert into t values(zeroblob(100000));"
                        "pragma cache_size=2; begin immediate; update t set b=zeroblob(500000)",
                        NULL, NULL, NULL),
                SQLITE_OK);
        int r = store_incidents(keeper_store(k), &all_of_them, &document);
        ck_assert_int_lt(r, 0);
        ck_assert(keeper_will_answer(r));
        sqlite3_close(other);
        unlink(db);
        keeper_look(k);
        turn(k);
        ck_assert_int_eq(store_incidents(keeper_store(k), &all_of_them, &document), 0);
        json_decref(document);
        end(k);
}
END_TEST

/* It waits for a lock, gets it, and commits into a file that has no name any more. */
START_TEST(what_was_written_while_it_was_deleted_is_not_lost)
{
        struct seen seen;
        struct keeper *k = begin(&seen);
        sqlite3 *other = lock();

        json_decref(keeper_intent(k, "check", "app", NULL, "schedule", 1, on_stored, &seen));
        keeper_turn(k);
        for (int i = 0; i < 2000 && !has_store_open(only_child()); i++)
                usleep(1000);
        ck_assert_int_eq(unlink(db), 0);
        sqlite3_close(other);
        ck_assert(scribe_wait(scribe, SCRIBE_STORE, 20000));
        ck_assert(keeper_flush(k, 20000));
        ck_assert_uint_eq(seen.stored, 1);
        ck_assert_uint_eq(seen.renewed, 1);
        ck_assert_int_eq(count("select count(*) from actions"), 1);
        ck_assert_int_eq(count("select count(*) from runs"), 1);
        end(k);
}
END_TEST

/* In the new store its number may be that of another one. */
START_TEST(what_a_question_meets_in_a_store_that_was_replaced_is_no_error_of_the_disk)
{
        struct seen seen;
        struct keeper *k = begin(&seen);
        char other[64], sql[96];

        ck_assert_ptr_nonnull(keeper_store(k));
        ck_assert_int_eq(keeper_read_error(k, -EIO), -EIO);
        snprintf(other, sizeof(other), "%s/other", dir);
        snprintf(sql, sizeof(sql), "vacuum into '%s'", other);
        shell(sql);
        ck_assert_int_eq(rename(other, db), 0);
        ck_assert_int_eq(keeper_read_error(k, -EBUSY), -EBUSY);
        ck_assert_int_eq(keeper_read_error(k, -ENOENT), -ENOENT);
        ck_assert_int_eq(keeper_read_error(k, -EIO), -ENODEV);
        /* What stands there now is opened at once. */
        ck_assert_ptr_nonnull(keeper_store(k));
        ck_assert_int_eq(keeper_read_error(k, -EIO), -EIO);
        end(k);
}
END_TEST

START_TEST(an_outcome_is_that_of_its_intent_also_when_the_store_is_another)
{
        struct seen seen;
        struct keeper *k = begin(&seen);
        json_t *before = keeper_intent(k, "backup", "app", NULL, "unclean-death", 1, on_stored, &seen);

        turn(k);
        ck_assert_int_eq(unlink(db), 0);
        keeper_look(k);
        json_t *after = keeper_intent(k, "check", "app", NULL, "schedule", 2, on_stored, &seen);
        turn(k);
        ck_assert_uint_eq(seen.stored, 2);
        keeper_outcome(k, before, "failed", 3, NULL);
        turn(k);
        ck_assert_int_eq(count("select count(*) from actions where kind='check' and outcome is null"), 1);
        ck_assert_int_eq(count("select count(*) from actions where kind='backup' and outcome='failed'"), 1);
        keeper_outcome(k, after, "done", 4, NULL);
        turn(k);
        ck_assert_int_eq(count("select count(*) from actions where kind='check' and outcome='done'"), 1);
        ck_assert_int_eq(count("select count(*) from actions"), 2);
        json_decref(before);
        json_decref(after);
        end(k);
}
END_TEST

START_TEST(a_store_that_is_made_newer_meanwhile_is_left_alone_and_that_is_told_once)
{
        struct seen seen;
        struct keeper *k = begin(&seen);
        sqlite3 *other;
        char back[48];

        snprintf(back, sizeof(back), "pragma user_version=%d", STORE_VERSION);
        ck_assert_int_eq(sqlite3_open(db, &other), SQLITE_OK);
        ck_assert_int_eq(sqlite3_exec(other, "pragma user_version=99", NULL, NULL, NULL), SQLITE_OK);
        keeper_event(k, "test", NULL, 1, NULL);
        turn(k);
        ck_assert_ptr_nonnull(strstr(seen.trouble, "a newer Vigil has made vigil.db"));
        ck_assert_int_eq(count("select count(*) from events"), 0);
        ck_assert_int_eq(sqlite3_exec(other, back, NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(other);
        ck_assert(keeper_flush(k, 20000));
        ck_assert_int_eq(count("select count(*) from events"), 1);
        ck_assert_str_eq(seen.trouble, "");
        end(k);
}
END_TEST

/* The answer of a child that writes the first rows, as one that died before it gave it. */
static json_t *write_batch_to(uint64_t ino, struct row *first, const struct keeper_run *run, bool again)
{
        struct batch b = {.dir = dir,
                          .first = first,
                          .n = 2,
                          .run = *run,
                          .token = 77,
                          .held = 2,
                          .again = again,
                          .ino = ino};
        char text[1024] = "";
        int ends[2];

        ck_assert_int_eq(pipe(ends), 0);
        ck_assert_int_eq(batch_work(ends[1], &b), 0);
        close(ends[1]);
        ck_assert_int_gt(read(ends[0], text, sizeof(text) - 1), 0);
        close(ends[0]);
        json_t *answer = json_loads(text, 0, NULL);
        ck_assert_int_eq(json_integer_value(json_object_get(answer, "error")), 0);
        ck_assert_int_eq(json_integer_value(json_object_get(answer, "n")), 2);
        return answer;
}

static json_t *write_batch(struct row *first, const struct keeper_run *run, bool again)
{
        return write_batch_to(batch_ino(dir), first, run, again);
}

START_TEST(what_a_child_had_committed_before_it_died_is_not_written_twice)
{
        struct seen seen;
        struct keeper *k = begin(&seen);
        const struct keeper_run run = {.id = keeper_run_id(k), .boot_id = "b", .pid = 1, .version = "test"};
        struct row event = {.kind = ROW_EVENT}, intent = {.kind = ROW_INTENT, .next = &event};

        intent.o = json_pack("{s:s, s:s, s:n, s:s, s:i}", "kind", "backup", "database", "app", "incident", "reason",
                             "test", "at", 5);
        event.o = json_pack("{s:s, s:n, s:i, s:{}}", "type", "test", "database", "at", 6, "doc");
        json_t *first = write_batch(&intent, &run, false);
        json_t *second = write_batch(&intent, &run, true);
        ck_assert_int_eq(count("select count(*) from events"), 1);
        ck_assert_int_eq(count("select count(*) from actions"), 1);
        json_decref(first);
        json_decref(second);
        json_decref(intent.o);
        json_decref(event.o);
        end(k);
}
END_TEST

/* The end sets last_seen, too, which tells whether it was stored. */
START_TEST(nor_is_the_end_of_the_run)
{
        struct seen seen;
        struct keeper *k = begin(&seen);
        const struct keeper_run run = {.id = keeper_run_id(k), .boot_id = "b", .pid = 1, .version = "test"};
        struct row over = {.kind = ROW_RUN_END}, event = {.kind = ROW_EVENT, .next = &over};

        event.o = json_pack("{s:s, s:n, s:i, s:{}}", "type", "test", "database", "at", 6, "doc");
        over.o = json_pack("{s:I, s:i}", "id", (json_int_t)run.id, "at", 7);
        json_decref(write_batch(&event, &run, false));
        json_decref(write_batch(&event, &run, true));
        ck_assert_int_eq(count("select count(*) from events"), 1);
        ck_assert_int_eq(count("select count(*) from runs where ended_ns=7"), 1);
        json_decref(event.o);
        json_decref(over.o);
        end(k);
}
END_TEST

/* The child begins a new file, commits and dies: the next one finds its rows, and its run. */
START_TEST(nor_what_is_in_a_file_that_it_had_begun)
{
        struct seen seen;
        struct keeper *k = begin(&seen);
        const struct keeper_run run = {.id = keeper_run_id(k) + 7, .boot_id = "b", .pid = 1, .version = "test"};
        struct row two = {.kind = ROW_EVENT}, one = {.kind = ROW_EVENT, .next = &two};
        uint64_t ino = batch_ino(dir);

        one.o = json_pack("{s:s, s:n, s:i, s:{}}", "type", "test", "database", "at", 6, "doc");
        two.o = json_deep_copy(one.o);
        ck_assert_int_eq(unlink(db), 0);
        json_t *first = write_batch_to(ino, &one, &run, false), *second = write_batch_to(ino, &one, &run, true);
        ck_assert(json_is_true(json_object_get(second, "renewed")));
        ck_assert(json_equal(json_object_get(first, "run"), json_object_get(second, "run")));
        ck_assert_int_eq(count("select count(*) from events"), 2);
        ck_assert_int_eq(count("select count(*) from runs"), 1);
        json_decref(first);
        json_decref(second);
        json_decref(one.o);
        json_decref(two.o);
        end(k);
}
END_TEST

static const struct keeper_retention all = {.age_ms = 1000, .incident_ms = 1000, .bytes = 1 << 30};

/* It commits and is killed; the next one cannot open the store, and so does not learn of it. */
START_TEST(nor_if_the_next_one_cannot_look)
{
        struct seen seen;
        struct keeper *k = begin(&seen);
        char away[64];

        /* What retention takes out does not end to go, in one operation that nothing breaks off: a child stays in it, with its
         * rows committed. */
        shell("create trigger hold after delete on events begin update events set type ="
              " instr(hex(zeroblob(2000000)), hex(zeroblob(1000000)) || '1'); end;"
              "insert into events(type, at_ns, doc) values('old', 1, '{}'), ('old', 2, '{}');");
        keeper_event(k, "new", NULL, (int64_t)clock_boottime_ns() + clock_realtime_offset_ns(), NULL);
        keeper_tend(k, &all);
        keeper_turn(k);
        for (int i = 0; i < 2000 && count("select count(*) from events where type='new'") == 0; i++)
                usleep(10000);
        ck_assert_int_eq(kill(only_child(), SIGKILL), 0);
        ck_assert(scribe_wait(scribe, SCRIBE_STORE, 20000));
        ck_assert_uint_gt(keeper_waiting(k), 0);
        snprintf(away, sizeof(away), "%s/away", dir);
        ck_assert_int_eq(rename(db, away), 0);
        ck_assert_int_eq(mkdir(db, 0700), 0);
        while (keeper_turn(k) > 0) /* until it may be tried again */
                usleep(10000);
        ck_assert(scribe_wait(scribe, SCRIBE_STORE, 20000));
        ck_assert_str_ne(seen.trouble, "");
        ck_assert_int_eq(rmdir(db), 0);
        ck_assert_int_eq(rename(away, db), 0);
        ck_assert(keeper_flush(k, 20000));
        ck_assert_int_eq(count("select count(*) from events where type='new'"), 1);
        ck_assert_uint_eq(seen.events, 1);
        end(k);
}
END_TEST

START_TEST(what_a_child_had_not_committed_is_written_by_the_next)
{
        struct seen seen;
        struct keeper *k = begin(&seen);
        const struct keeper_run run = {.id = keeper_run_id(k), .boot_id = "b", .pid = 1, .version = "test"};
        struct row two = {.kind = ROW_EVENT}, one = {.kind = ROW_EVENT, .next = &two};

        one.o = json_pack("{s:s, s:n, s:i, s:{}}", "type", "test", "database", "at", 6, "doc");
        two.o = json_deep_copy(one.o);
        json_decref(write_batch(&one, &run, true));
        ck_assert_int_eq(count("select count(*) from events"), 2);
        json_decref(one.o);
        json_decref(two.o);
        end(k);
}
END_TEST

/* The store is another one by the time that the row is written. */
START_TEST(the_end_of_the_run_is_that_of_the_store_it_is_written_to)
{
        struct seen seen;
        struct keeper *k = begin(&seen);
        char other[64], sql[96];

        snprintf(other, sizeof(other), "%s/other", dir);
        snprintf(sql, sizeof(sql), "vacuum into '%s'", other);
        shell("insert into runs(id, boot_id, pid, vigil, started_ns, last_seen_ns) values(7, 'a', 1, 'test', 1, "
              "1)");
        shell(sql);
        ck_assert_int_eq(rename(other, db), 0);
        keeper_end_run(k, 9);
        turn(k);
        ck_assert_int_eq(count("select id from runs where ended_ns=9"), 8);
        end(k);
}
END_TEST

SUITE("keeper", an_intent_is_told_of_only_when_it_is_safe, who_no_longer_waits_is_not_called,
      what_belongs_together_is_stored_in_one_transaction, without_room_what_can_be_spared_goes_and_findings_stay,
      room_is_not_made_among_what_is_just_stored, a_store_that_is_deleted_is_begun_anew,
      what_was_written_while_it_was_deleted_is_not_lost,
      while_a_new_file_is_written_a_question_to_the_old_one_is_not_refused,
      what_a_question_meets_in_a_store_that_was_replaced_is_no_error_of_the_disk,
      an_outcome_is_that_of_its_intent_also_when_the_store_is_another,
      a_store_that_is_made_newer_meanwhile_is_left_alone_and_that_is_told_once,
      what_a_child_had_committed_before_it_died_is_not_written_twice, nor_is_the_end_of_the_run,
      nor_what_is_in_a_file_that_it_had_begun, nor_if_the_next_one_cannot_look,
      what_a_child_had_not_committed_is_written_by_the_next,

      the_end_of_the_run_is_that_of_the_store_it_is_written_to)
