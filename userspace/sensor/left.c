/* left.c - watches that a killed daemon has left in the kernel and nobody has taken over. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fnv.h"
#include "sensor/pins.h"
#include "sensor/sensor.h"

void sensor_keep_name(const char *state_dir, char ret[SENSOR_KEEP_NAME])
{
        snprintf(ret, SENSOR_KEEP_NAME, "%016" PRIx64, fnv_add(FNV_BEGIN, state_dir, strlen(state_dir)));
}

static bool is_empty(int fd)
{
        _cleanup_close_ int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_closedir_ DIR *d = copy < 0 ? NULL : fdopendir(copy);
        size_t n = 0;

        if (d)
                copy = -1;
        for (const struct dirent *e; d && (e = readdir(d));)
                n += e->d_name[0] != '.';
        return n == 0;
}

/* The lock is that of whoever uses it; ours is given back at once, and whoever begins just now waits for it. */
static bool is_left(int dirfd, const char *name)
{
        _cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

        return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && !is_empty(fd);
}

int sensor_left(void (*each)(void *userdata, const char *dir, const char *name), void *userdata)
{
        _cleanup_closedir_ DIR *d = opendir(PINS_DIR);
        char path[PATH_MAX];
        int n = 0;

        if (!d)
                return errno == ENOENT ? 0 : -errno;
        for (const struct dirent *e; (e = readdir(d));) {
                if (e->d_name[0] == '.' || !is_left(dirfd(d), e->d_name))
                        continue;
                snprintf(path, sizeof(path), "%s/%s", PINS_DIR, e->d_name);
                each(userdata, path, e->d_name);
                n++;
        }
        return n;
}
