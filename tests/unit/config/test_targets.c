/* test_targets.c - which files a configuration comes to, and what a reload changes. */
#include "suite.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

static char dir[] = "/tmp/vigil-targets-XXXXXX";

static void touch(const char *name)
{
        char path[200];

        snprintf(path, sizeof(path), "%s/%s", dir, name);
        int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        ck_assert_int_ge(fd, 0);
        close(fd);
}

static void remove_all(void)
{
        static const char *const names[] = {"one.db", "one.db-wal", "one.db-shm", "two two.db", "named.db"};
        char path[200];

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
                unlink(path);
        }
        snprintf(path, sizeof(path), "%s/dir.db", dir);
        rmdir(path);
        ck_assert_int_eq(rmdir(dir), 0);
}

static struct config *parse(const char *format, ...) __attribute__((format(printf, 1, 2)));
static struct config *parse(const char *format, ...)
{
        struct config_errors errors;
        struct config *c = NULL;
        char text[1000];
        va_list ap;

        va_start(ap, format);
        vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        ck_assert_int_eq(config_parse("test", text, &c, &errors), 0);
        return c;
}

START_TEST(a_glob_gives_databases_and_neither_companions_nor_directories)
{
        struct config_target *t = NULL;
        size_t n = 0;
        bool one = false, two = false;

        ck_assert_ptr_nonnull(mkdtemp(dir));
        touch("one.db");
        touch("one.db-wal");
        touch("one.db-shm");
        touch("two two.db");
        touch("named.db");
        char sub[200];
        snprintf(sub, sizeof(sub), "%s/dir.db", dir);
        ck_assert_int_eq(mkdir(sub, 0700), 0);
        struct config *c = parse("database 'all' { glob = '%s/*' }\ndatabase 'own' { path = '%s/named.db' }\n", dir,
                                 dir);
        ck_assert_int_eq(config_targets(c, &t, &n), 0);
        ck_assert_uint_eq(n, 3);
        ck_assert_str_eq(t[0].name, "own"); /* what was named goes first, and is not found again by the glob */
        for (size_t i = 1; i < n; i++) {
                one = one || !strcmp(t[i].name, "all-one.db");
                two = two || !strcmp(t[i].name, "all-two_two.db");
        }
        ck_assert(one && two);
        config_targets_free(t, n);
        config_free(c);
        remove_all();
}
END_TEST

START_TEST(a_glob_that_matches_nothing_is_no_error)
{
        struct config_target *t = NULL;
        size_t n = 7;
        struct config *c = parse("database 'all' { glob = '/nonexistent/*.db' }");

        ck_assert_int_eq(config_targets(c, &t, &n), 0);
        ck_assert_uint_eq(n, 0);
        config_targets_free(t, n);
        config_free(c);
}
END_TEST

struct seen {
        unsigned count[4];
        char kept[64];
};

static int see(void *userdata, enum config_change change, const struct config_target *before,
               const struct config_target *now)
{
        struct seen *s = userdata;

        s->count[change]++;
        ck_assert_int_eq(before == NULL, change == CONFIG_ADDED);
        ck_assert_int_eq(now == NULL, change == CONFIG_GONE);
        return 0;
}

START_TEST(a_reload_keeps_changes_adds_and_sweeps)
{
        struct config *old = parse("database 'same' { path = '/same' }\n"
                                   "database 'policy' { path = '/policy' }\n"
                                   "database 'name' { path = '/name' }\n"
                                   "database 'gone' { path = '/gone' }\n");
        struct config *new = parse("database 'same' { path = '/same' }\n"
                                   "database 'policy' { path = '/policy' backup { keep = 3 } }\n"
                                   "database 'other' { path = '/name' }\n"
                                   "database 'new' { path = '/new' }\n");
        struct config_target *a = NULL, *b = NULL;
        size_t na = 0, nb = 0;
        struct seen s = {0};

        ck_assert_int_eq(config_targets(old, &a, &na), 0);
        ck_assert_int_eq(config_targets(new, &b, &nb), 0);
        ck_assert_int_eq(config_diff(a, na, b, nb, see, &s), 0);
        ck_assert_uint_eq(s.count[CONFIG_KEPT], 1);
        ck_assert_uint_eq(s.count[CONFIG_CHANGED], 2);
        ck_assert_uint_eq(s.count[CONFIG_ADDED], 1);
        ck_assert_uint_eq(s.count[CONFIG_GONE], 1);
        config_targets_free(a, na);
        config_targets_free(b, nb);
        config_free(old);
        config_free(new);
}
END_TEST

SUITE("targets", a_glob_gives_databases_and_neither_companions_nor_directories,
      a_glob_that_matches_nothing_is_no_error, a_reload_keeps_changes_adds_and_sweeps)
