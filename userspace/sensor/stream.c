/* stream.c - records on their way from the rings to whoever asked. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "sensor/internal.h"

#define NS_PER_S 1000000000ull

void sensor_fill_hdr(struct sensor *s, struct vigil_hdr *record, uint16_t type, uint32_t size)
{
        *record = (struct vigil_hdr){.magic = VIGIL_MAGIC,
                                     .version = VIGIL_ABI_VERSION,
                                     .type = type,
                                     .size = size,
                                     .cpu = VIGIL_CPU_USER,
                                     .seq = s->seq++,
                                     .ns = clock_boottime_ns()};
}

int sensor_send(struct sensor *s, struct vigil_hdr *record, uint16_t type, uint32_t size, sensor_fn fn,
                void *userdata)
{
        sensor_fill_hdr(s, record, type, size);
        return fn(record, userdata);
}

/* ---- databases that the kernel side adopted ---- */

static void cut_suffix(char *path, const char *suffix)
{
        size_t n = strlen(path), m = strlen(suffix);

        if (n > m && strcmp(path + n - m, suffix) == 0)
                path[n - m] = 0;
}

static int deliver_database(struct sensor *s, const struct vigil_database *from)
{
        struct vigil_database r = *from;
        struct seed_entry e = {0};

        if (r.db == 0 || r.db >= VIGIL_MAX_DBS)
                return 0;
        if (!r.ino) { /* adopted by a companion: the path in the record is the companion's */
                cut_suffix(r.path, "-journal");
                cut_suffix(r.path, "-wal");
        }
        if (!s->db[r.db].path && !(r.path_flags & VIGIL_PATH_CUT)) {
                s->db[r.db].path = reach_database(s, &r, &s->db[r.db].dirfd);
                if (s->db[r.db].dirfd >= 0)
                        r.path_flags |= VIGIL_PATH_OTHER_NS;
                if (!r.ino && s->db[r.db].path && watch_bind(s, r.db, s->db[r.db].path, &e) == 0) {
                        r.ino = e.ino;
                        r.dev = e.dev;
                }
        }
        return s->fn(&r.hdr, s->userdata);
}

/* ---- cgroups: a number in the record, a path for people ---- */

#define CGROUP2_MAX_LEN 4096

/* The kernel gives a kernfs id; with it a file handle opens the directory, also of a process that is gone
 * (fs/kernfs/mount.c, kernfs_fh_to_dentry: type FILEID_KERNFS, 8 bytes). */
int sensor_cgroup(uint64_t id, char *ret, size_t size)
{
        static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
        struct {
                struct file_handle handle;
                uint64_t id;
        } h = {.handle = {.handle_bytes = sizeof(uint64_t), .handle_type = 0xfe}};

        memcpy(h.handle.f_handle, &id, sizeof(id));
        for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
                char link[64], target[CGROUP2_MAX_LEN];
                _cleanup_close_ int mount = open(mounts[i], O_DIRECTORY | O_RDONLY | O_CLOEXEC);
                if (mount < 0)
                        continue;
                _cleanup_close_ int fd = open_by_handle_at(mount, &h.handle, O_PATH | O_CLOEXEC);
                if (fd < 0)
                        continue;
                snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
                ssize_t n = readlink(link, target, sizeof(target) - 1);
                size_t skip = strlen(mounts[i]);
                if (n < 0 || (size_t)n < skip)
                        continue;
                target[n] = 0;
                snprintf(ret, size, "%s", target[skip] ? target + skip : "/");
                return 0;
        }
        return -ENOENT;
}

int cgroup_deliver(struct sensor *s, uint64_t id, sensor_fn fn, void *userdata)
{
        struct vigil_cgroup c = {.cgroup_id = id};

        return sensor_cgroup(id, c.path, sizeof(c.path)) < 0
                       ? 0
                       : sensor_send(s, &c.hdr, VIGIL_CGROUP, sizeof(c), fn, userdata);
}

static int deliver_process(struct sensor *s, const struct vigil_process *r)
{
        int err = cgroup_deliver(s, r->cgroup_id, s->fn, s->userdata);

        return err < 0 ? err : s->fn(&r->hdr, s->userdata);
}

int stream_deliver(struct sensor *s, const struct vigil_hdr *record)
{
        if (!s->fn)
                return 0;
        switch (record->type) {
        case VIGIL_DATABASE:
                return deliver_database(s, (const struct vigil_database *)record);
        case VIGIL_PROCESS:
                return deliver_process(s, (const struct vigil_process *)record);
        default:
                return s->fn(record, s->userdata);
        }
}

