/* test_discover.c - open files of other processes: which of them are databases, and whose. */
#include "suite.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor/discover.h"

static char dir[] = "/tmp/vigil-discover-XXXXXX";
static char path[64];

/* A file with the header of a database in it. */
static void make(const char *name, size_t bytes, int version, uint32_t application)
{
        unsigned char page[4096] = "SQLite format 3";

        page[16] = 0x10;
        page[18] = page[19] = (unsigned char)version;
        for (int i = 0; i < 4; i++)
                page[68 + i] = (unsigned char)(application >> (24 - 8 * i));
        if (!strcmp(dir + strlen(dir) - 6, "XXXXXX"))
                ck_assert_ptr_nonnull(mkdtemp(dir));
        snprintf(path, sizeof(path), "%s/%s", dir, name);
        int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
        ck_assert_int_eq(write(fd, page, bytes), (ssize_t)bytes);
        close(fd);
}

static void remove_all(void)
{
        unlink(path);
        ck_assert_int_eq(rmdir(dir), 0);
}

/* Another program that has the file open; @own: this one. */
static pid_t hold(int flags, bool own)
{
        int ready[2];
        ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
        pid_t pid = fork();

        if (pid == 0) {
                int fd = open(path, flags); /* kept across exec */
                if (fd >= 0 && !own)
                        execl("/bin/sleep", "sleep", "100", (char *)NULL);
                close(ready[1]);
                pause();
                _exit(1);
        }
        char byte;
        close(ready[1]);
        /* The end of the pipe closes with the exec, or with the close above. */
        ck_assert_int_eq(read(ready[0], &byte, 1), 0);
        close(ready[0]);
        return pid;
}

static void end(pid_t pid)
{
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
}

/* The one that is called so. */
static const struct discovered *find(const struct discovery *d)
{
        for (size_t i = 0; i < d->n; i++)
                if (strcmp(d->database[i].inside, path) == 0)
                        return &d->database[i];
        return NULL;
}

START_TEST(a_database_that_somebody_has_open_is_found_with_who_it_is)
{
        struct discovery d;
        make("app.db", 4096, 2, 0);
        pid_t one = hold(O_RDWR, false), two = hold(O_RDONLY, false);

        ck_assert_int_eq(discover(true, &d), 0);
        const struct discovered *f = find(&d);
        ck_assert_ptr_nonnull(f);
        ck_assert_str_eq(f->path, path);
        ck_assert_str_eq(f->journal_mode, "wal");
        ck_assert_uint_eq(f->bytes, 4096);
        ck_assert_ptr_null(f->left_out);
        ck_assert(f->writable);
        ck_assert_uint_eq(f->users, 2);
        for (int i = 0; i < 2; i++) {
                ck_assert(f->user[i].pid == one || f->user[i].pid == two);
                ck_assert_str_eq(f->user[i].comm, "sleep");
                ck_assert_uint_eq(f->user[i].uid, getuid());
                ck_assert_uint_gt(f->user[i].start_ns, 0);
        }
        discover_done(&d);
        end(one);
        end(two);
        remove_all();
}
END_TEST

/* What is left out, and why, as it is asked for by default. */
static const char *left_out(int flags)
{
        static char why[32];
        struct discovery d;
        pid_t pid = hold(flags, false);

        ck_assert_int_eq(discover(false, &d), 0);
        const struct discovered *f = find(&d);
        snprintf(why, sizeof(why), "%s", !f ? "not found" : f->left_out ? f->left_out : "");
        discover_done(&d);
        end(pid);
        return why;
}

START_TEST(what_lies_below_tmp_is_temporary)
{
        make("app.db", 4096, 1, 0);
        ck_assert_str_eq(left_out(O_RDWR), "temporary");
        remove_all();
}
END_TEST

START_TEST(what_is_no_database_is_not_found)
{
        make("short.db", 99, 1, 0);
        ck_assert_str_eq(left_out(O_RDWR), "not found");
        remove_all();
}
END_TEST

START_TEST(a_descriptor_that_can_neither_read_nor_write_is_no_use)
{
        make("app.db", 4096, 1, 0);
        ck_assert_str_eq(left_out(O_PATH), "not found");
        remove_all();
}
END_TEST

START_TEST(a_store_of_vigil_is_not_found)
{
        make("vigil.db", 4096, 1, 1447512396);
        ck_assert_str_eq(left_out(O_RDWR), "not found");
        remove_all();
}
END_TEST

START_TEST(what_this_program_has_open_is_not_found)
{
        struct discovery d;
        make("app.db", 4096, 1, 0);
        pid_t pid = hold(O_RDWR, true);

        ck_assert_int_eq(discover(true, &d), 0);
        ck_assert_ptr_null(find(&d));
        discover_done(&d);
        end(pid);
        remove_all();
}
END_TEST

START_TEST(the_document_names_it)
{
        struct discovery d;
        make("app.db", 4096, 1, 0);
        pid_t pid = hold(O_RDWR, false);
        json_t *doc, *e, *found = NULL;
        size_t i;

        ck_assert_int_eq(discover(true, &d), 0);
        doc = discover_json(&d);
        json_array_foreach (json_object_get(doc, "databases"), i, e)
                if (json_is_string(json_object_get(e, "path")) &&
                    !strcmp(json_string_value(json_object_get(e, "path")), path))
                        found = e;
        ck_assert_ptr_nonnull(found);
        ck_assert_int_eq(strncmp(json_string_value(json_object_get(found, "name")), "app-", 4), 0);
        ck_assert_str_eq(json_string_value(json_object_get(found, "journal_mode")), "rollback");
        ck_assert_uint_eq(json_array_size(json_object_get(found, "processes")), 1);
        json_decref(doc);
        discover_done(&d);
        end(pid);
        remove_all();
}
END_TEST

SUITE("discover", a_database_that_somebody_has_open_is_found_with_who_it_is, what_lies_below_tmp_is_temporary,
      what_is_no_database_is_not_found, a_descriptor_that_can_neither_read_nor_write_is_no_use,
      a_store_of_vigil_is_not_found, what_this_program_has_open_is_not_found, the_document_names_it)
