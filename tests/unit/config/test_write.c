/* test_write.c - databases that were found become a configuration that can be read, whatever their paths are. */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/write.h"

/* What the configuration of a found database at @path is read as. */
static struct config *written_and_read(const char *path)
{
        char name[CONFIG_NAME_LEN];
        struct config_database d = {.name = name, .path = (char *)path};
        static struct config_errors errors;
        struct config *c = NULL;
        char *text = NULL;
        size_t n = 0;
        FILE *out = open_memstream(&text, &n);

        ck_assert_int_eq(config_found_name(path, name), 0);
        config_found_policy(&d);
        config_write_database(out, &d);
        fclose(out);
        memset(&errors, 0, sizeof(errors));
        int r = config_parse("found", text, &c, &errors);
        ck_assert_msg(r == 0, "%s\n%s", errors.n ? errors.item[0].text : "?", text);
        ck_assert_uint_eq(errors.n, 0);
        ck_assert_uint_eq(c->ndatabases, 1);
        free(text);
        return c;
}

START_TEST(what_is_written_is_what_is_read)
{
        struct config *c = written_and_read("/srv/orders/orders.db");
        const struct config_database *d = &c->database[0];
        struct config_database policy = {0};

        config_found_policy(&policy);
        ck_assert_str_eq(d->path, "/srv/orders/orders.db");
        ck_assert_uint_eq(d->backup.on, policy.backup.on);
        ck_assert_uint_eq(d->backup.keep, policy.backup.keep);
        ck_assert_uint_eq(d->backup.min_interval_ms, policy.backup.min_interval_ms);
        ck_assert_uint_eq(d->backup.max_per_hour, policy.backup.max_per_hour);
        ck_assert_uint_eq(d->backup.byte_budget, policy.backup.byte_budget);
        ck_assert_uint_eq(d->check.every_ms, policy.check.every_ms);
        ck_assert_uint_eq(d->check.deadline_ms, policy.check.deadline_ms);
        config_free(c);
}
END_TEST

/* Alone, behind a backslash, before one, doubled: every byte that a path may have. */
START_TEST(a_path_may_have_any_byte)
{
        for (unsigned b = 1; b < 256; b++) {
                char path[64];

                snprintf(path, sizeof(path), "/srv/%c/\\%c%c\\/x%c", (char)b, (char)b, (char)b, (char)b);
                struct config *c = written_and_read(path);
                ck_assert_msg(strcmp(c->database[0].path, path) == 0, "byte %u", b);
                config_free(c);
        }
}
END_TEST

START_TEST(what_looks_like_syntax_is_none)
{
        static const char *const paths[] = {"/a/${HOME}", "/a/' }", "/a/\"} #", "/a/\n}\nstate-dir = '/x'\n",
                                            "/a/*/",      "/\\"};

        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
                struct config *c = written_and_read(paths[i]);
                ck_assert_str_eq(c->database[0].path, paths[i]);
                ck_assert_str_eq(c->state_dir, CONFIG_STATE_DIR);
                config_free(c);
        }
}
END_TEST

static void assert_name(const char *path, const char *begin)
{
        char name[CONFIG_NAME_LEN];

        ck_assert_int_eq(config_found_name(path, name), 0);
        ck_assert_msg(strncmp(name, begin, strlen(begin)) == 0, "%s", name);
        ck_assert_uint_eq(strlen(name), strlen(begin) + 8);
}

START_TEST(a_name_tells_the_file_and_is_one_that_a_configuration_takes)
{
        assert_name("/srv/orders.db", "orders-");
        assert_name("/srv/orders.sqlite3", "orders-");
        assert_name("/srv/.db", "_db-");
        assert_name("/srv/a b'c\xff.db", "a_b_c_-");
        assert_name("/srv/places.sqlite", "places-");
        assert_name("/srv/0123456789012345678901234567890123456789rest.db",
                    "0123456789012345678901234567890123456789-");
}
END_TEST

START_TEST(a_name_is_that_of_the_path_and_of_no_other)
{
        char a[CONFIG_NAME_LEN], b[CONFIG_NAME_LEN], c[CONFIG_NAME_LEN];

        config_found_name("/srv/a/app.db", a);
        config_found_name("/srv/a/app.db", b);
        config_found_name("/srv/b/app.db", c);
        ck_assert_str_eq(a, b);
        ck_assert_str_ne(a, c);
}
END_TEST

SUITE("write", what_is_written_is_what_is_read, a_path_may_have_any_byte, what_looks_like_syntax_is_none,
      a_name_tells_the_file_and_is_one_that_a_configuration_takes, a_name_is_that_of_the_path_and_of_no_other)