/* ---- polling ---- */

static int deliver_pending(struct sensor *s)
{
        for (unsigned i = 1; i < VIGIL_MAX_DBS; i++) {
                _cleanup_free_ struct vigil_database *r = TAKE_PTR(s->db[i].pending);
                if (!r)
                        continue;
                sensor_fill_hdr(s, &r->hdr, VIGIL_DATABASE, sizeof(*r));
                int err = s->fn(&r->hdr, s->userdata);
                if (err < 0)
                        return err;
        }
        return 0;
}

int sensor_fd(const struct sensor *s)
{
        return s->epoll;
}

/* ---- the rings ---- */

static int on_record(void *userdata, void *data, size_t size)
{
        struct sensor *s = userdata;
        const struct vigil_hdr *record = data;

        if (size < sizeof(*record) || record->size > size)
                return 0;
        s->records++;
        return stream_deliver(s, record);
}

static int watch_fd(int epoll, int fd, uint32_t events)
{
        struct epoll_event e = {.events = events};

        return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

/* Urgent records that were read stay until they are stored: so only new ones may wake us. */
int rings_open(struct sensor *s)
{
        int urgent = bpf_map__fd(s->skeleton->maps.urgent);
        int r = ring_open(&s->urgent, urgent, bpf_map__max_entries(s->skeleton->maps.urgent));

        if (r < 0)
                return r;
        s->stored = s->stored_before = s->urgent.read;
        s->events = ring_buffer__new(bpf_map__fd(s->skeleton->maps.events), on_record, s, NULL);
        s->epoll = s->events ? epoll_create1(EPOLL_CLOEXEC) : -1;
        if (s->epoll < 0)
                return -errno;
        r = watch_fd(s->epoll, urgent, EPOLLIN | EPOLLET);
        return r < 0 ? r : watch_fd(s->epoll, ring_buffer__epoll_fd(s->events), EPOLLIN);
}

void rings_close(struct sensor *s)
{
        ring_close(&s->urgent);
        ring_buffer__free(TAKE_PTR(s->events));
        if (s->epoll >= 0)
                close(TAKE_FD(s->epoll));
}

/* Most of the ring belongs to what comes: some 400 deaths in a row. */
#define HELD_MOST(s) ((s)->urgent.bytes / 4)

static void make_room(struct sensor *s)
{
        if (ring_held(&s->urgent) <= HELD_MOST(s))
                return;
        ring_release(&s->urgent, s->stored);
        if (ring_held(&s->urgent) <= HELD_MOST(s))
                return;
        s->skeleton->bss->let_go++;
        ring_release(&s->urgent, s->urgent.read);
}

void sensor_stored(struct sensor *s)
{
        uint64_t now = clock_boottime_ns();

        s->stored = s->urgent.read;
        s->skeleton->bss->let_go = 0;
        if (now - s->stored_ns < NS_PER_S)
                return;
        ring_release(&s->urgent, s->stored_before);
        s->stored_before = s->stored;
        s->stored_ns = now;
}

/* The urgent ones first. @return records delivered, or what the user returned */
static int consume(struct sensor *s)
{
        int n = ring_read(&s->urgent, on_record, s);

        if (!s->options.keep)
                ring_release(&s->urgent, s->urgent.read);
        else
                make_room(s);
        int more = n < 0 ? n : ring_buffer__consume(s->events);
        return more < 0 ? more : n + more;
}

int sensor_poll(struct sensor *s, int timeout_ms, sensor_fn fn, void *userdata)
{
        struct epoll_event ready[2];

        s->fn = fn;
        s->userdata = userdata;
        int r = deliver_pending(s);
        /* Whatever has woken us is taken now. */
        if (epoll_wait(s->epoll, ready, 2, 0) < 0 && errno != EINTR)
                r = -errno;
        /* Ordinary records wake nobody: they are taken with whatever wakes us, or with the next turn. */
        int n = r < 0 ? r : consume(s);
        if (n == 0 && timeout_ms > 0) {
                n = epoll_wait(s->epoll, ready, 2, timeout_ms) < 0 ? -errno : 0;
                if (n == 0)
                        n = consume(s);
        }
        s->fn = NULL;
        return n;
}
