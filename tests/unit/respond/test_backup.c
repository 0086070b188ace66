/* test_backup.c - a backup is proven or does not exist. */
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

static struct backup_options options_for(const char *database)
{
        ck_assert(mkdir(place("scratch"), 0700) == 0 || errno == EEXIST);
        return (struct backup_options){
                .database = database,
                .directory = place("b"),
                .check = CHECK_QUICK,
                .others_may_write = true,
                .scratch = place("scratch"),
        };
}

/* A backup that must succeed. */
static struct backup_result made(const char *database)
{
        struct backup_options o = options_for(database);
        struct backup_result r;
        int err = backup_create(&o, &r);
        ck_assert_msg(err == 0, "%s", r.reason);
        ck_assert_int_eq(r.outcome, BACKUP_DONE);
        ck_assert(r.verified);
        return r;
}

/* One that must not. @return its error */
static int refused(const struct backup_options *o, struct backup_result *ret)
{
        int err = backup_create(o, ret);
        ck_assert_int_lt(err, 0);
        ck_assert_ptr_nonnull(ret->reason);
        ck_assert(!ret->verified);
        ck_assert_int_eq(temporaries_in(place("b")), 0);
        return err;
}

START_TEST(an_idle_database_is_backed_up_and_proven)
{
        make_database(place("app.db"), "delete", 100);
        struct backup_result r = made(place("app.db"));
        struct stat st;
        ck_assert_int_eq(ask(r.path, "select count(*) from t"), 100);
        ck_assert_int_eq(stat(r.path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        ck_assert_int_eq(st.st_size, (off_t)r.bytes);
        ck_assert_uint_eq(strlen(r.sha256), 64);
        ck_assert_str_eq(r.last_good, r.path);
        ck_assert_str_eq(names_in(place("b")), text("%s.db %s.json ", r.id, r.id));
        ck_assert_str_eq(names_in(place("scratch")), "");
        ck_assert_int_eq(stat(place("b"), &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0700);
        backup_result_done(&r);
}
END_TEST

START_TEST(commits_that_are_only_in_the_wal_are_in_the_copy)
{
        make_database(place("app.db"), "wal", 100);
        killed_after(place("app.db"), "insert into t values(1001, x'00'); insert into t values(1002, x'00')");
        const char *before = state_of(place("app.db"));
        struct backup_result r = made(place("app.db"));
        ck_assert_str_eq(state_of(place("app.db")), before);
        ck_assert_uint_eq(r.snapshot.wal_commits, 2);
        ck_assert_int_eq(size_of(text("%s-wal", r.path)), -1);
        ck_assert_int_eq(ask(r.path, "select count(*) from t"), 102);
        backup_result_done(&r);
}
END_TEST

START_TEST(a_hot_journal_is_rolled_back_in_the_copy_and_stays_beside_the_source)
{
        make_database(place("app.db"), "delete", 300);
        killed_after(place("app.db"), "begin; update t set v = zeroblob(500)");
        ck_assert_int_gt(size_of(place("app.db-journal")), 0);
        const char *before = state_of(place("app.db"));
        struct backup_result r = made(place("app.db"));
        ck_assert_str_eq(state_of(place("app.db")), before);
        ck_assert_int_eq(ask(r.path, "select count(*) from t where v = zeroblob(500)"), 0);
        backup_result_done(&r);
}
END_TEST

START_TEST(two_in_one_second_get_two_names)
{
        make_database(place("app.db"), "delete", 10);
        struct backup_result a = made(place("app.db")), b = made(place("app.db"));
        ck_assert_str_ne(a.id, b.id);
        ck_assert_int_gt(size_of(a.path), 0);
        ck_assert_int_gt(size_of(b.path), 0);
        backup_result_done(&a);
        backup_result_done(&b);
}
END_TEST

START_TEST(a_name_of_any_bytes_is_kept_in_the_manifest)
{
        static const char *const names[] = {"two words.db", "line\nbreak.db", "\xc3\xa9t\xc3\xa9.db",
                                            "\xff\xfe.db"};
        struct backup_list list;
        for (size_t i = 0; i < 4; i++) {
                make_database(place(names[i]), "delete", 10);
                struct backup_result r = made(place(names[i]));
                ck_assert_int_eq(ask(r.path, "select count(*) from t"), 10);
                ck_assert_int_eq(backup_list_read(place("b"), &list), 0);
                ck_assert_str_eq(backup_list_find(&list, r.id)->manifest.source, place(names[i]));
                backup_list_done(&list);
                backup_result_done(&r);
        }
}
END_TEST

START_TEST(a_symbolic_link_names_the_database_behind_it)
{
        make_database(place("app.db"), "delete", 10);
        ck_assert_int_eq(symlink("app.db", place("link.db")), 0);
        struct backup_result a = made(place("app.db"));
        struct backup_result b = made(place("link.db"));
        ck_assert_int_eq(strncmp(b.id, "app-", 4), 0);
        ck_assert_str_eq(b.last_good, b.path);
        backup_result_done(&a);
        backup_result_done(&b);
}
END_TEST

START_TEST(a_corrupt_source_becomes_evidence_and_the_last_good_one_stays)
{
        make_database(place("app.db"), "delete", 300);
        struct backup_result good = made(place("app.db"));
        damage(place("app.db"));
        const char *before = state_of(place("app.db")), *kept = state_of(good.path);
        struct backup_options o = options_for(place("app.db"));
        struct backup_result r;
        ck_assert_int_eq(refused(&o, &r), -EUCLEAN);
        ck_assert_int_eq(r.outcome, BACKUP_KEPT_EVIDENCE);
        ck_assert_int_eq(r.check.outcome, CHECK_CORRUPT);
        ck_assert_str_eq(r.last_good, good.path);
        ck_assert_str_eq(state_of(place("app.db")), before);
        ck_assert_str_eq(state_of(good.path), kept);
        ck_assert_int_eq(size_of(text("%s/app.db", r.path)), size_of(place("app.db")));
        backup_result_done(&r);
        backup_result_done(&good);
}
END_TEST

START_TEST(what_was_seen_to_happen_outranks_a_sound_copy)
{
        make_database(place("app.db"), "delete", 300);
        struct backup_result good = made(place("app.db"));
        struct backup_options o = options_for(place("app.db"));
        struct backup_result r;
        o.damage = "half of it is missing";
        ck_assert_int_eq(refused(&o, &r), -EUCLEAN);
        ck_assert_int_eq(r.outcome, BACKUP_KEPT_EVIDENCE);
        ck_assert_int_eq(r.check.outcome, CHECK_OK);
        ck_assert(!r.verified);
        ck_assert_str_eq(r.reason, o.damage);
        ck_assert_str_eq(r.last_good, good.path);
        ck_assert_int_eq(size_of(text("%s/app.db", r.path)), size_of(place("app.db")));
        backup_result_done(&r);
        backup_result_done(&good);
}
END_TEST

START_TEST(a_database_that_is_gone_has_its_last_good_one_all_the_same)
{
        make_database(place("app.db"), "delete", 300);
        struct backup_result good = made(place("app.db"));
        struct backup_options o = options_for(place("app.db"));
        struct backup_result r;
        ck_assert_int_eq(unlink(place("app.db")), 0);
        ck_assert_int_eq(refused(&o, &r), -ENOENT);
        ck_assert_str_eq(r.last_good, good.path);
        backup_result_done(&r);
        backup_result_done(&good);
}
END_TEST

START_TEST(evidence_keeps_the_companions_and_parts_the_index_from_them)
{
        make_database(place("app.db"), "wal", 300);
        killed_after(place("app.db"), "insert into t values(1001, x'00')");
        damage(place("app.db"));
        struct backup_options o = options_for(place("app.db"));
        struct backup_result r;
        ck_assert_int_eq(refused(&o, &r), -EUCLEAN);
        ck_assert_str_eq(names_in(r.path), "app.db app.db-wal app.shm manifest.json ");
        ck_assert_int_eq(size_of(text("%s/app.db-wal", r.path)), size_of(place("app.db-wal")));
        backup_result_done(&r);
}
END_TEST

START_TEST(evidence_never_counts_as_good)
{
        make_database(place("app.db"), "delete", 300);
        damage(place("app.db"));
        struct backup_options o = options_for(place("app.db"));
        struct backup_result r;
        struct backup_list list;
        ck_assert_int_eq(refused(&o, &r), -EUCLEAN);
        ck_assert_ptr_null(r.last_good);
        ck_assert_int_eq(backup_list_read(place("b"), &list), 0);
        ck_assert_uint_eq(list.n, 1);
        ck_assert(list.items[0].evidence && !backup_item_good(&list.items[0]) && !list.items[0].problem);
        backup_list_done(&list);
        backup_result_done(&r);
}
END_TEST

START_TEST(a_lost_header_is_damage_only_where_there_was_a_database)
{
        char zeros[100] = {0};
        struct backup_options o = options_for(place("app.db"));
        struct backup_result r;
        write_file(place("app.db"), zeros, sizeof(zeros));
        ck_assert_int_eq(refused(&o, &r), -EBADMSG);
        ck_assert_int_eq(r.outcome, BACKUP_FAILED);
        backup_result_done(&r);
        o.known_sqlite = true;
        ck_assert_int_eq(refused(&o, &r), -EUCLEAN);
        ck_assert_int_eq(r.outcome, BACKUP_KEPT_EVIDENCE);
        /* What could not be checked is named as the user knows it, not as the copy was called meanwhile. */
        ck_assert_ptr_nonnull(strstr(r.check.reason, place("app.db")));
        ck_assert_ptr_null(strstr(r.check.reason, "/.vigil-"));
        backup_result_done(&r);
}
END_TEST

START_TEST(an_emptied_database_does_not_become_the_last_good_one)
{
        make_database(place("app.db"), "delete", 10);
        struct backup_result good = made(place("app.db"));
        struct backup_options o = options_for(place("app.db"));
        struct backup_result r;
        ck_assert_int_eq(truncate(place("app.db"), 0), 0);
        ck_assert_int_eq(refused(&o, &r), -ENODATA);
        ck_assert_str_eq(r.last_good, good.path);
        backup_result_done(&r);
        backup_result_done(&good);
}
END_TEST

START_TEST(what_is_no_file_is_refused_by_name)
{
        struct backup_result r;
        struct backup_options o = options_for(place("scratch"));
        ck_assert_int_eq(refused(&o, &r), -EISDIR);
        backup_result_done(&r);
        ck_assert_int_eq(mkfifo(place("fifo"), 0600), 0);
        o.database = place("fifo");
        ck_assert_int_eq(refused(&o, &r), -EINVAL);
        backup_result_done(&r);
        o.database = place("missing.db");
        ck_assert_int_eq(refused(&o, &r), -ENOENT);
        backup_result_done(&r);
}
END_TEST

START_TEST(the_byte_budget_holds)
{
        make_database(place("app.db"), "delete", 100);
        struct backup_options o = options_for(place("app.db"));
        struct backup_result r;
        o.byte_budget = 4096;
        ck_assert_int_eq(refused(&o, &r), -EFBIG);
        ck_assert_str_eq(names_in(place("b")), "");
        backup_result_done(&r);
}
END_TEST

START_TEST(a_database_larger_than_the_disk_is_refused_before_it_is_read)
{
        make_database(place("app.db"), "delete", 10);
        ck_assert_int_eq(truncate(place("app.db"), (off_t)1 << 43), 0);
        struct backup_options o = options_for(place("app.db"));
        struct backup_result r;
        ck_assert_int_eq(refused(&o, &r), -ENOSPC);
        ck_assert_ptr_nonnull(strstr(r.reason, "10 %"));
        backup_result_done(&r);
}
END_TEST

START_TEST(without_a_check_it_is_not_called_verified)
{
        make_database(place("app.db"), "delete", 10);
        struct backup_options o = options_for(place("app.db"));
        struct backup_result r;
        o.check = CHECK_NONE;
        ck_assert_int_eq(backup_create(&o, &r), 0);
        ck_assert(!r.verified);
        ck_assert_ptr_null(r.last_good);
        backup_result_done(&r);
}
END_TEST

START_TEST(a_check_that_cannot_be_made_is_no_backup)
{
        make_database(place("app.db"), "delete", 10);
        struct backup_options o = options_for(place("app.db"));
        struct backup_result r;
        /* Schema format 9: of an SQLite that does not exist yet (sqlite.org/fileformat2.html 1.3.11). */
        int fd = open(o.database, O_WRONLY | O_CLOEXEC);
        ck_assert_int_eq(pwrite(fd, "\0\0\0\x9", 4, 44), 4);
        close(fd);
        ck_assert_int_eq(refused(&o, &r), -ENOTRECOVERABLE);
        ck_assert_str_eq(names_in(place("b")), "");
        backup_result_done(&r);
}
END_TEST

START_TEST(the_copy_belongs_to_the_owner_of_the_source)
{
        struct stat st;
        if (geteuid() != 0)
                return;
        make_database(place("app.db"), "delete", 10);
        ck_assert_int_eq(chown(place("app.db"), 1234, 4321), 0);
        struct backup_result r = made(place("app.db"));
        ck_assert_int_eq(stat(r.path, &st), 0);
        ck_assert_uint_eq(st.st_uid, 1234);
        ck_assert_uint_eq(st.st_gid, 4321);
        backup_result_done(&r);
}
END_TEST

START_TEST(its_json_says_what_the_contract_wants)
{
        make_database(place("app.db"), "delete", 10);
        struct backup_result r = made(place("app.db"));
        json_t *o = backup_json(&r);
        ck_assert_str_eq(json_string_value(json_object_get(o, "path")), r.path);
        ck_assert_int_eq(json_integer_value(json_object_get(o, "bytes")), (json_int_t)r.bytes);
        ck_assert(json_is_true(json_object_get(o, "verified")));
        ck_assert(json_is_integer(json_object_get(o, "ms")));
        ck_assert_str_eq(json_string_value(json_object_get(o, "class")), "backup");
        ck_assert(json_is_null(json_object_get(o, "reason")));
        json_decref(o);
        backup_result_done(&r);
}
END_TEST

SUITE("backup", an_idle_database_is_backed_up_and_proven, commits_that_are_only_in_the_wal_are_in_the_copy,
      a_hot_journal_is_rolled_back_in_the_copy_and_stays_beside_the_source, two_in_one_second_get_two_names,
      a_name_of_any_bytes_is_kept_in_the_manifest, a_symbolic_link_names_the_database_behind_it,
      a_corrupt_source_becomes_evidence_and_the_last_good_one_stays, what_was_seen_to_happen_outranks_a_sound_copy,
      a_database_that_is_gone_has_its_last_good_one_all_the_same,
      evidence_keeps_the_companions_and_parts_the_index_from_them, evidence_never_counts_as_good,
      a_lost_header_is_damage_only_where_there_was_a_database,
      an_emptied_database_does_not_become_the_last_good_one, what_is_no_file_is_refused_by_name,
      the_byte_budget_holds, a_database_larger_than_the_disk_is_refused_before_it_is_read,
      without_a_check_it_is_not_called_verified, a_check_that_cannot_be_made_is_no_backup,
      the_copy_belongs_to_the_owner_of_the_source, its_json_says_what_the_contract_wants)
