/* pins.c - see pins.h: the directory and what lies in it. */
#include "sensor/pins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "sensor/internal.h"

#define UNFINISHED "unfinished"

/* Helpers of a daemon that was killed hold its lock until they have noticed. */
#define LOCK_WAIT_NS 3000000000ull

static int explain(struct pins *p, int r, const char *what)
{
        snprintf(p->why, sizeof(p->why), "%.200s: %s", what, strerror(-r));
        return r;
}

/* ---- the directory ---- */

static int wait_for_lock(int fd)
{
        uint64_t end = clock_boottime_ns() + LOCK_WAIT_NS;

        while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                if (errno != EWOULDBLOCK || clock_boottime_ns() > end)
                        return -errno;
                usleep(20000);
        }
        return 0;
}

/* Whoever ends removes what is empty then: the directory of all, and that of the daemon before this one. */
#define TRIES 100

static int make_dir(const char *dir)
{
        for (unsigned i = 0; i < TRIES; i++) {
                if (mkdir(PINS_DIR, 0700) < 0 && errno != EEXIST)
                        return -errno;
                if (mkdir(dir, 0700) == 0 || errno == EEXIST)
                        return 0;
                if (errno != ENOENT)
                        return -errno;
        }
        return -ENOENT;
}

/* Opens @dir, which is made for that, and locks it. @return its descriptor, -errno */
static int open_locked(const char *dir)
{
        for (unsigned i = 0; i < TRIES; i++) {
                struct stat st;
                int r = make_dir(dir);
                if (r < 0)
                        return r;
                _cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
                if (fd < 0 && errno == ENOENT)
                        continue;
                r = fd < 0 ? -errno : wait_for_lock(fd);
                if (r < 0)
                        return r;
                if (fstat(fd, &st) == 0 && st.st_nlink > 0)
                        return TAKE_FD(fd);
        }
        return -ENOENT;
}

int pins_open(struct pins *p, const char *name)
{
        struct statfs fs;

        *p = PINS_NONE;
        snprintf(p->dir, sizeof(p->dir), "%s/%s", PINS_DIR, name);
        if (statfs(PINS_ROOT, &fs) < 0 || (unsigned long)fs.f_type != BPF_FS_MAGIC) {
                snprintf(p->why, sizeof(p->why), "no bpffs is mounted (mount -t bpf bpf %s)", PINS_ROOT);
                return -ENODEV;
        }
        int fd = open_locked(p->dir);
        if (fd < 0)
                return explain(p, fd, p->dir);
        p->lock = fd;
        return 0;
}

void pins_close(struct pins *p)
{
        if (p->lock < 0)
                return;
        rmdir(p->dir); /* while it is locked: who waits for that sees that it is gone */
        close(TAKE_FD(p->lock));
        rmdir(PINS_DIR);
}

static DIR *entries(int dirfd, const char *name)
{
        _cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);

        if (d)
                fd = -1;
        return d;
}

