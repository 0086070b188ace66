/* taking.c - copies that the tests take. */
#include "taking.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database.h"

const struct snapshot_options taking_defaults = {.others_may_write = true, .deadline_ms = 20000};

int taking_dir(void)
{
        char dir[200];
        strcpy(dir, place("copies"));
        ck_assert(mkdir(dir, 0700) == 0 || errno == EEXIST);
        int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        return fd;
}

int take(const char *path, const char *name, const struct snapshot_options *options, struct snapshot_result *ret)
{
        int dir = taking_dir();
        int err = snapshot_take(path, dir, name, options, ret);
        close(dir);
        return err;
}

struct snapshot_result taken(const char *path, const char *name)
{
        struct snapshot_result r;
        int err = take(path, name, &taking_defaults, &r);
        ck_assert_msg(err == 0, "%s: %s (%s)", path, strerror(-err), r.reason);
        return r;
}

const char *copy_path(const char *name)
{
        static char path[256];
        snprintf(path, sizeof(path), "%s/%s", place("copies"), name);
        return path;
}

int left_there(void)
{
        int n = 0;
        DIR *d = opendir(place("copies"));
        for (struct dirent *e; d && (e = readdir(d));)
                n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
        if (d)
                closedir(d);
        return n;
}
