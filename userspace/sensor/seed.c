/* seed.c - what was there before the watch began. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "sensor/internal.h"

#define SEED_LIMIT  65536 /* open files of the host that are looked at in one go */
#define SEED_PASSES 4     /* of the iterator, while each finds somebody new */

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

int seed_read(struct sensor *s, enum seed_mode mode, pid_t pid, struct seed_entry **ret, size_t *ret_n)
{
        s->skeleton->bss->seed_mode = mode;
        s->skeleton->bss->seed_tgid = (uint32_t)pid;
        struct bpf_link *link = attach_iter(s, (uint32_t)pid);
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
        int r = seed_read(s, SEED_ALL, getpid(), &entry, &n);

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

/* ---- everybody ---- */

/* Who was found; no more than can be participants. */
struct found {
        uint32_t *tgid;
        size_t n, room;
};

static bool is_known(const struct found *f, uint32_t tgid)
{
        for (size_t i = f->n; i-- > 0;) /* from behind: a process's descriptors follow each other */
                if (f->tgid[i] == tgid)
                        return true;
        return false;
}

/* One pass over the open files of the host. @return how many processes it found that were not known, or -errno */
static int seed_pass(struct sensor *s, struct found *f)
{
        _cleanup_free_ struct seed_entry *entry = NULL;
        size_t n = 0, before = f->n;
        int r = seed_read(s, SEED_ADOPT, 0, &entry, &n);

        for (size_t i = 0; r >= 0 && i < n; i++) {
                held_seed(s, &entry[i]);
                if (is_known(f, entry[i].tgid) || f->n == f->room)
                        continue;
                f->tgid[f->n++] = entry[i].tgid;
                r = announce(s, entry[i].tgid);
        }
        return r < 0 ? r : (int)(f->n - before);
}

/* Who is at work with a database, and had none of its files open in the instants in which we looked. */
static int add_busy(struct sensor *s, struct found *f)
{
        _cleanup_free_ uint32_t *tgids = NULL;
        _cleanup_free_ struct vigil_proc *p = malloc(sizeof(*p));
        size_t n = 0;
        int r = p ? participants(s, &tgids, &n) : -ENOMEM;

        for (size_t i = 0; r == 0 && i < n; i++) {
                if (is_known(f, tgids[i]) || f->n == f->room || sensor_read_part(s, tgids[i], p) < 0)
                        continue;
                if (!(p->flags & (VIGIL_PROC_CANARY | VIGIL_PROC_DEAD)) && p->nuses)
                        f->tgid[f->n++] = tgids[i];
        }
        return r;
}

/* Other names by which somebody has a watched file open are databases of their own, as they are when they are opened under
 * watch. One that cannot be had is told of by its use (VIGIL_USE_SECOND_NAME). */
static int second_names(struct sensor *s)
{
        _cleanup_free_ struct seed_entry *entry = NULL;
        size_t n = 0;
        int r = s->options.second_names ? seed_read(s, SEED_LOOK, 0, &entry, &n) : 0;

        for (size_t i = 0; r == 0 && i < n; i++) {
                char link[64], path[PATH_MAX] = "";
                unsigned id;
                if (!entry[i].other_name)
                        continue;
                snprintf(link, sizeof(link), "/proc/%u/fd/%u", entry[i].tgid, entry[i].fd);
                if (readlink(link, path, sizeof(path) - 1) > 0)
                        (void)watch_path(s, path, VIGIL_DB_ADOPTED, &id);
        }
        return r;
}

static void mark_seeded(struct sensor *s)
{
        for (uint64_t id = 1; id < VIGIL_MAX_DBS; id++)
                if (s->db[id].path)
                        control_run(s->skeleton->progs.raw_tp__seeded, &id, 1);
}

/* Counted is who uses a database, not who became a participant here: whoever was at work between the begin of the watch and now
 * is one already. A descriptor that wanders (dup, fork, a socket) may slip through one pass, so there is one more after each
 * that found somebody: by then everybody it found is followed. */
static int seed_all(struct sensor *s)
{
        struct found f = {.room = bpf_map__max_entries(s->skeleton->maps.part_slots)};
        int r = second_names(s);

        if (r < 0)
                return r;
        f.tgid = calloc(f.room, sizeof(*f.tgid));
        if (!f.tgid)
                return -ENOMEM;
        r = 1;
        for (int i = 0; i < SEED_PASSES && r > 0; i++)
                r = seed_pass(s, &f);
        if (r >= 0)
                r = add_busy(s, &f);
        if (r >= 0)
                mark_seeded(s);
        free(f.tgid);
        return r < 0 ? r : (int)f.n;
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
                                  (marks & SENSOR_RELAY ? (uint32_t)MARK_RELAY : 0) |
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
        int r = seed_read(s, SEED_ALL, pid, &entry, &n);

        if (r < 0)
                return r;
        if (n == 0)
                return -ESRCH;
        *ret_start_ns = entry[0].start_ns;
        return 0;
}