static bool is_dots(const char *name)
{
        return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static void remove_set(const struct pins *p, const char *name)
{
        _cleanup_closedir_ DIR *d = entries(p->lock, name);

        for (const struct dirent *e; d && (e = readdir(d));)
                if (!is_dots(e->d_name))
                        unlinkat(dirfd(d), e->d_name, 0);
        unlinkat(p->lock, name, d ? AT_REMOVEDIR : 0);
}

unsigned pins_sweep(struct pins *p)
{
        _cleanup_closedir_ DIR *d = p->lock < 0 ? NULL : entries(p->lock, ".");
        unsigned n = 0;

        for (const struct dirent *e; d && (e = readdir(d));) {
                if (is_dots(e->d_name) || strcmp(e->d_name, p->set) == 0)
                        continue;
                remove_set(p, e->d_name);
                n++;
        }
        return n;
}

int pins_find(struct pins *p, uint64_t build, uint64_t *ret_attached)
{
        _cleanup_closedir_ DIR *d = entries(p->lock, ".");
        uint64_t its_build, attached;
        char again[PINS_SET_LEN];

        if (!d)
                return -errno;
        for (const struct dirent *e; (e = readdir(d));) {
                if (sscanf(e->d_name, "%" SCNx64 "-%" SCNx64, &its_build, &attached) != 2 || its_build != build)
                        continue;
                snprintf(again, sizeof(again), "%016" PRIx64 "-%016" PRIx64, its_build, attached);
                if (strcmp(again, e->d_name) != 0)
                        continue;
                strcpy(p->set, again);
                *ret_attached = attached;
                return 1;
        }
        return 0;
}

/* ---- its pins: bpffs allows no dot in a name ---- */

static void pin_path(const struct pins *p, const char *set, const char *kind, const char *name, char ret[PATH_MAX])
{
        int n = snprintf(ret, PATH_MAX, "%s/%s/", p->dir, set);

        snprintf(ret + n, PATH_MAX - (size_t)n, "%s_%s", kind, name);
        for (char *c = ret + n; *c; c++)
                if (*c == '.')
                        *c = '_';
}

static bool fits(const struct bpf_map *map, int fd)
{
        struct bpf_map_info info = {0};
        uint32_t size = sizeof(info);

        return bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && info.type == bpf_map__type(map) &&
               info.key_size == bpf_map__key_size(map) && info.value_size == bpf_map__value_size(map) &&
               info.max_entries == bpf_map__max_entries(map);
}

int pins_take_maps(struct sensor *s)
{
        struct bpf_map *map;
        char path[PATH_MAX];

        bpf_object__for_each_map(map, s->skeleton->obj)
        {
                pin_path(&s->pins, s->pins.set, "map", bpf_map__name(map), path);
                _cleanup_close_ int fd = bpf_obj_get(path);
                if (fd < 0)
                        return -errno;
                if (!fits(map, fd))
                        return -EBADMSG;
                int r = bpf_map__reuse_fd(map, fd);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool is_our_map(const struct sensor *s, uint32_t id)
{
        const struct bpf_map *map;

        bpf_object__for_each_map(map, s->skeleton->obj)
        {
                struct bpf_map_info info = {0};
                uint32_t size = sizeof(info);
                if (bpf_obj_get_info_by_fd(bpf_map__fd(map), &info, &size) == 0 && info.id == id)
                        return true;
        }
        return false;
}

/* The program behind @link; it must be the one that this build would have hung there, on our maps. */
static int program_behind(const struct sensor *s, const struct bpf_link *link, const struct bpf_program *program)
{
        struct bpf_link_info l = {0};
        uint32_t map_ids[SENSOR_MAX_PROBES] = {0}, size = sizeof(l);
        struct bpf_prog_info info = {.nr_map_ids = SENSOR_MAX_PROBES, .map_ids = (uintptr_t)map_ids};

        if (bpf_obj_get_info_by_fd(bpf_link__fd(link), &l, &size) < 0)
                return -errno;
        _cleanup_close_ int fd = bpf_prog_get_fd_by_id(l.prog_id);
        size = sizeof(info);
        if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
                return -errno;
        if (strncmp(info.name, bpf_program__name(program), sizeof(info.name) - 1) != 0)
                return -EBADMSG;
        for (uint32_t i = 0; i < info.nr_map_ids && i < SENSOR_MAX_PROBES; i++)
                if (!is_our_map(s, map_ids[i]))
                        return -EBADMSG;
        return TAKE_FD(fd);
}

int pins_take_links(struct sensor *s, uint64_t attached)
{
        char path[PATH_MAX];

        for (size_t i = 0; i < probes_count; i++) {
                if (!(attached & 1ull << i))
                        continue;
                pin_path(&s->pins, s->pins.set, "link", probes[i].name, path);
                s->link[i] = bpf_link__open(path);
                if (!s->link[i])
                        return -errno;
                s->taken_program[i] = program_behind(s, s->link[i], probe_program(&probes[i], s->skeleton));
                if (s->taken_program[i] < 0)
                        return s->taken_program[i];
        }
        return 0;
}

/* ---- pinning ---- */

static int save_maps(struct sensor *s)
{
        const struct bpf_map *map;
        char path[PATH_MAX];

        bpf_object__for_each_map(map, s->skeleton->obj)
        {
                pin_path(&s->pins, UNFINISHED, "map", bpf_map__name(map), path);
                if (bpf_obj_pin(bpf_map__fd(map), path) < 0)
                        return explain(&s->pins, -errno, path);
        }
        return 0;
}

/* Links to classic tracepoints can be pinned since 5.15. */
static int save_links(struct sensor *s, uint64_t *ret_attached)
{
        char path[PATH_MAX];

        for (size_t i = 0; i < probes_count; i++) {
                if (!s->link[i])
                        continue;
                pin_path(&s->pins, UNFINISHED, "link", probes[i].name, path);
                if (bpf_obj_pin(bpf_link__fd(s->link[i]), path) < 0) {
                        snprintf(s->pins.why, sizeof(s->pins.why),
                                 "probe %s cannot be pinned: %s; the kernel can do that since 5.15", probes[i].name,
                                 strerror(errno));
                        return -errno;
                }
                *ret_attached |= 1ull << i;
        }
        return 0;
}

int pins_save(struct sensor *s, uint64_t build)
{
        struct pins *p = &s->pins;
        uint64_t attached = 0;
        char set[PINS_SET_LEN];

        int r = mkdirat(p->lock, UNFINISHED, 0700) < 0 ? explain(p, -errno, p->dir) : save_maps(s);
        if (r == 0)
                r = save_links(s, &attached);
        if (r == 0) {
                snprintf(set, sizeof(set), "%016" PRIx64 "-%016" PRIx64, build, attached);
                if (renameat(p->lock, UNFINISHED, p->lock, set) < 0)
                        r = explain(p, -errno, p->dir);
        }
        if (r < 0)
                remove_set(p, UNFINISHED);
        else
                strcpy(p->set, set);
        return r;
}
