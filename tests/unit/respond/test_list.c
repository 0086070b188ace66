/* test_list.c - a backup directory as it may be found. */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "respond/backup.h"
#include "respond/list.h"
#include "respond/verify.h"

static struct backup_result made(void)
{
        ck_assert(mkdir(place("scratch"), 0700) == 0 || errno == EEXIST);
        if (size_of(place("app.db")) < 0)
                make_database(place("app.db"), "delete", 10);
        struct backup_options o = {.database = place("app.db"),
                                   .directory = place("b"),
                                   .check = CHECK_QUICK,
                                   .scratch = place("scratch")};
        struct backup_result r;
        ck_assert_int_eq(backup_create(&o, &r), 0);
        return r;
}

static struct backup_list listed(void)
{
        struct backup_list list;
        ck_assert_int_eq(backup_list_read(place("b"), &list), 0);
        return list;
}

static struct verify_result verified(const struct backup_item *i)
{
        struct verify_options o = {.check = CHECK_QUICK, .scratch = place("scratch")};
        struct verify_result r;
        ck_assert_int_eq(backup_verify(i, &o, &r), 0);
        return r;
}

START_TEST(foreign_files_are_passed_over)
{
        ck_assert_int_eq(mkdir(place("b"), 0700), 0);
        write_file(place("b/notes.json"), "{}", 2);
        write_file(place("b/app-20261121T020000Z.json"), "[]", 2);
        write_file(place("b/app-20261121T030000Z.db"), "x", 1);
        write_file(place("b/random"), "x", 1);
        ck_assert_int_eq(mkfifo(place("b/app-20261121T040000Z.json"), 0600), 0);
        ck_assert_int_eq(symlink("/etc/passwd", place("b/app-20261121T050000Z.json")), 0);
        ck_assert_int_eq(mkdir(place("b/app-20261121T060000Z.json"), 0700), 0);
        ck_assert_int_eq(mkdir(place("b/evidence"), 0700), 0);
        ck_assert_int_eq(mkdir(place("b/evidence/notes"), 0700), 0);
        struct backup_list list = listed();
        ck_assert_uint_eq(list.n, 0);
        ck_assert_uint_eq(list.n_bare, 1);
        ck_assert_str_eq(list.bare, "app-20261121T030000Z.db");
        backup_list_done(&list);
}
END_TEST

START_TEST(the_newest_comes_first)
{
        struct backup_result a = made(), b = made();
        struct backup_list list = listed();
        ck_assert_uint_eq(list.n, 2);
        ck_assert_str_eq(list.items[0].id, b.id);
        ck_assert_str_eq(backup_list_last_good(&list, place("app.db"))->id, b.id);
        ck_assert_ptr_null(backup_list_last_good(&list, place("other.db")));
        backup_list_done(&list);
        backup_result_done(&a);
        backup_result_done(&b);
}
END_TEST

START_TEST(a_good_copy_is_proven_again)
{
        struct backup_result b = made();
        struct backup_list list = listed();
        struct verify_result r = verified(&list.items[0]);
        ck_assert(r.unchanged && r.proven && !r.problem);
        ck_assert_int_eq(r.check.outcome, CHECK_OK);
        verify_result_done(&r);
        backup_list_done(&list);
        backup_result_done(&b);
}
END_TEST

START_TEST(one_changed_byte_is_found)
{
        struct backup_result b = made();
        int fd = open(b.path, O_RDWR | O_CLOEXEC);
        unsigned char byte;
        ck_assert_int_eq(pread(fd, &byte, 1, size_of(b.path) - 1), 1);
        byte ^= 0xff; /* of a random blob: another one for certain */
        ck_assert_int_eq(pwrite(fd, &byte, 1, size_of(b.path) - 1), 1);
        close(fd);
        struct backup_list list = listed();
        ck_assert(backup_item_good(&list.items[0]));
        struct verify_result r = verified(&list.items[0]);
        ck_assert(!r.unchanged && !r.proven);
        ck_assert_ptr_nonnull(strstr(r.problem, "changed"));
        verify_result_done(&r);
        backup_list_done(&list);
        backup_result_done(&b);
}
END_TEST

START_TEST(a_manifest_that_lies_about_the_size_or_the_copy_is_told)
{
        struct backup_result b = made();
        ck_assert_int_eq(truncate(b.path, 4096), 0);
        struct backup_list list = listed();
        ck_assert(!backup_item_good(&list.items[0]));
        ck_assert_ptr_nonnull(strstr(list.items[0].problem, "size"));
        backup_list_done(&list);
        ck_assert_int_eq(unlink(b.path), 0);
        list = listed();
        ck_assert_ptr_nonnull(strstr(list.items[0].problem, "missing"));
        struct verify_result r = verified(&list.items[0]);
        ck_assert(!r.proven && r.problem);
        verify_result_done(&r);
        backup_list_done(&list);
        backup_result_done(&b);
}
END_TEST

START_TEST(a_copy_that_became_a_link_is_no_copy)
{
        struct backup_result b = made();
        ck_assert_int_eq(rename(b.path, place("moved")), 0);
        ck_assert_int_eq(symlink(place("moved"), b.path), 0);
        struct backup_list list = listed();
        ck_assert_ptr_nonnull(strstr(list.items[0].problem, "regular"));
        backup_list_done(&list);
        backup_result_done(&b);
}
END_TEST

START_TEST(a_damaged_manifest_beside_a_copy_is_told)
{
        struct backup_result b = made();
        ck_assert_int_eq(truncate(text("%s/%s.json", place("b"), b.id), 40), 0);
        struct backup_list list = listed();
        ck_assert_uint_eq(list.n, 1);
        ck_assert_ptr_nonnull(list.items[0].problem);
        json_t *o = backup_item_json(&list.items[0]);
        ck_assert(json_is_false(json_object_get(o, "verified")));
        ck_assert(json_is_null(json_object_get(o, "created_at")));
        json_decref(o);
        backup_list_done(&list);
        backup_result_done(&b);
}
END_TEST

START_TEST(a_copy_that_was_written_to_is_not_what_was_proven)
{
        struct backup_result b = made();
        write_file(text("%s-journal", b.path), "x", 1);
        struct backup_list list = listed();
        struct verify_result r = verified(&list.items[0]);
        ck_assert(!r.unchanged && strstr(r.problem, "-journal"));
        verify_result_done(&r);
        backup_list_done(&list);
        backup_result_done(&b);
}
END_TEST

START_TEST(a_directory_that_cannot_be_read_is_an_error)
{
        struct backup_list list;
        ck_assert_int_eq(backup_list_read(place("missing"), &list), -ENOENT);
        write_file(place("file"), "x", 1);
        ck_assert_int_eq(backup_list_read(place("file"), &list), -ENOTDIR);
}
END_TEST

SUITE("list", foreign_files_are_passed_over, the_newest_comes_first, a_good_copy_is_proven_again,
      one_changed_byte_is_found, a_manifest_that_lies_about_the_size_or_the_copy_is_told,
      a_copy_that_became_a_link_is_no_copy, a_damaged_manifest_beside_a_copy_is_told,
      a_copy_that_was_written_to_is_not_what_was_proven, a_directory_that_cannot_be_read_is_an_error)
