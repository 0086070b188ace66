/* test_set_aside.c - a row that kills each child that writes it is found, set aside and told of; the others are stored.
 *
 * It kills for certain: no file may become so large as the store would with it, and SIGXFSZ ends who tries (setrlimit(2)). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/keeper_private.h"
#include "daemon/poison.h"
#include "keeper_fixture.h"
#include "suite.h"

/* Children inherit it; the monitor writes no file. */
static void limit_files(size_t bytes)
{
        struct rlimit l;

        ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &l), 0);
        l.rlim_cur = bytes ? bytes : l.rlim_max;
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &l), 0);
}

/* So large that it is too much for the store, and that some of them have room in a file of their own. @return bytes of a row */
static size_t limit_store(void)
{
        struct stat st;

        ck_assert_int_eq(stat(db, &st), 0);
        size_t size = (size_t)st.st_size;
        limit_files(size + size / 4);
        return size / 2;
}

static void add_finding(struct keeper *k, int n, size_t bytes)
{
        char id[24], *text = malloc(bytes + 1);

        memset(text, 'x', bytes);
        text[bytes] = 0;
        snprintf(id, sizeof(id), "f-%016d", n);
        keeper_finding(k, id, "app", "i-0000000000000001", "unclean-death", "P1", n,
                       json_pack("{s:s}", "detail", text));
        free(text);
}

static const char *in_dir(const char *name)
{
        static char path[96];

        snprintf(path, sizeof(path), "%s/%s", dir, name);
        return path;
}

/* The last line of the file for people. */
static json_t *last_set_aside(void)
{
        char *line = NULL;
        size_t size = 0;
        json_t *o = NULL;
        FILE *f = fopen(in_dir(SET_ASIDE_FILE), "r");

        ck_assert_ptr_nonnull(f);
        while (getline(&line, &size, f) > 0) {
                json_decref(o);
                o = json_loads(line, 0, NULL);
                ck_assert_ptr_nonnull(o);
        }
        fclose(f);
        free(line);
        return o;
}

START_TEST(rows_that_kill_are_set_aside_and_all_others_are_stored)
{
        struct seen seen;
        struct keeper *k = begin(&seen);
        size_t much = limit_store();

        for (int i = 0; i < 40; i++)
                add_finding(k, i, i == 3 || i == 30 ? much : 8);
        json_t *ticket = keeper_intent(k, "check", "app", NULL, "schedule", 1, on_stored, &seen);
        ck_assert(keeper_flush(k, 60000));
        limit_files(0);
        ck_assert_int_eq(count("select count(*) from findings"), 38);
        ck_assert_int_eq(count("select count(*) from findings where length(doc) > 100"), 0);
        ck_assert_uint_eq(seen.stored, 1);
        ck_assert_str_eq(seen.trouble, "");
        ck_assert_uint_eq(keeper_set_aside(k), 2);
        ck_assert_uint_eq(keeper_given_up(k), 0);
        json_t *last = last_set_aside();
        ck_assert_str_eq(json_string_value(json_object_get(last, "kind")), "finding");
        ck_assert_str_eq(json_string_value(json_object_get(last, "died_of")), "SIGXFSZ");
        ck_assert_str_eq(json_string_value(json_object_get(json_object_get(last, "row"), "id")),
                         "f-0000000000000030");
        json_decref(last);
        json_decref(ticket);
        end(k);
}
END_TEST

/* Its intent is safe, as safe as can be. */
START_TEST(who_waits_for_one_that_is_set_aside_goes_on)
{
        struct seen seen;
        struct keeper *k = begin(&seen);
        size_t much = limit_store();
        char *reason = calloc(1, much + 1);

        memset(reason, 'x', much);
        json_t *ticket = keeper_intent(k, "check", "app", NULL, reason, 1, on_stored, &seen);
        ck_assert(keeper_flush(k, 60000));
        ck_assert_uint_eq(seen.stored, 1);
        ck_assert_uint_eq(keeper_set_aside(k), 1);
        free(reason);
        json_decref(ticket);
        limit_files(0);
        end(k);
}
END_TEST

