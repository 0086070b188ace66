/* test_publish.c - names, and their appearance in a backup directory. */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "respond/publish.h"

#define NOON ((int64_t)1795226400 * 1000000000) /* 2026-11-21T02:00:00Z */

static int open_dir(const char *path)
{
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        return fd;
}

/* A backup directory with a workdir that holds a copy. */
static struct workdir with_copy(int *ret_dir)
{
        struct workdir w;
        ck_assert(mkdir(place("b"), 0700) == 0 || errno == EEXIST);
        *ret_dir = open_dir(place("b"));
        ck_assert_int_eq(workdir_new(*ret_dir, &w), 0);
        write_file(text("%s/%s/copy.db", place("b"), w.name), "copy", 4);
        return w;
}

static const struct {
        const char *path, *base;
} bases[] = {
        {"/srv/app.db", "app"}, {"/srv/app.sqlite", "app"},      {"/srv/app.sqlite3", "app"},
        {"app", "app"},         {"/srv/my app\n.db", "my_app_"}, {"/srv/\xff\xc3\xa9.db", "___"},
        {"/srv/.db", "_db"},    {"/srv/-rf.db", "_rf"},          {"/srv/a.db.db", "a.db"},
        {"/srv/", "_"},
};

START_TEST(a_name_of_any_bytes_becomes_an_id_that_needs_no_quoting)
{
        char base[PUBLISH_BASE_LEN];
        for (size_t i = 0; i < sizeof(bases) / sizeof(*bases); i++) {
                publish_base(bases[i].path, base);
                ck_assert_str_eq(base, bases[i].base);
        }
}
END_TEST

START_TEST(a_name_of_255_bytes_is_cut_so_that_the_id_fits)
{
        char path[300], base[PUBLISH_BASE_LEN];
        memset(path, 'x', 255);
        path[255] = '\0';
        publish_base(path, base);
        ck_assert_uint_eq(strlen(base), 200);
}
END_TEST

START_TEST(only_the_form_of_an_id_is_taken_for_one)
{
        ck_assert(publish_is_id("app-20261121T031502Z"));
        ck_assert(publish_is_id("app-20261121T031502Z-7"));
        ck_assert(publish_is_id("a-b-20261121T031502Z"));
        ck_assert(!publish_is_id("app"));
        ck_assert(!publish_is_id("app-20261121"));
        ck_assert(!publish_is_id("app-20261121T031502Z-"));
        ck_assert(!publish_is_id("app-20261121T031502Zx"));
        ck_assert(!publish_is_id("../app-20261121T031502Z"));
        ck_assert(!publish_is_id(""));
}
END_TEST

START_TEST(a_taken_name_is_never_replaced)
{
        int dir;
        struct workdir w = with_copy(&dir);
        json_t *manifest = json_object();
        char first[PUBLISH_ID_LEN], second[PUBLISH_ID_LEN];
        write_file(place("b/app-20261121T020000Z.db"), "somebody's", 10);
        ck_assert_int_eq(publish_backup(&w, dir, "app", NOON, manifest, first), 0);
        ck_assert_str_eq(first, "app-20261121T020000Z-1");
        ck_assert_int_eq(size_of(place("b/app-20261121T020000Z.db")), 10);
        ck_assert_int_eq(size_of(place("b/app-20261121T020000Z-1.db")), 4);
        workdir_done(&w);
        close(dir);
        w = with_copy(&dir);
        ck_assert_int_eq(publish_backup(&w, dir, "app", NOON, manifest, second), 0);
        ck_assert_str_eq(second, "app-20261121T020000Z-2");
        workdir_done(&w);
        ck_assert_int_eq(temporaries_in(place("b")), 0);
        json_decref(manifest);
        close(dir);
}
END_TEST

