/* test_prune.c - retention removes what is beyond it, and never the last copy that counts. */
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "respond/manifest.h"
#include "respond/prune.h"

#define HOUR_NS 3600000000000LL
/* 2026-11-21T00:00:00Z */
#define MIDNIGHT 1795219200000000000LL

static const char *dir;

static void make_dir(void)
{
        dir = place("copies");
        ck_assert_int_eq(mkdir(dir, 0700), 0);
}

/* A copy of 100 bytes of @p source, made at @p hour of that day: NAME-20261121THH0000Z. */
static const char *put(const char *name, unsigned char hour, bool verified, const char *source)
{
        const char *id = text("%s-20261121T%02d0000Z", name, hour);
        struct manifest m = {.verified = verified,
                             .database = (char *)name,
                             .source = (char *)source,
                             .bytes = 100,
                             .page_size = 4096};
        char body[100] = "copy";
        memset(m.sha256, '0', sizeof(m.sha256) - 1);
        snprintf(m.created_at, sizeof(m.created_at), "2026-11-21T%02d:00:00.000000Z", hour);
        json_t *document = manifest_to_json(&m);
        char *manifest = json_dumps(document, 0);
        write_file(text("%s/%s.db", dir, id), body, sizeof(body));
        write_file(text("%s/%s.json", dir, id), manifest, strlen(manifest));
        free(manifest);
        json_decref(document);
        return id;
}

static int prune(struct prune_options options, struct prune_result *ret)
{
        return backup_prune(dir, &options, ret);
}

/* Prunes and says which hours of "app" are left: "09 11 ". */
static const char *left_after(struct prune_options options)
{
        static char hours[128];
        struct prune_result r;
        ck_assert_int_eq(prune(options, &r), 0);
        prune_result_done(&r);
        hours[0] = '\0';
        for (int h = 0; h < 24; h++) {
                bool copy = size_of(text("%s/app-20261121T%02d0000Z.db", dir, h)) >= 0;
                bool manifest = size_of(text("%s/app-20261121T%02d0000Z.json", dir, h)) >= 0;
                ck_assert_int_eq(copy, manifest);
                if (copy)
                        snprintf(hours + strlen(hours), sizeof(hours) - strlen(hours), "%02d ", h);
        }
        ck_assert_int_eq(temporaries_in(dir), 0);
        return hours;
}

START_TEST(what_stays_is_what_the_limits_and_the_pins_say)
{
        static const struct {
                const char *made; /* by the hour from 01: v verified, u not verified, blank: none */
                struct prune_options options;
                const char *left;
        } table[] = {
                {"vvvv", {.keep = 2}, "03 04 "},
                {"vvvv", {.keep = 9}, "01 02 03 04 "},
                {"vvvv", {.keep = 0}, "01 02 03 04 "},
                {"vvvv", {.max_bytes = 250}, "03 04 "},
                {"vvvv", {.keep = 3, .max_bytes = 150}, "04 "},
                /* The newest verified one, though everything says that it goes. */
                {"v", {.keep = 1, .max_bytes = 1}, "01 "},
                {"vuuu", {.keep = 1, .max_bytes = 1}, "01 "},
                {"vvuuu", {.keep = 2}, "01 02 04 05 "},
                {"uvuvuv", {.keep = 2}, "04 05 06 "},
                {"uuuu", {.keep = 2}, "03 04 "},
                /* The newest verified one from before the incident at 03:30. */
                {"vvvvvv", {.keep = 1, .pinned_before_ns = MIDNIGHT + 7 * HOUR_NS / 2}, "03 06 "},
                {"vvuvvv", {.keep = 1, .pinned_before_ns = MIDNIGHT + 7 * HOUR_NS / 2}, "02 06 "},
                {"vvvvvv", {.keep = 1, .max_bytes = 1, .pinned_before_ns = MIDNIGHT + 7 * HOUR_NS / 2}, "03 06 "},
                /* There was none before it. */
                {"vv", {.keep = 1, .pinned_before_ns = MIDNIGHT}, "02 "},
        };
        for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
                dir = place(text("copies%zu", i));
                ck_assert_int_eq(mkdir(dir, 0700), 0);
                for (int h = 0; table[i].made[h]; h++)
                        put("app", (unsigned char)(h + 1), table[i].made[h] == 'v', "/srv/app.db");
                ck_assert_msg(strcmp(left_after(table[i].options), table[i].left) == 0, "row %zu: %s", i,
                              left_after(table[i].options));
        }
}
END_TEST

START_TEST(each_database_of_a_directory_has_its_own)
{
        make_dir();
        put("app", 1, true, "/srv/app.db");
        put("app", 2, true, "/srv/app.db");
        put("other", 1, true, "/srv/other.db");
        put("app", 3, true, "/elsewhere/app.db");
        ck_assert_str_eq(left_after((struct prune_options){.keep = 1}), "02 03 ");
        ck_assert_int_ge(size_of(text("%s/other-20261121T010000Z.db", dir)), 0);
}
END_TEST

