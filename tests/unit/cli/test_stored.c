/* test_stored.c - what is known while no daemon runs, and that asking changes nothing. */
#include "cli/stored.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"
#include "suite.h"

#define NOW 1795260000000000000

static char nearest[STORED_NAME];
static char dir[] = "/tmp/vigil-stored-XXXXXX";

static const char *path_of(const char *name)
{
        static char path[128];
        snprintf(path, sizeof(path), "%s/%s", dir, name);
        return path;
}

static void clean(void)
{
        unlink(path_of("vigil.db"));
        unlink(path_of("vigil.db-journal"));
        rmdir(dir);
}

static void make_store(void)
{
        struct store *s;
        enum store_opened how;
        char *aside;
        json_t *doc = json_pack("{s:s, s:s}", "id", "c-1", "verdict", "unclean");
        ck_assert_int_eq(store_open(dir, false, &s, &how, &aside), 0);
        ck_assert_int_eq(store_begin(s), 0);
        ck_assert_int_eq(store_put_incident(s, &(struct store_incident){.id = "i-1",
                                                                        .code = "unclean-death",
                                                                        .severity = "P1",
                                                                        .status = "firing",
                                                                        .database = "app",
                                                                        .path = "/app.db",
                                                                        .summary = "it died",
                                                                        .started_ns = NOW}),
                         0);
        ck_assert_int_eq(store_put_certificate(s, "c-1", "app", "i-1", "unclean", NOW, doc), 0);
        ck_assert_int_eq(store_put_finding(s, "f-1", "app", "i-1", "unclean-death", "P1", NOW, doc), 0);
        for (int i = 0; i < 3; i++)
                ck_assert_int_eq(store_put_event(s, "death", "app", NOW + i, doc, NULL), 0);
        ck_assert_int_eq(store_commit(s), 0);
        json_decref(doc);
        store_close(s);
}

static int ask(const char *command, json_t *args, json_t **ret)
{
        *ret = NULL;
        int r = stored_answer(dir, command, args, nearest, ret);
        json_decref(args);
        return r;
}

static size_t entries(const char *command, const char *key, json_t *args)
{
        json_t *document;
        ck_assert_int_eq(ask(command, args, &document), 0);
        size_t n = json_array_size(json_object_get(document, key));
        json_decref(document);
        return n;
}

START_TEST(incidents_certificates_and_events_are_read_and_nothing_is_changed)
{
        struct stat before, after;
        ck_assert_ptr_nonnull(mkdtemp(dir));
        make_store();
        ck_assert_int_eq(stat(path_of("vigil.db"), &before), 0);
        ck_assert_uint_eq(entries("incidents", "incidents", json_object()), 1);
        ck_assert_uint_eq(entries("incidents", "incidents", json_pack("{s:s}", "status", "resolved")), 0);
        ck_assert_uint_eq(entries("incident", "incidents", json_pack("{s:s}", "id", "i-1")), 1);
        ck_assert_uint_eq(entries("incident", "finding_details", json_pack("{s:s}", "id", "i-1")), 1);
        ck_assert_uint_eq(entries("certificates", "certificates", json_pack("{s:s}", "database", "app")), 1);
        ck_assert_uint_eq(entries("certificate", "certificates", json_pack("{s:s}", "id", "c-1")), 1);
        ck_assert_uint_eq(entries("events", "events", json_object()), 3);
        ck_assert_uint_eq(entries("events", "events", json_pack("{s:i}", "after", 2)), 1);
        ck_assert_uint_eq(entries("summary", "rows", json_pack("{s:[s, s]}", "by", "db", "op")), 0);
        ck_assert_int_eq(stat(path_of("vigil.db"), &after), 0);
        ck_assert(before.st_mtim.tv_sec == after.st_mtim.tv_sec && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
        clean();
}
END_TEST

START_TEST(an_id_that_nobody_knows_is_no_missing_store)
{
        json_t *document;
        ck_assert_ptr_nonnull(mkdtemp(dir));
        ck_assert_int_eq(ask("certificate", json_pack("{s:s}", "id", "c-1"), &document), -ENOENT);
        make_store();
        ck_assert_int_eq(ask("certificate", json_pack("{s:s}", "id", "c-2"), &document), -ENOKEY);
        ck_assert_int_eq(ask("incident", json_pack("{s:s}", "id", "i-2"), &document), -ENOKEY);
        ck_assert_ptr_null(document);
        clean();
}
END_TEST

START_TEST(a_database_that_nobody_knows_is_not_told_to_be_well)
{
        static const char *const commands[] = {"incidents", "certificates", "summary", "events"};
        json_t *document;
        ck_assert_ptr_nonnull(mkdtemp(dir));
        make_store();
        for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
                ck_assert_int_eq(ask(commands[i], json_pack("{s:s}", "database", "apq"), &document), -ENXIO);
                ck_assert_str_eq(nearest, "app");
                ck_assert_int_eq(ask(commands[i], json_pack("{s:s}", "database", "elsewhere"), &document), -ENXIO);
                ck_assert_str_eq(nearest, "");
                ck_assert_int_eq(ask(commands[i], json_pack("{s:s}", "database", "app"), &document), 0);
                json_decref(document);
        }
        clean();
}
END_TEST

START_TEST(what_only_a_daemon_knows_is_not_made_up)
{
        static const char *const commands[] = {"status", "health", "incident-ack", "incident-resolve"};
        json_t *document;
        ck_assert_ptr_nonnull(mkdtemp(dir));
        make_store();
        for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
                ck_assert_int_eq(ask(commands[i], json_object(), &document), -ENOSYS);
        clean();
}
END_TEST

static void write_at(off_t offset, const char *bytes, size_t n)
{
        int fd = open(path_of("vigil.db"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        ck_assert_int_eq(pwrite(fd, bytes, n, offset), (ssize_t)n);
        close(fd);
}

START_TEST(what_is_no_store_of_this_version_is_told_and_left_alone)
{
        json_t *document;
        struct stat st;
        ck_assert_ptr_nonnull(mkdtemp(dir));
        make_store();
        write_at(60, "\0\0\0\x63", 4); /* user_version */
        ck_assert_int_eq(ask("incidents", json_object(), &document), -EPROTONOSUPPORT);
        write_at(0, "not a database at all", 21);
        ck_assert_int_eq(ask("incidents", json_object(), &document), -EUCLEAN);
        ck_assert_int_eq(truncate(path_of("vigil.db"), 0), 0);
        ck_assert_int_eq(ask("incidents", json_object(), &document), -EUCLEAN);
        ck_assert_int_eq(stat(path_of("vigil.db"), &st), 0);
        ck_assert_int_eq(st.st_size, 0);
        clean();
}
END_TEST

SUITE("stored", incidents_certificates_and_events_are_read_and_nothing_is_changed,
      an_id_that_nobody_knows_is_no_missing_store, a_database_that_nobody_knows_is_not_told_to_be_well,
      what_only_a_daemon_knows_is_not_made_up, what_is_no_store_of_this_version_is_told_and_left_alone)
