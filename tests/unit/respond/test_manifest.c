/* test_manifest.c - what is written is read back; what is a lie is called one. */
#include "suite.h"

#include <errno.h>
#include <string.h>

#include "fixture.h"
#include "respond/manifest.h"

#define HASH_OF_SOMETHING "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct manifest sample(void)
{
        struct manifest m = {
                .verified = true,
                .database = (char *)"app",
                .reason = (char *)"unclean-death",
                .incident = (char *)"i-0123456789abcdef",
                .source = (char *)"/srv/app.db",
                .method = (char *)"read-transaction",
                .created_at = "2026-11-21T03:15:02.123456Z",
                .from = "2026-11-21T03:15:01.000000Z",
                .bytes = 8192,
                .sha256 = HASH_OF_SOMETHING,
                .wal_commits = 3,
                .uid = 1000,
        };
        return m;
}

/* Writes it, changes one value of the document, reads it again. */
static int reread(const struct manifest *m, const char *key, json_t *value, struct manifest *ret, const char **why)
{
        json_t *document = manifest_to_json(m);
        ck_assert(document != NULL);
        if (key)
                ck_assert_int_eq(json_object_set_new(document, key, value), 0);
        char *bytes = json_dumps(document, 0);
        int r = manifest_parse(bytes, strlen(bytes), ret, why);
        free(bytes);
        json_decref(document);
        return r;
}

START_TEST(what_is_written_is_read_back)
{
        struct manifest m = sample(), got;
        const char *why;
        ck_assert_int_eq(reread(&m, NULL, NULL, &got, &why), 0);
        ck_assert(got.verified && !got.evidence);
        ck_assert_str_eq(got.database, "app");
        ck_assert_str_eq(got.reason, "unclean-death");
        ck_assert_str_eq(got.incident, "i-0123456789abcdef");
        ck_assert_str_eq(got.source, "/srv/app.db");
        ck_assert_str_eq(got.created_at, m.created_at);
        ck_assert_str_eq(got.from, m.from);
        ck_assert_str_eq(got.sha256, m.sha256);
        ck_assert_uint_eq(got.bytes, 8192);
        ck_assert_uint_eq(got.wal_commits, 3);
        ck_assert_uint_eq(got.uid, 1000);
        ck_assert_ptr_null(got.verdict);
        manifest_done(&got);
}
END_TEST

START_TEST(a_path_that_is_not_utf8_survives)
{
        struct manifest m = sample(), got;
        const char *why;
        m.source = (char *)"/srv/\xff\xfe\n.db";
        ck_assert_int_eq(reread(&m, NULL, NULL, &got, &why), 0);
        ck_assert_str_eq(got.source, m.source);
        manifest_done(&got);
}
END_TEST

START_TEST(evidence_lists_its_files)
{
        struct manifest m = sample(), got;
        const char *why;
        m.evidence = true;
        m.verified = false;
        m.n_files = 1;
        m.files[0] = (struct manifest_file){.name = "app.db-wal", .bytes = 7, .sha256 = HASH_OF_SOMETHING};
        ck_assert_int_eq(reread(&m, NULL, NULL, &got, &why), 0);
        ck_assert_uint_eq(got.n_files, 1);
        ck_assert_str_eq(got.files[0].name, "app.db-wal");
        ck_assert_uint_eq(got.files[0].bytes, 7);
        manifest_done(&got);
}
END_TEST

START_TEST(a_file_outside_its_directory_is_refused)
{
        static const char *const names[] = {"../x", "/etc/passwd", "..", ".", "", "a/b"};
        struct manifest m = sample(), got;
        const char *why = NULL;
        m.evidence = true;
        m.verified = false;
        m.n_files = 1;
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                m.files[0] = (struct manifest_file){.bytes = 7, .sha256 = HASH_OF_SOMETHING};
                strcpy(m.files[0].name, names[i]);
                ck_assert_int_eq(reread(&m, NULL, NULL, &got, &why), -EBADMSG);
                ck_assert_ptr_nonnull(why);
        }
}
END_TEST

START_TEST(evidence_that_calls_itself_verified_is_refused)
{
        struct manifest m = sample(), got;
        const char *why = NULL;
        m.evidence = true;
        m.n_files = 1;
        m.files[0] = (struct manifest_file){.name = "x", .sha256 = HASH_OF_SOMETHING};
        ck_assert_int_eq(reread(&m, NULL, NULL, &got, &why), -EBADMSG);
}
END_TEST

START_TEST(values_of_another_type_are_refused_by_name)
{
        struct manifest m = sample(), got;
        const char *why = NULL;
        ck_assert_int_eq(reread(&m, "verified", json_string("yes"), &got, &why), -EBADMSG);
        ck_assert_ptr_nonnull(strstr(why, "verified"));
        ck_assert_int_eq(reread(&m, "class", json_string("gold"), &got, &why), -EBADMSG);
        ck_assert_int_eq(reread(&m, "file", json_array(), &got, &why), -EBADMSG);
        ck_assert_int_eq(reread(&m, "file", json_pack("{s:i}", "bytes", -1), &got, &why), -EBADMSG);
        ck_assert_int_eq(reread(&m, "source", json_pack("{s:s}", "path", "relative"), &got, &why), -EBADMSG);
        ck_assert_int_eq(reread(&m, "source", json_pack("{s:s}", "path_hex", "2f00"), &got, &why), -EBADMSG);
        ck_assert_int_eq(
                reread(&m, "created_at", json_string("a very long time that does not fit at all"), &got, &why),
                -EBADMSG);
}
END_TEST

START_TEST(what_is_no_manifest_is_not_ours)
{
        static const char *const others[] = {"",
                                             "{",
                                             "[]",
                                             "null",
                                             "{\"schema\": \"other/1\"}",
                                             "{\"schema\": 1}",
                                             "\xff\xfe",
                                             "{\"schema\": \"vigil.backup/2\"}"};
        struct manifest got;
        const char *why;
        for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
                ck_assert_int_eq(manifest_parse(others[i], strlen(others[i]), &got, &why), -ENOMSG);
}
END_TEST

START_TEST(a_manifest_cut_at_any_byte_is_refused)
{
        struct manifest m = sample(), got;
        const char *why;
        json_t *document = manifest_to_json(&m);
        char *bytes = json_dumps(document, 0);
        for (size_t n = 0; n < strlen(bytes); n++)
                ck_assert_int_lt(manifest_parse(bytes, n, &got, &why), 0);
        free(bytes);
        json_decref(document);
}
END_TEST

SUITE("manifest", what_is_written_is_read_back, a_path_that_is_not_utf8_survives, evidence_lists_its_files,
      a_file_outside_its_directory_is_refused, evidence_that_calls_itself_verified_is_refused,
      values_of_another_type_are_refused_by_name, what_is_no_manifest_is_not_ours,
      a_manifest_cut_at_any_byte_is_refused)
