/* test_evidence_removal.c - evidence that may go: in its order, no more than is needed, and nothing else. */
#include "suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/evidence.h"
#include "daemon/tree.h"

#define A "i-aaaaaaaaaaaaaaaa"
#define B "i-bbbbbbbbbbbbbbbb"
#define C "i-cccccccccccccccc"

static char root[64];

static void put(const char *id, size_t bytes)
{
        char path[200];

        snprintf(path, sizeof(path), "%s/%s", root, id);
        ck_assert_int_eq(mkdir(path, 0700), 0);
        snprintf(path, sizeof(path), "%s/%s/files", root, id);
        ck_assert_int_eq(mkdir(path, 0700), 0);
        snprintf(path, sizeof(path), "%s/%s/files/app.db", root, id);
        int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        ck_assert_int_eq(ftruncate(fd, (off_t)bytes), 0);
        close(fd);
}

static bool there(const char *id)
{
        char path[200];

        snprintf(path, sizeof(path), "%s/%s", root, id);
        return access(path, F_OK) == 0;
}

static void make(void)
{
        strcpy(root, "/tmp/vigil-evidence-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(root));
        put(A, 1000);
        put(B, 1000);
        put(C, 1000);
}

/* How many were removed; then what is left is measured. */
static size_t room(const char *ids, uint64_t goal, uint64_t left)
{
        json_t *o = evidence_room_json(root, ids, goal);

        ck_assert_int_eq(json_integer_value(json_object_get(o, "error")), 0);
        ck_assert_uint_eq((uint64_t)json_integer_value(json_object_get(o, "bytes")), left);
        size_t n = json_array_size(json_object_get(o, "removed"));
        json_decref(o);
        return n;
}

START_TEST(only_measured_when_nothing_may_go)
{
        make();
        ck_assert_uint_eq(room(NULL, 0, 3000), 0);
        ck_assert(there(A) && there(B) && there(C));
        ck_assert_int_eq(tree_remove(root), 0);
        ck_assert(!there(""));
}
END_TEST

START_TEST(in_the_order_given_and_no_more_than_is_needed)
{
        make();
        ck_assert_uint_eq(room(B " " A " " C " ", 3000, 3000), 0);
        ck_assert_uint_eq(room(B " " A " " C " ", 2500, 2000), 1);
        ck_assert(there(A) && !there(B) && there(C));
        ck_assert_uint_eq(room(B " " A " ", 0, 1000), 1);
        ck_assert(!there(A) && there(C));
        tree_remove(root);
}
END_TEST

START_TEST(what_is_no_id_is_no_path_either)
{
        make();
        ck_assert_uint_eq(room("../x . i-aaaaaaaaaaaaaaaa/files i-AAAAAAAAAAAAAAAA i- ", 0, 3000), 0);
        ck_assert(evidence_is_id(A));
        ck_assert(!evidence_is_id("i-aaaaaaaaaaaaaaaaa") && !evidence_is_id("i-aaaaaaaaaaaaaaa") &&
                  !evidence_is_id("mine"));
        tree_remove(root);
}
END_TEST

START_TEST(links_lead_nowhere)
{
        char path[200], outside[] = "/tmp/vigil-outside-XXXXXX", file[100];
        make();
        ck_assert_ptr_nonnull(mkdtemp(outside));
        snprintf(file, sizeof(file), "%s/file", outside);
        close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        snprintf(path, sizeof(path), "%s/" A "/files/link", root);
        ck_assert_int_eq(symlink(outside, path), 0);
        ck_assert_uint_eq(room(A " ", 0, 2000), 1);
        ck_assert_int_eq(access(file, F_OK), 0);
        tree_remove(outside);
        tree_remove(root);
}
END_TEST

/* A helper that was killed in the middle has left it under the other name. */
START_TEST(what_was_begun_is_ended_by_the_next)
{
        char from[200], to[200];
        make();
        snprintf(from, sizeof(from), "%s/" B, root);
        snprintf(to, sizeof(to), "%s/" B ".removed", root);
        ck_assert_int_eq(rename(from, to), 0);
        ck_assert_uint_eq(room(NULL, 0, 2000), 0);
        ck_assert(!there(B ".removed"));
        tree_remove(root);
}
END_TEST

SUITE("evidence_removal", only_measured_when_nothing_may_go, in_the_order_given_and_no_more_than_is_needed,
      what_is_no_id_is_no_path_either, links_lead_nowhere, what_was_begun_is_ended_by_the_next)