START_TEST(what_is_unsound_or_somebody_elses_stays)
{
        make_dir();
        const char *cut = put("app", 1, true, "/srv/app.db");
        const char *garbled = put("app", 2, true, "/srv/app.db");
        put("app", 3, true, "/srv/app.db");
        write_file(text("%s/%s.db", dir, cut), "x", 1);
        write_file(text("%s/%s.json", dir, garbled), "{", 1);
        write_file(text("%s/notes.txt", dir), "x", 1);
        ck_assert_int_eq(mkdir(text("%s/evidence", dir), 0700), 0);
        write_file(text("%s/evidence/file", dir), "x", 1);
        ck_assert_str_eq(left_after((struct prune_options){.keep = 1, .max_bytes = 1}), "01 02 03 ");
        ck_assert_int_eq(size_of(text("%s/notes.txt", dir)), 1);
        ck_assert_int_eq(size_of(text("%s/evidence/file", dir)), 1);
}
END_TEST

/* A verified copy that has lost bytes is no verified copy: the one before it is the last. */
START_TEST(a_broken_newest_one_pins_nothing)
{
        make_dir();
        put("app", 1, true, "/srv/app.db");
        const char *broken = put("app", 2, true, "/srv/app.db");
        write_file(text("%s/%s.db", dir, broken), "x", 1);
        ck_assert_str_eq(left_after((struct prune_options){.keep = 1, .max_bytes = 1}), "01 02 ");
}
END_TEST

START_TEST(what_was_done_is_told)
{
        struct prune_result r;
        make_dir();
        for (int h = 1; h <= 3; h++)
                put("app", (unsigned char)h, true, "/srv/app.db");
        ck_assert_int_eq(prune((struct prune_options){.max_bytes = 50}, &r), 0);
        ck_assert_uint_eq(json_array_size(r.removed), 2);
        ck_assert_uint_eq(json_array_size(r.kept), 1);
        ck_assert_uint_eq(r.removed_bytes, 200);
        ck_assert_uint_eq(r.kept_bytes, 100);
        ck_assert_uint_eq(r.over, 1);
        const json_t *first = json_array_get(r.removed, 0);
        ck_assert_str_eq(json_string_value(json_object_get(first, "why")), "beyond the bytes to keep");
        ck_assert_str_eq(json_string_value(json_object_get(first, "id")), "app-20261121T020000Z");
        prune_result_done(&r);
}
END_TEST

START_TEST(a_dry_run_removes_nothing_and_tells_the_same)
{
        struct prune_result r;
        make_dir();
        put("app", 1, true, "/srv/app.db");
        put("app", 2, true, "/srv/app.db");
        ck_assert_int_eq(prune((struct prune_options){.keep = 1, .dry_run = true}, &r), 0);
        ck_assert_uint_eq(json_array_size(r.removed), 1);
        prune_result_done(&r);
        ck_assert_str_eq(left_after((struct prune_options){0}), "01 02 ");
}
END_TEST

/* What a prune leaves that is killed between the manifest and the copy. */
START_TEST(a_backup_that_lost_only_its_manifest_to_a_dead_prune_is_whole_again)
{
        make_dir();
        const char *id = put("app", 1, true, "/srv/app.db");
        put("app", 2, true, "/srv/app.db");
        const char *work = text("%s/.vigil-1-0123abcd", dir);
        ck_assert_int_eq(mkdir(work, 0700), 0);
        ck_assert_int_eq(rename(text("%s/%s.json", dir, id), text("%s/%s.json", work, id)), 0);
        ck_assert_str_eq(left_after((struct prune_options){.keep = 5}), "01 02 ");
}
END_TEST

START_TEST(a_backup_that_lost_its_copy_to_a_dead_prune_is_gone)
{
        make_dir();
        const char *id = put("app", 1, true, "/srv/app.db");
        put("app", 2, true, "/srv/app.db");
        const char *work = text("%s/.vigil-1-0123abcd", dir);
        ck_assert_int_eq(mkdir(work, 0700), 0);
        ck_assert_int_eq(rename(text("%s/%s.json", dir, id), text("%s/%s.json", work, id)), 0);
        ck_assert_int_eq(unlink(text("%s/%s.db", dir, id)), 0);
        ck_assert_str_eq(left_after((struct prune_options){.keep = 5}), "02 ");
}
END_TEST

START_TEST(a_directory_that_is_missing_or_empty_is_told_or_fine)
{
        struct prune_result r;
        dir = place("none");
        ck_assert_int_eq(prune((struct prune_options){.keep = 1}, &r), -ENOENT);
        ck_assert_ptr_nonnull(r.reason);
        prune_result_done(&r);
        make_dir();
        ck_assert_int_eq(prune((struct prune_options){.keep = 1}, &r), 0);
        ck_assert_uint_eq(json_array_size(r.kept), 0);
        prune_result_done(&r);
}
END_TEST

SUITE("prune", what_stays_is_what_the_limits_and_the_pins_say, each_database_of_a_directory_has_its_own,
      what_is_unsound_or_somebody_elses_stays, a_broken_newest_one_pins_nothing, what_was_done_is_told,
      a_dry_run_removes_nothing_and_tells_the_same,
      a_backup_that_lost_only_its_manifest_to_a_dead_prune_is_whole_again,
      a_backup_that_lost_its_copy_to_a_dead_prune_is_gone, a_directory_that_is_missing_or_empty_is_told_or_fine)
