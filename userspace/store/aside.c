/* aside.c - see aside.h. */
#include "store/aside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define PREFIX STORE_FILE ".corrupt-"

/* The database itself is last. */
static const char *const companions[] = {"-journal", "-wal", "-shm", ""};
#define COMPANIONS (sizeof(companions) / sizeof(companions[0]))

static int is_aside(const struct dirent *e)
{
        if (strncmp(e->d_name, PREFIX, strlen(PREFIX)) != 0)
                return 0;
        for (size_t i = 0; i + 1 < COMPANIONS; i++) {
                size_t n = strlen(e->d_name), m = strlen(companions[i]);
                if (n > m && strcmp(e->d_name + n - m, companions[i]) == 0)
                        return 0;
        }
        return 1;
}

static void remove_one(int dirfd, const char *name)
{
        char path[NAME_MAX + 16];
        for (size_t i = 0; i < COMPANIONS; i++) {
                snprintf(path, sizeof(path), "%s%s", name, companions[i]);
                unlinkat(dirfd, path, 0);
        }
}

/* What cannot be removed stays: that is no reason not to go on. */
static void remove_old(int dirfd)
{
        struct dirent **list;
        int n = scandirat(dirfd, ".", &list, is_aside, alphasort);
        for (int i = 0; i < n; i++) {
                if (i < n - ASIDE_MAX)
                        remove_one(dirfd, list[i]->d_name);
                free(list[i]);
        }
        if (n >= 0)
                free(list);
}

static int rename_all(int dirfd, const char *name)
{
        char from[64], to[96];
        for (size_t i = 0; i < COMPANIONS; i++) {
                snprintf(from, sizeof(from), "%s%s", STORE_FILE, companions[i]);
                snprintf(to, sizeof(to), "%s%s", name, companions[i]);
                bool optional = i + 1 < COMPANIONS;
                if (renameat2(dirfd, from, dirfd, to, RENAME_NOREPLACE) < 0 && !(optional && errno == ENOENT))
                        return -errno;
        }
        return 0;
}

int aside_set(int dirfd, char **ret_name)
{
        char stamp[32], name[64];
        time_t now = time(NULL);
        struct tm tm;
        if (!gmtime_r(&now, &tm) || strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm) == 0)
                strcpy(stamp, "0");
        int r = -EEXIST;
        for (unsigned try = 1; r == -EEXIST && try < 100; try++) {
                if (try == 1)
                        snprintf(name, sizeof(name), PREFIX "%s", stamp);
                else
                        snprintf(name, sizeof(name), PREFIX "%s.%02u", stamp, try);
                r = rename_all(dirfd, name);
        }
        if (r < 0)
                return r;
        if (fsync(dirfd) < 0)
                return -errno;
        remove_old(dirfd);
        *ret_name = strdup(name);
        return *ret_name ? 0 : -ENOMEM;
}
