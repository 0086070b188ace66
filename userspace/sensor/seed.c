/* seed.c - what was there before the watch began. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "sensor/internal.h"
#include "sensor/proclocks.h"

#define SEED_LIMIT 65536 /* open files of the host that are looked at in one go */

int control_run(struct bpf_program *program, const uint64_t *args, size_t n)
{
        uint64_t ctx[12] = {0};
        LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = ctx, .ctx_size_in = sizeof(ctx));

        memcpy(ctx, args, n * sizeof(*args));
        int r = bpf_prog_test_run_opts(bpf_program__fd(program), &opts);
        return r < 0 ? -errno : (int)opts.retval;
}

/* Reads the iterator to its end. */
static int read_entries(int fd, struct seed_entry **ret, size_t *ret_n)
{
        _cleanup_free_ char *data = NULL;
        size_t size = 0, room = 0;

        for (;;) {
                if (room - size < 4096) {
                        room = room ? 2 * room : 16384;
                        if (room > SEED_LIMIT * sizeof(struct seed_entry))
                                return -E2BIG;
                        char *grown = realloc(data, room);
                        if (!grown)
                                return -ENOMEM;
                        data = grown;
                }
                ssize_t n = read(fd, data + size, room - size);
                if (n < 0 && (errno == EINTR || errno == EAGAIN))
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                size += (size_t)n;
        }
        *ret_n = size / sizeof(struct seed_entry);
        *ret = (struct seed_entry *)(void *)TAKE_PTR(data);
        return 0;
}

/* Since 6.1 ("bpf: Parameterize task iterators") the kernel goes to @tgid directly. Before, it walks through all processes, of
 * which the program picks the one. */
static struct bpf_link *attach_iter(struct sensor *s, uint32_t tgid)
{
        union bpf_iter_link_info info = {.task = {.pid = tgid}};
        LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));
        struct bpf_link *link = tgid ? bpf_program__attach_iter(s->skeleton->progs.iter__task_file, &opts) : NULL;

        return link ? link : bpf_program__attach_iter(s->skeleton->progs.iter__task_file, NULL);
}

int seed_read(struct sensor *s, uint32_t tgid, struct seed_entry **ret, size_t *ret_n)
{
        s->skeleton->bss->seed_tgid = tgid;
        struct bpf_link *link = attach_iter(s, tgid);
        if (!link)
                return -errno;
        _cleanup_close_ int fd = bpf_iter_create(bpf_link__fd(link));
        int r = fd < 0 ? -errno : read_entries(fd, ret, ret_n);
        bpf_link__destroy(link);
        return r;
}

int seed_own_fd(struct sensor *s, int fd, struct seed_entry *ret)
{
        _cleanup_free_ struct seed_entry *entry = NULL;
        size_t n = 0;
        int r = seed_read(s, (uint32_t)getpid(), &entry, &n);

        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                if (entry[i].fd != (uint32_t)fd)
                        continue;
                *ret = entry[i];
                return 0;
        }
        return -EBADF;
}

/* ---- processes that were there ---- */

static void read_argv(uint32_t tgid, struct vigil_process *r)
{
        char path[64];
        _cleanup_free_ char *data = NULL;
        size_t n = 0;

        snprintf(path, sizeof(path), "/proc/%u/cmdline", tgid);
        if (io_read_file(path, 1 << 20, &data, &n) < 0)
                return;
        if (n > VIGIL_ARGV_MAX) {
                n = VIGIL_ARGV_MAX;
                r->argv_cut = 1;
        }
        memcpy(r->argv, data, n);
        r->argv_len = (uint32_t)n;
        snprintf(path, sizeof(path), "/proc/%u/exe", tgid);
        (void)!readlink(path, r->exe, sizeof(r->exe) - 1);
}

/* The VIGIL_PROCESS record that a participant found late cannot send by itself. */
static int announce(struct sensor *s, uint32_t tgid)
{
        struct vigil_process r = {0};
        struct vigil_proc *p = malloc(sizeof(*p));
        int err = p ? 0 : -ENOMEM;

        if (!err && sensor_read_part(s, tgid, p) >= 0) {
                r.id = p->id;
                r.ppid = p->ppid;
                r.uid = p->uid;
                r.gid = p->gid;
                r.flags = p->flags;
                r.cgroup_id = p->cgroup_id;
                r.pidns_ino = p->pidns_ino;
                read_argv(tgid, &r);
                sensor_fill_hdr(s, &r.hdr, VIGIL_PROCESS, sizeof(r));
                err = stream_deliver(s, &r.hdr);
        }
        free(p);
        return err;
}

/* What the seeded processes hold locked: their lock calls were before our time. */
static int seed_locks(struct sensor *s, const struct seed_entry *entry, size_t n)
{
        _cleanup_free_ struct proc_lock *lock = NULL;
        size_t nlocks = 0;
        int cut, r = proclocks_read(&lock, &nlocks, &cut);

        for (size_t i = 0; r >= 0 && i < n; i++) {
                uint32_t bits = 0;
                for (size_t j = 0; j < nlocks; j++)
                        if (lock[j].tgid == entry[i].tgid && lock[j].ino == entry[i].ino &&
                            lock[j].dev == entry[i].dev)
                                bits |= proclocks_bits(&lock[j], entry[i].role);
                uint64_t args[] = {entry[i].tgid, entry[i].db, bits};
                if (bits)
                        r = control_run(s->skeleton->progs.raw_tp__seed_locks, args, 3);
        }
        return r < 0 ? r : 0;
}

static int seed_all(struct sensor *s)
{
        _cleanup_free_ struct seed_entry *entry = NULL;
        size_t n = 0;
        int found = 0, r = seed_read(s, 0, &entry, &n);

        for (size_t i = 0; r >= 0 && i < n; i++) {
                if (!entry[i].fresh)
                        continue;
                found++;
                r = announce(s, entry[i].tgid);
        }
        if (r >= 0)
                r = seed_locks(s, entry, n);
        return r < 0 ? r : found;
}

int sensor_seed(struct sensor *s, sensor_fn fn, void *userdata)
{
        s->fn = fn;
        s->userdata = userdata;
        int r = seed_all(s);
        s->fn = NULL;
        return r;
}

/* ---- marks ---- */

int sensor_mark(struct sensor *s, pid_t pid, unsigned marks)
{
        struct mark m = {.flags = (marks & SENSOR_TREE ? (uint32_t)MARK_TREE : 0) |
                                  (marks & SENSOR_OWN ? (uint32_t)MARK_OWN : 0) |
                                  (marks & SENSOR_CMD ? (uint32_t)MARK_CMD : 0) |
                                  (marks & SENSOR_CANARY ? (uint32_t)MARK_CANARY : 0)};
        uint32_t tgid = (uint32_t)pid;

        if (bpf_map_update_elem(bpf_map__fd(s->skeleton->maps.marks), &tgid, &m, BPF_ANY) < 0)
                return -errno;
        return 0;
}

int sensor_identify(struct sensor *s, pid_t pid, uint64_t *ret_start_ns)
{
        _cleanup_free_ struct seed_entry *entry = NULL;
        size_t n = 0;
        int r = seed_read(s, (uint32_t)pid, &entry, &n);

        if (r < 0)
                return r;
        if (n == 0)
                return -ESRCH;
        *ret_start_ns = entry[0].start_ns;
        return 0;
}
