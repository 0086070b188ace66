/* resolve.c - see resolve.h. */
#include "base/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel follows: MAXSYMLINKS of include/linux/namei.h */

static int join(char ret[PATH_MAX], const char *dir, size_t n, const char *name)
{
        return snprintf(ret, PATH_MAX, "%.*s/%s", (int)n, dir, name) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* The file is missing, its directory is not. */
static int resolve_directory(const char *path, char ret[PATH_MAX])
{
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
        char dir[PATH_MAX], copy[PATH_MAX];

        if (!*name)
                return -ENOENT;
        snprintf(copy, sizeof(copy), "%.*s", slash ? (int)(slash - path) : 0, path);
        if (!realpath(!slash ? "." : *copy ? copy : "/", dir))
                return -errno;
        return join(ret, dir, strcmp(dir, "/") == 0 ? 0 : strlen(dir), name);
}

/* @path: absolute. @return 1: it is a link to what does not exist, and @ret where that would be; 0 or -errno */
static int follow(const char *path, char ret[PATH_MAX])
{
        char target[PATH_MAX];
        struct stat st;
        ssize_t n = readlink(path, target, sizeof(target) - 1);

        /* Some of /proc lead to files that no path leads to. */
        if (n < 0 || stat(path, &st) == 0)
                return 0;
        target[n] = '\0';
        if (*target == '/')
                strcpy(ret, target);
        else if (join(ret, path, (size_t)(strrchr(path, '/') - path), target) < 0)
                return -ENAMETOOLONG;
        return 1;
}

int resolve_file(const char *path, char ret[PATH_MAX])
{
        char at[PATH_MAX];

        if (strlen(path) >= sizeof(at))
                return -ENAMETOOLONG;
        strcpy(at, path);
        for (int i = 0; i < LINKS_MAX; i++) {
                if (realpath(at, ret))
                        return 0;
                if (errno != ENOENT)
                        return -errno;
                int r = resolve_directory(at, ret);
                if (r == 0)
                        r = follow(ret, at);
                if (r <= 0)
                        return r;
        }
        return -ELOOP;
}
