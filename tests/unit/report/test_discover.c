/* test_discover.c - a list of databases becomes a configuration, whatever stands in it. */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "report/discover.h"

/* The text of the document, which must be a configuration of @n databases. */
static char *text_of(const char *json, size_t n)
{
        static struct config_errors errors;
        json_t *doc = json_loads(json, 0, NULL);
        struct config *c = NULL;
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);

        ck_assert_ptr_nonnull(doc);
        ck_assert_int_eq(discover_text(doc, "h\nost", 0, out), 0);
        fclose(out);
        json_decref(doc);
        memset(&errors, 0, sizeof(errors));
        int r = config_parse("found", text, &c, &errors);
        ck_assert_msg(r == 0, "%s\n%s", errors.n ? errors.item[0].text : "?", text);
        ck_assert_uint_eq(c->ndatabases, n);
        config_free(c);
        return text;
}

#define HEAD "{\"schema\": \"vigil.discover/1\", \"databases\": ["

START_TEST(nothing_is_a_configuration_too)
{
        free(text_of(HEAD "]}", 0));
        free(text_of("{\"schema\": \"vigil.discover/1\"}", 0));
}
END_TEST

START_TEST(one_is_proposed_with_its_users_and_one_left_out_with_the_reason)
{
        char *text = text_of(HEAD "{\"path\": \"/srv/a.db\", \"left_out\": null, \"journal_mode\": \"wal\","
                                  "\"bytes\": 4096, \"wal_bytes\": 8192, \"users\": 9, \"processes\": ["
                                  "{\"pid\": 7, \"uid\": 8, \"comm\": \"node\"}]},"
                                  "{\"path\": null, \"inside\": \"/x/b.db\", \"left_out\": \"deleted\"}]}",
                             1);

        ck_assert_ptr_nonnull(
                strstr(text, "journal mode wal, 4 KiB and a WAL of 8 KiB; open in node (pid 7, uid 8) and 8 more"));
        ck_assert_ptr_nonnull(strstr(text, "path = '/srv/a.db'"));
        ck_assert_ptr_nonnull(strstr(text, "# deleted: /x/b.db; "));
        free(text);
}
END_TEST

START_TEST(a_comment_of_many_users_is_of_several_lines)
{
        char json[2048];
        size_t n = (size_t)snprintf(
                json, sizeof(json),
                HEAD "{\"path\": \"/srv/a.db\", \"left_out\": null, \"users\": 12, \"processes\": [");
        for (int i = 0; i < 12; i++)
                n += (size_t)snprintf(json + n, sizeof(json) - n,
                                      "%s{\"pid\": %d, \"uid\": 8, \"comm\": \"python3\"}", i ? "," : "", 1000 + i);
        snprintf(json + n, sizeof(json) - n, "]}]}");
        char *text = text_of(json, 1);
        for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
                ck_assert_msg(strcspn(line, "\n") <= 100, "%s", text);
        ck_assert_ptr_nonnull(strstr(text, "(pid 1011, uid 8)"));
        free(text);
}
END_TEST

START_TEST(a_comment_ends_where_its_line_does)
{
        free(text_of(HEAD "{\"path\": \"/srv/a.db\", \"left_out\": null, \"processes\": ["
                          "{\"comm\": \"x\\n}\\nstate-dir = '/y'\"}]},"
                          "{\"path\": null, \"inside\": \"/x\\ndatabase\", \"left_out\": \"deleted\"}]}",
                     1));
}
END_TEST

START_TEST(bytes_that_are_no_text_come_from_the_hex)
{
        char *text = text_of(
                HEAD "{\"path\": \"/srv/?.db\", \"path_hex\": \"2f7372762fff2e6462\", \"left_out\": null}]}", 1);

        ck_assert_ptr_nonnull(strstr(text, "path = '/srv/\xff.db'"));
        free(text);
}
END_TEST

START_TEST(another_document_is_refused)
{
        json_t *doc = json_pack("{s:s}", "schema", "vigil.status/1");

        ck_assert_int_eq(discover_text(doc, "host", 0, stdout), -22);
        json_decref(doc);
}
END_TEST

SUITE("discover", nothing_is_a_configuration_too, one_is_proposed_with_its_users_and_one_left_out_with_the_reason,
      a_comment_of_many_users_is_of_several_lines, a_comment_ends_where_its_line_does,
      bytes_that_are_no_text_come_from_the_hex, another_document_is_refused)