START_TEST(the_next_run_knows_of_them_until_somebody_has_removed_the_file)
{
        const struct keeper_hooks none = {0};
        struct seen seen;
        struct keeper *k = begin(&seen), *next = NULL;
        FILE *f = fopen(in_dir(SET_ASIDE_FILE), "w");

        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs("{}\n{}\n{}\n", f), 0);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert(keeper_close(k));
        ck_assert_int_eq(keeper_open(dir, &none, scribe, &next), 0);
        ck_assert_uint_eq(keeper_set_aside(next), 3);
        ck_assert_int_eq(unlink(in_dir(SET_ASIDE_FILE)), 0);
        ck_assert_uint_eq(keeper_set_aside(next), 0);
        end(next);
}
END_TEST

/* It is the file, or the machine: no row is to blame, and none may be lost. */
START_TEST(where_every_child_dies_every_row_waits)
{
        struct seen seen;
        struct keeper *k = begin(&seen);

        limit_files(4096);
        for (int i = 0; i < 20; i++)
                add_finding(k, i, 8);
        ck_assert(!keeper_flush(k, 3000));
        ck_assert_str_eq(seen.trouble, "the process that writes it dies");
        ck_assert_uint_eq(keeper_set_aside(k), 0);
        limit_files(0);
        ck_assert(keeper_flush(k, 20000));
        ck_assert_str_eq(seen.trouble, "");
        ck_assert_int_eq(count("select count(*) from findings"), 20);
        end(k);
}
END_TEST

START_TEST(one_that_kills_also_who_sets_it_aside_is_told_to_be_lost)
{
        struct seen seen;
        struct keeper *k = begin(&seen);
        size_t much = limit_store();

        add_finding(k, 1, 4 * much);
        add_finding(k, 2, 8);
        add_finding(k, 3, much);
        ck_assert(keeper_flush(k, 60000));
        limit_files(0);
        ck_assert_int_eq(count("select count(*) from findings"), 1);
        ck_assert_uint_eq(keeper_given_up(k), 1);
        ck_assert_uint_eq(keeper_set_aside(k), 1);
        /* What was begun of the first is gone. */
        json_t *last = last_set_aside();
        ck_assert_str_eq(json_string_value(json_object_get(json_object_get(last, "row"), "id")),
                         "f-0000000000000003");
        ck_assert_uint_eq(set_aside_count(dir), 1);
        json_decref(last);
        end(k);
}
END_TEST

/* @return its error */
static int set_one_aside(const struct row *r)
{
        struct set_aside a = {.dir = dir, .row = r, .died_of = "SIGSEGV", .at_ns = 1};
        char text[64] = "";
        int ends[2];

        ck_assert_int_eq(pipe(ends), 0);
        ck_assert_int_eq(set_aside_work(ends[1], &a), 0);
        close(ends[1]);
        ck_assert_int_gt(read(ends[0], text, sizeof(text) - 1), 0);
        close(ends[0]);
        json_t *answer = json_loads(text, 0, NULL);
        int error = (int)json_integer_value(json_object_get(answer, "error"));
        json_decref(answer);
        return error;
}

START_TEST(the_file_grows_no_larger_than_it_may)
{
        struct row r = {.kind = ROW_EVENT,
                        .o = json_pack("{s:s}", "type", "test"),
                        .blob = (char[]){1, -1},
                        .blob_size = 2};
        struct seen seen;
        struct keeper *k = begin(&seen);
        const char fill[] = "\n";

        ck_assert_int_eq(set_one_aside(&r), 0);
        json_t *last = last_set_aside();
        ck_assert_str_eq(json_string_value(json_object_get(last, "blob")), "01ff");
        json_decref(last);
        int fd = open(in_dir(SET_ASIDE_FILE), O_WRONLY | O_CLOEXEC);
        ck_assert_int_eq(pwrite(fd, fill, 1, SET_ASIDE_BYTES - 20), 1);
        close(fd);
        ck_assert_int_eq(set_one_aside(&r), -EFBIG);
        json_decref(r.o);
        end(k);
}
END_TEST

SUITE("set-aside", rows_that_kill_are_set_aside_and_all_others_are_stored,
      who_waits_for_one_that_is_set_aside_goes_on, the_next_run_knows_of_them_until_somebody_has_removed_the_file,
      where_every_child_dies_every_row_waits, one_that_kills_also_who_sets_it_aside_is_told_to_be_lost,
      the_file_grows_no_larger_than_it_may)