START_TEST(a_manifest_without_its_copy_keeps_its_name_too)
{
        int dir;
        struct workdir w = with_copy(&dir);
        json_t *manifest = json_object();
        char id[PUBLISH_ID_LEN];
        write_file(place("b/app-20261121T020000Z.json"), "old", 3);
        ck_assert_int_eq(publish_backup(&w, dir, "app", NOON, manifest, id), 0);
        ck_assert_str_eq(id, "app-20261121T020000Z-1");
        ck_assert_int_eq(size_of(place("b/app-20261121T020000Z.json")), 3);
        workdir_done(&w);
        json_decref(manifest);
        close(dir);
}
END_TEST

START_TEST(who_died_between_copy_and_manifest_is_finished_by_the_next)
{
        int dir;
        struct workdir w = with_copy(&dir);
        const char *workdir = text("%s/%s", place("b"), w.name);
        write_file(text("%s/app-20261121T020000Z.json", workdir), "{}", 2);
        ck_assert_int_eq(rename(text("%s/copy.db", workdir), place("b/app-20261121T020000Z.db")), 0);
        publish_finish(dir, w.fd);
        ck_assert_str_eq(names_in(place("b")),
                         text("%s app-20261121T020000Z.db app-20261121T020000Z.json ", w.name));
        workdir_done(&w);
        close(dir);
}
END_TEST

START_TEST(who_died_before_the_copy_was_named_is_not_finished)
{
        int dir;
        struct workdir w = with_copy(&dir);
        /* The name is taken by somebody else's copy: the manifest of this one must not get beside it. */
        write_file(text("%s/%s/app-20261121T020000Z.json", place("b"), w.name), "{}", 2);
        write_file(place("b/app-20261121T020000Z.db"), "other", 5);
        publish_finish(dir, w.fd);
        ck_assert_int_eq(size_of(place("b/app-20261121T020000Z.json")), -1);
        workdir_done(&w);
        close(dir);
}
END_TEST

START_TEST(evidence_appears_whole_and_beside_what_is_there)
{
        int dir;
        struct workdir w = with_copy(&dir);
        json_t *manifest = json_object();
        char id[PUBLISH_ID_LEN];
        ck_assert_int_eq(mkdir(place("b/evidence"), 0700), 0);
        ck_assert_int_eq(mkdir(place("b/evidence/app-20261121T020000Z"), 0700), 0);
        write_file(place("b/evidence/app-20261121T020000Z/x"), "x", 1);
        ck_assert_int_eq(mkdirat(w.fd, PUBLISH_EVIDENCE, 0700), 0);
        ck_assert_int_eq(publish_evidence(&w, dir, "app", NOON, manifest, id), 0);
        ck_assert_str_eq(id, "evidence/app-20261121T020000Z-1");
        ck_assert_int_gt(size_of(place("b/evidence/app-20261121T020000Z-1/manifest.json")), 0);
        workdir_done(&w);
        json_decref(manifest);
        close(dir);
}
END_TEST

START_TEST(evidence_does_not_follow_a_planted_link)
{
        int dir;
        struct workdir w = with_copy(&dir);
        json_t *manifest = json_object();
        char id[PUBLISH_ID_LEN];
        ck_assert_int_eq(mkdir(place("elsewhere"), 0700), 0);
        ck_assert_int_eq(symlink("../elsewhere", place("b/evidence")), 0);
        ck_assert_int_eq(mkdirat(w.fd, PUBLISH_EVIDENCE, 0700), 0);
        int r = publish_evidence(&w, dir, "app", NOON, manifest, id);
        ck_assert(r == -ENOTDIR || r == -ELOOP);
        ck_assert_str_eq(names_in(place("elsewhere")), "");
        workdir_done(&w);
        json_decref(manifest);
        close(dir);
}
END_TEST

SUITE("publish", a_name_of_any_bytes_becomes_an_id_that_needs_no_quoting,
      a_name_of_255_bytes_is_cut_so_that_the_id_fits, only_the_form_of_an_id_is_taken_for_one,
      a_taken_name_is_never_replaced, a_manifest_without_its_copy_keeps_its_name_too,
      who_died_between_copy_and_manifest_is_finished_by_the_next,
      who_died_before_the_copy_was_named_is_not_finished, evidence_appears_whole_and_beside_what_is_there,
      evidence_does_not_follow_a_planted_link)
