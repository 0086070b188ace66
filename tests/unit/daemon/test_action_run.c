/* test_action_run.c - what the helpers do, on real databases. */
#include "suite.h"

#include <ftw.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/action.h"

static char root[64], db[128], copies[128], kept[128];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        (void)st;
        (void)type;
        (void)ftw;
        return remove(path);
}

static void make(void)
{
        sqlite3 *s;
        strcpy(root, "/var/tmp/vigil-daemon-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(root));
        snprintf(db, sizeof(db), "%s/app.db", root);
        snprintf(copies, sizeof(copies), "%s/copies", root);
        snprintf(kept, sizeof(kept), "%s/evidence", root);
        ck_assert_int_eq(mkdir(kept, 0700), 0);
        snprintf(kept, sizeof(kept), "%s/evidence/i-1", root);
        ck_assert_int_eq(sqlite3_open(db, &s), SQLITE_OK);
        ck_assert_int_eq(
                sqlite3_exec(s,
                             "pragma journal_mode=delete; create table t(id integer primary key, v);"
                             "with recursive n(i) as (select 1 union all select i + 1 from n where i < 500)"
                             "insert into t select i, randomblob(500) from n",
                             NULL, NULL, NULL),
                SQLITE_OK);
        sqlite3_close(s);
}

static void unmake(void)
{
        nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void damage(void)
{
        char noise[4096];
        FILE *f = fopen(db, "r+");
        ck_assert_ptr_nonnull(f);
        memset(noise, 0xa5, sizeof(noise));
        ck_assert_int_eq(fseek(f, 3 * 4096, SEEK_SET), 0);
        ck_assert_uint_eq(fwrite(noise, sizeof(noise), 1, f), 1);
        ck_assert_int_eq(fclose(f), 0);
}

/* Keeps the answer; a failure fails the test. */
static void keep(void *userdata, const struct action_request *r, void *tag, const json_t *answer,
                 const char *failure, uint64_t ms)
{
        (void)r;
        (void)tag;
        (void)ms;
        ck_assert_msg(answer != NULL, "%s", failure);
        *(json_t **)userdata = json_deep_copy(answer);
}

static json_t *act(struct action_request r)
{
        json_t *answer = NULL;
        struct actions *a = actions_new(1, keep, &answer);
        r.database = "app";
        r.path = r.path ? r.path : db;
        ck_assert_int_eq(actions_start(a, &r, NULL), 0);
        int wait = actions_turn(a);
        while (actions_running(a) + actions_waiting(a) > 0) {
                struct pollfd fd = {.fd = actions_fd(a), .events = POLLIN};
                poll(&fd, 1, wait);
                wait = actions_turn(a);
        }
        ck_assert_ptr_nonnull(answer);
        actions_free(a);
        return answer;
}

START_TEST(a_look_sees_the_files)
{
        struct vigil_observed o;
        make();
        json_t *answer = act((struct action_request){.kind = ACTION_LOOK});
        ck_assert_int_eq(action_observed(answer, &o), 0);
        ck_assert_int_eq(o.error, 0);
        ck_assert_uint_eq(o.page_size, 4096);
        ck_assert(o.flags & VIGIL_OBS_SQLITE);
        json_decref(answer);
        unmake();
}
END_TEST

START_TEST(a_look_at_nothing_is_an_answer)
{
        struct vigil_observed o;
        json_t *answer = act((struct action_request){.kind = ACTION_LOOK, .path = "/nowhere/app.db"});
        ck_assert_int_eq(action_observed(answer, &o), 0);
        ck_assert_int_lt(o.error, 0);
        json_decref(answer);
}
END_TEST

static enum check_outcome check(void)
{
        struct check_result c;
        json_t *answer = act((struct action_request){.kind = ACTION_CHECK});
        ck_assert_int_eq(action_checked(answer, &c), 0);
        enum check_outcome outcome = c.outcome;
        check_result_done(&c);
        json_decref(answer);
        return outcome;
}

START_TEST(a_check_tells_good_from_damaged)
{
        make();
        ck_assert_int_eq(check(), CHECK_OK);
        damage();
        ck_assert_int_eq(check(), CHECK_CORRUPT);
        unmake();
}
END_TEST

START_TEST(an_empty_database_passes)
{
        make();
        ck_assert_int_eq(truncate(db, 0), 0);
        ck_assert_int_eq(check(), CHECK_OK);
        unmake();
}
END_TEST

static json_t *back_up(void)
{
        return act((struct action_request){.kind = ACTION_BACKUP,
                                           .directory = copies,
                                           .reason = "unclean-death",
                                           .verdict = "unclean",
                                           .known_sqlite = true,
                                           .urgent = true});
}

START_TEST(a_backup_is_verified_and_has_its_entry)
{
        make();
        json_t *answer = back_up(), *entry = json_object_get(answer, "entry");
        const char *path = json_string_value(json_object_get(json_object_get(answer, "backup"), "path"));
        ck_assert(json_is_true(json_object_get(json_object_get(answer, "backup"), "verified")));
        ck_assert_str_eq(json_string_value(json_object_get(entry, "reason")), "unclean-death");
        ck_assert_str_eq(json_string_value(json_object_get(entry, "path")), path);
        ck_assert_int_eq(access(path, R_OK), 0);
        json_decref(answer);
        unmake();
}
END_TEST

START_TEST(of_a_corrupt_database_the_files_are_kept_and_no_backup_is_claimed)
{
        make();
        damage();
        json_t *answer = back_up(), *backup = json_object_get(answer, "backup");
        ck_assert_int_lt(json_integer_value(json_object_get(answer, "error")), 0);
        ck_assert_str_eq(json_string_value(json_object_get(backup, "class")), "evidence");
        ck_assert(json_is_false(json_object_get(backup, "verified")));
        json_decref(answer);
        unmake();
}
END_TEST

START_TEST(a_backup_that_cannot_be_made_says_why)
{
        make();
        ck_assert_int_eq(unlink(db), 0);
        json_t *answer = back_up(), *backup = json_object_get(answer, "backup");
        ck_assert(json_is_null(json_object_get(backup, "id")));
        ck_assert(json_is_string(json_object_get(backup, "reason")));
        json_decref(answer);
        unmake();
}
END_TEST

START_TEST(a_prune_keeps_what_the_policy_says_and_tells_what_went)
{
        struct config_database policy = {.check = {.method = CONFIG_CHECK_QUICK}, .backup = {.keep = 1}};
        make();
        json_decref(back_up());
        json_decref(back_up());
        json_t *answer = act((struct action_request){.kind = ACTION_PRUNE, .directory = copies, .policy = &policy});
        const json_t *result = json_object_get(answer, "prune");
        ck_assert_int_eq(json_integer_value(json_object_get(answer, "error")), 0);
        ck_assert_uint_eq(json_array_size(json_object_get(result, "removed")), 1);
        ck_assert_int_gt(json_integer_value(json_object_get(result, "kept_bytes")), 0);
        json_decref(answer);
        unmake();
}
END_TEST

START_TEST(a_prune_of_nothing_says_why)
{
        json_t *answer = act((struct action_request){.kind = ACTION_PRUNE, .directory = "/nowhere"});
        ck_assert_int_lt(json_integer_value(json_object_get(answer, "error")), 0);
        ck_assert(json_is_string(json_object_get(answer, "reason")));
        json_decref(answer);
}
END_TEST

static json_t *keep_evidence(uint64_t byte_budget)
{
        return act((struct action_request){
                .kind = ACTION_EVIDENCE, .directory = kept, .byte_budget = byte_budget, .urgent = true});
}

static int64_t size_in(const char *directory, const char *name)
{
        char path[256];
        struct stat st;
        snprintf(path, sizeof(path), "%s/%s", directory, name);
        return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

START_TEST(evidence_is_the_raw_files_and_the_first_copy_stays)
{
        make();
        damage();
        struct stat before;
        ck_assert_int_eq(stat(db, &before), 0);
        json_t *answer = keep_evidence(0);
        ck_assert_int_eq(json_integer_value(json_object_get(answer, "error")), 0);
        ck_assert_int_eq(size_in(kept, "files/app.db"), before.st_size);
        json_decref(answer);
        ck_assert_int_eq(truncate(db, 4096), 0);
        answer = keep_evidence(0);
        ck_assert_int_eq(json_integer_value(json_object_get(answer, "error")), 0);
        ck_assert_int_eq(json_integer_value(json_object_get(answer, "bytes")), before.st_size);
        ck_assert_int_eq(size_in(kept, "files/app.db"), before.st_size);
        json_decref(answer);
        unmake();
}
END_TEST

START_TEST(evidence_beyond_its_budget_is_not_kept_and_says_so)
{
        make();
        json_t *answer = keep_evidence(10000);
        ck_assert_int_lt(json_integer_value(json_object_get(answer, "error")), 0);
        ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(answer, "reason")), "evidence-bytes"));
        ck_assert_int_eq(size_in(kept, "files/app.db"), -1);
        json_decref(answer);
        unmake();
}
END_TEST

SUITE("action_run", a_look_sees_the_files, a_look_at_nothing_is_an_answer, a_check_tells_good_from_damaged,
      an_empty_database_passes, a_backup_is_verified_and_has_its_entry,
      of_a_corrupt_database_the_files_are_kept_and_no_backup_is_claimed, a_backup_that_cannot_be_made_says_why,
      a_prune_keeps_what_the_policy_says_and_tells_what_went, a_prune_of_nothing_says_why,
      evidence_is_the_raw_files_and_the_first_copy_stays, evidence_beyond_its_budget_is_not_kept_and_says_so)
