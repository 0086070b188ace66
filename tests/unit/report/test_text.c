/* test_text.c - the first line of a report says the worst that is known; what is no backup is not called one. */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#include "suite.h"

#define PATH "/srv/app.db"

/* One that ended clean, was found intact and was not copied; the caller changes what it wants. */
static json_t *database(void)
{
        json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:[{s:s}], s:[], s:{s:s}, s:n}", "path", PATH, "engine",
                              "sqlite", "verdict", "clean", "journal_mode", "wal", "certificates", "verdict",
                              "clean", "processes", "integrity", "result", "ok", "backup");

        ck_assert_ptr_nonnull(o);
        return o;
}

/* The text of a report on @p database, whose reference it takes; freed by the caller. */
static char *text_of(json_t *database)
{
        char *text = NULL;
        size_t n;
        FILE *out = open_memstream(&text, &n);
        struct report_style style = {0};
        json_t *report = json_pack("{s:s, s:[o], s:{s:s, s:[]}}", "schema", "vigil.report/1", "databases", database,
                                   "trust", "level", "full", "reasons");

        ck_assert_int_eq(report_text(report, out, &style), 0);
        fclose(out);
        json_decref(report);
        return text;
}

static void begins(json_t *database, const char *with)
{
        char *text = text_of(database);

        ck_assert_msg(strncmp(text, with, strlen(with)) == 0, "does not begin with %s: %s", with, text);
        free(text);
}

START_TEST(a_verdict_stands_first)
{
        begins(database(), "CLEAN  " PATH "  (sqlite, journal mode wal)\n");
}
END_TEST

START_TEST(damage_is_worse_than_a_clean_end)
{
        json_t *o = database();

        json_object_set_new(o, "integrity", json_pack("{s:s}", "result", "corrupt"));
        begins(o, "CORRUPT  " PATH);
}
END_TEST

START_TEST(what_nobody_used_has_not_ended)
{
        json_t *o = database();

        json_object_set_new(o, "certificates", json_array());
        begins(o, "NOT USED  " PATH);
}
END_TEST

START_TEST(a_file_that_begins_as_no_database_is_not_called_one)
{
        json_t *o = database();

        json_object_set_new(o, "engine", json_string("unknown"));
        begins(o, "CLEAN  " PATH "  (no SQLite header: encrypted, or another file)\n");
}
END_TEST

START_TEST(kept_files_of_a_damaged_one_are_no_backup)
{
        json_t *o = database();

        json_object_set_new(o, "backup",
                            json_pack("{s:s, s:s, s:b, s:i}", "path", "/b/evidence/app", "class", "evidence",
                                      "verified", 0, "bytes", 4096));
        char *text = text_of(o);
        ck_assert_ptr_nonnull(strstr(text, "evidence        the files as they are, no backup: /b/evidence/app"));
        ck_assert_ptr_nonnull(strstr(text, "there is no verified backup"));
        ck_assert_ptr_null(strstr(text, "NOT verified"));
        free(text);
}
END_TEST

START_TEST(a_backup_says_whether_it_is_verified)
{
        json_t *o = database();

        json_object_set_new(o, "backup",
                            json_pack("{s:s, s:s, s:b, s:s}", "path", "/b/app.db", "class", "backup", "verified", 0,
                                      "reason", "it could not be opened"));
        char *text = text_of(o);
        ck_assert_ptr_nonnull(strstr(text, "backup          NOT verified: /b/app.db"));
        ck_assert_ptr_nonnull(strstr(text, "it could not be opened"));
        free(text);
}
END_TEST

/* Whether the report on @database, whose reference it takes, is one that nobody needs. */
static bool is_uneventful(json_t *database, const char *trust)
{
        json_t *report = json_pack("{s:[o], s:{s:s}}", "databases", database, "trust", "level", trust);
        bool quiet = report_is_uneventful(report);

        json_decref(report);
        return quiet;
}

START_TEST(only_a_clean_end_that_was_seen_whole_is_uneventful)
{
        json_t *o = database();

        ck_assert(is_uneventful(json_incref(o), "full"));
        ck_assert(!is_uneventful(json_incref(o), "partial"));
        json_object_set_new(o, "integrity", json_pack("{s:s}", "result", "failed"));
        ck_assert(!is_uneventful(o, "full"));
        o = database();
        json_object_set_new(o, "verdict", json_string("abrupt"));
        ck_assert(!is_uneventful(o, "full"));
        o = database();
        json_object_set_new(o, "findings", json_pack("[{s:s}]", "code", "sync-error"));
        ck_assert(!is_uneventful(o, "full"));
}
END_TEST

SUITE("text", a_verdict_stands_first, damage_is_worse_than_a_clean_end, what_nobody_used_has_not_ended,
      a_file_that_begins_as_no_database_is_not_called_one, kept_files_of_a_damaged_one_are_no_backup,
      a_backup_says_whether_it_is_verified, only_a_clean_end_that_was_seen_whole_is_uneventful)
