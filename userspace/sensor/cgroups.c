/* cgroups.c - see cgroups.h. */
#include "sensor/cgroups.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "sensor/proctext.h"

#define FILE_MAX 4096 /* of a control file */

/* The directory of cgroup @path in the hierarchy of @controller (NULL: version 2). */
static bool find_mount(const struct mounts *mounts, const char *controller, char ret[PATH_MAX], const char *path)
{
        for (size_t i = 0; i < mounts->n; i++) {
                const struct mount *m = &mounts->item[i];

                if (strcmp(m->type, controller ? "cgroup" : "cgroup2") != 0 ||
                    (controller && !mounts_has_option(m->options, controller)))
                        continue;
                /* Mounted is the whole hierarchy, or the part of it that a container has: then paths begin there. */
                size_t root = strcmp(m->root, "/") == 0 ? 0 : strlen(m->root);
                if (root && (strncmp(path, m->root, root) != 0 || (path[root] && path[root] != '/')))
                        continue;
                return snprintf(ret, PATH_MAX, "%s%s", m->point, path + root) < PATH_MAX;
        }
        return false;
}

static bool read_number(const char *dir, const char *file, const char *key, uint64_t *ret)
{
        _cleanup_free_ char *text = NULL;
        char path[PATH_MAX + 32];

        snprintf(path, sizeof(path), "%s/%s", dir, file);
        return io_read_file(path, FILE_MAX, &text, NULL) == 0 && proctext_number(text, key, ret);
}

/* Adds @key of @file in @dir and in the directories above it that have it. A quota counts where it is set. */
static bool sum_upwards(char *dir, const char *file, const char *key, uint64_t *ret)
{
        uint64_t one;
        bool any = false;

        for (char *end = dir + strlen(dir); end && end != dir; end = strrchr(dir, '/')) {
                *end = 0;
                if (!read_number(dir, file, key, &one)) {
                        if (any)
                                break;
                        continue;
                }
                *ret += one;
                any = true;
        }
        return any;
}

static bool freezer_v1(const char *dir, bool *ret)
{
        _cleanup_free_ char *text = NULL;
        char path[PATH_MAX + 32];

        snprintf(path, sizeof(path), "%s/freezer.state", dir);
        if (io_read_file(path, FILE_MAX, &text, NULL) < 0)
                return false;
        *ret |= strcmp(text, "FROZEN\n") == 0;
        return true;
}

int cgroups_look(const char *memberships, const struct mounts *mounts, struct cgroup_state *ret)
{
        struct cgroup_state st = {0};
        char path[1024], dir[PATH_MAX];
        uint64_t number = 0;
        bool any = false;

        if (proctext_cgroup(memberships, NULL, path, sizeof(path)) && find_mount(mounts, NULL, dir, path)) {
                /* The root has no such file, and cannot be frozen. */
                any = strcmp(path, "/") == 0 || read_number(dir, "cgroup.events", "frozen", &number);
                st.frozen = number != 0;
                any |= sum_upwards(dir, "cpu.stat", "throttled_usec", &st.throttled_us);
        }
        if (proctext_cgroup(memberships, "freezer", path, sizeof(path)) && find_mount(mounts, "freezer", dir, path))
                any |= strcmp(path, "/") == 0 || freezer_v1(dir, &st.frozen);
        if (proctext_cgroup(memberships, "cpu", path, sizeof(path)) && find_mount(mounts, "cpu", dir, path)) {
                uint64_t ns = 0;
                any |= sum_upwards(dir, "cpu.stat", "throttled_time", &ns);
                st.throttled_us += ns / 1000;
        }
        if (!any)
                return -ENOENT;
        *ret = st;
        return 0;
}
