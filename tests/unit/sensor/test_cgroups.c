/* test_cgroups.c - frozen and throttled, out of trees that look like cgroupfs. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/cgroups.h"
#include "suite.h"

static char top[64];

static void setup_tree(void)
{
        strcpy(top, "/tmp/vigil-cgroups-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(top));
}

static void tear_down(void)
{
        char command[128];

        snprintf(command, sizeof(command), "rm -rf '%s'", top);
        ck_assert_int_eq(system(command), 0); /* NOLINT(cert-env33-c): a fixed command on a directory of our own */
}

static void put(const char *file, const char *text)
{
        char path[256];

        snprintf(path, sizeof(path), "%s/%s", top, file);
        for (char *slash = strchr(path + strlen(top) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = 0;
                mkdir(path, 0700);
                *slash = '/';
        }
        FILE *f = fopen(path, "w");
        ck_assert_ptr_nonnull(f);
        fputs(text, f);
        fclose(f);
}

static int look(const char *memberships, const char *mounts, struct cgroup_state *ret)
{
        char text[512];
        struct mounts m;

        snprintf(text, sizeof(text), mounts, top, top, top);
        ck_assert_int_eq(mounts_parse(text, &m), 0);
        int r = cgroups_look(memberships, &m, ret);
        mounts_done(&m);
        return r;
}

#define V2 "40 30 0:29 / %s rw - cgroup2 cgroup2 rw\n"

START_TEST(version_2_tells_of_freezing_and_of_every_quota_above)
{
        struct cgroup_state st;

        setup_tree();
        put("a/b/cgroup.events", "populated 1\nfrozen 1\n");
        put("a/b/cpu.stat", "usage_usec 5\nthrottled_usec 30\n");
        put("a/cpu.stat", "usage_usec 5\nthrottled_usec 400\n");
        put("cpu.stat", "usage_usec 5\n");
        ck_assert_int_eq(look("0::/a/b\n", V2, &st), 0);
        ck_assert(st.frozen);
        ck_assert_uint_eq(st.throttled_us, 430);
        tear_down();
}
END_TEST

START_TEST(what_runs_freely_is_neither)
{
        struct cgroup_state st;

        setup_tree();
        put("a/cgroup.events", "populated 1\nfrozen 0\n");
        ck_assert_int_eq(look("0::/a\n", V2, &st), 0);
        ck_assert(!st.frozen);
        ck_assert_uint_eq(st.throttled_us, 0);
        ck_assert_int_eq(look("0::/\n", V2, &st), 0); /* the root can be neither */
        ck_assert(!st.frozen);
        tear_down();
}
END_TEST

START_TEST(version_1_has_a_hierarchy_for_each)
{
        struct cgroup_state st;

        setup_tree();
        put("f/j/freezer.state", "FROZEN\n");
        put("c/j/cpu.stat", "nr_throttled 1\nthrottled_time 7000\n");
        put("c/cpu.stat", "nr_throttled 0\nthrottled_time 0\n");
        ck_assert_int_eq(look("2:cpu,cpuacct:/j\n1:freezer:/j\n0::/\n",
                              "41 30 0:30 / %s/f rw - cgroup cgroup rw,freezer\n"
                              "42 30 0:31 / %s/c rw - cgroup cgroup rw,cpu,cpuacct\n",
                              &st),
                         0);
        ck_assert(st.frozen);
        ck_assert_uint_eq(st.throttled_us, 7);
        tear_down();
}
END_TEST

START_TEST(a_part_of_a_hierarchy_that_is_mounted_begins_at_its_root)
{
        struct cgroup_state st;

        setup_tree();
        put("b/cgroup.events", "frozen 1\n");
        ck_assert_int_eq(look("0::/box/b\n", "40 30 0:29 /box %s rw - cgroup2 cgroup2 rw\n", &st), 0);
        ck_assert(st.frozen);
        ck_assert_int_eq(look("0::/boxer/b\n", "40 30 0:29 /box %s rw - cgroup2 cgroup2 rw\n", &st), -ENOENT);
        tear_down();
}
END_TEST

START_TEST(what_cannot_be_read_is_not_called_free)
{
        struct cgroup_state st;

        setup_tree();
        ck_assert_int_eq(look("0::/gone\n", V2, &st), -ENOENT);
        ck_assert_int_eq(look("", V2, &st), -ENOENT);
        ck_assert_int_eq(look("0::/a\n", "nonsense\n", &st), -ENOENT);
        tear_down();
}
END_TEST

SUITE("cgroups", version_2_tells_of_freezing_and_of_every_quota_above, what_runs_freely_is_neither,
      version_1_has_a_hierarchy_for_each, a_part_of_a_hierarchy_that_is_mounted_begins_at_its_root,
      what_cannot_be_read_is_not_called_free)
