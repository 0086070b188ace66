/* sensor.c - load and leave: the life of the programs. */
#include "sensor/internal.h"
#include "sensor/old_loops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fnv.h"

static bool libbpf_may_speak;

static int libbpf_print(enum libbpf_print_level level, const char *format, va_list args)
{
        if (!libbpf_may_speak || level == LIBBPF_DEBUG)
                return 0;
        return vfprintf(stderr, format, args);
}

/* ---- what is missing, in words ---- */

static int explain(int r, const char *what, char *why)
{
        if (r == -EPERM || r == -EACCES) {
                snprintf(
                        why, SENSOR_WHY_LEN,
                        "%s: the kernel refuses (%s); run as root or with CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and "
                        "CAP_DAC_READ_SEARCH, outside of containers that filter bpf(2)",
                        what, strerror(-r));
                return -EPERM;
        }
        snprintf(why, SENSOR_WHY_LEN, "%s: %s", what, strerror(-r));
        return r;
}

/* Number of the initial PID namespace (include/linux/proc_ns.h, PROC_PID_INIT_INO). */
#define INITIAL_PID_NAMESPACE "pid:[4026531836]"

static int check_kernel(char *why)
{
        char ns[64] = "";

        if (readlink("/proc/self/ns/pid", ns, sizeof(ns) - 1) > 0 && strcmp(ns, INITIAL_PID_NAMESPACE) != 0) {
                snprintf(why, SENSOR_WHY_LEN,
                         "this is a PID namespace of its own (%s), and the kernel tells of processes by the "
                         "numbers of "
                         "the host; run Vigil on the host, or the container with --pid=host",
                         ns);
                return -EOPNOTSUPP;
        }
        if (access("/sys/kernel/btf/vmlinux", R_OK) < 0) {
                snprintf(
                        why, SENSOR_WHY_LEN,
                        "the kernel has no type information (/sys/kernel/btf/vmlinux: %s); use a kernel built with "
                        "CONFIG_DEBUG_INFO_BTF=y, as distributions do since 5.10",
                        strerror(errno));
                return -EOPNOTSUPP;
        }
        return 0;
}

/* ---- life ---- */

static int load_with(struct sensor *s, bool casts)
{
        old_loops_prepare();
        s->skeleton = vigil_bpf__open();
        if (!s->skeleton)
                return -errno;
        s->skeleton->rodata->cfg_adopt = s->options.adopt;
        s->skeleton->rodata->cfg_second_names = s->options.second_names;
        s->skeleton->rodata->cfg_stream_all = s->options.stream_all;
        s->skeleton->rodata->cfg_casts = casts;
        s->skeleton->rodata->cfg_own_slack_ns = CHILD_TIMER_SLACK_NS;
        for (size_t i = 0; i < probes_count; i++)
                bpf_program__set_autoload(probe_program(&probes[i], s->skeleton), probe_is_planned(s, i));
        attribution_prepare(s);
        int r = vigil_bpf__load(s->skeleton);
        if (r < 0) {
                vigil_bpf__destroy(s->skeleton);
                s->skeleton = NULL;
        }
        return r;
}

/* Before 6.2 there are no casts (compat.h). */
static int load_somehow(struct sensor *s)
{
        int r = load_with(s, true);

        return r < 0 && r != -EPERM ? load_with(s, false) : r;
}

static int load(struct sensor *s, char *why)
{
        int r = load_somehow(s);

        if (r < 0 && r != -EPERM && s->options.attribution) {
                attribution_give_up(s, "the kernel refuses its programs (%s); it takes them from 5.18 on",
                                    strerror(-r));
                r = load_somehow(s);
        }
        if (r < 0)
                return explain(r, "cannot load the BPF programs", why);
        r = rings_open(s);
        return r < 0 ? explain(r, "cannot read the ring buffers", why) : 0;
}

/* Tells the programs which file we are, by the kernel's own numbers: a second Vigil on the host is not watched either. */
static int tell_own_exe(struct sensor *s)
{
        struct seed_entry e = {0};
        _cleanup_close_ int fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
        int r = fd < 0 ? -errno : seed_own_fd(s, fd, &e);

        if (r < 0)
                return r;
        s->skeleton->bss->own_exe_ino = e.ino;
        s->skeleton->bss->own_exe_dev = e.dev;
        return 0;
}

static int fill(const struct bpf_map *queue, uint32_t first)
{
        for (uint32_t slot = first; slot < bpf_map__max_entries(queue); slot++)
                if (bpf_map_update_elem(bpf_map__fd(queue), NULL, &slot, BPF_ANY) < 0)
                        return -errno;
        return 0;
}

/* The queues of what is free: at first, everything. */
static int fill_queues(struct sensor *s)
{
        int r = fill(s->skeleton->maps.free_parts, 0);

        if (r == 0)
                r = fill(s->skeleton->maps.free_hists, 0);
        return r < 0 ? r : fill(s->skeleton->maps.free_dbs, 1); /* 0 is no database */
}

/* The kernel side as it begins: loaded, attached, and nothing under watch. */
static int begin(struct sensor *s, char *why)
{
        int r = load(s, why);

        if (r == 0 && s->options.give_up && s->options.give_up())
                r = -ECANCELED;
        if (r == 0)
                r = sensor_mark(s, getpid(), SENSOR_OWN); /* before anything can see us */
        if (r == 0)
                r = tell_own_exe(s);
        if (r == 0)
                r = fill_queues(s);
        return r < 0 ? r : probes_attach(s, why);
}

/* Which build this is, as far as the kernel side is concerned: the programs with the layouts of their maps, what they are told
 * before they are loaded, and where they hang. */
static uint64_t build_id(const struct sensor *s)
{
        const uint8_t options[] = {s->options.adopt, s->options.second_names, s->options.stream_all,
                                   s->options.reads, s->options.attribution};
        size_t n = 0;
        const void *elf = vigil_bpf__elf_bytes(&n);
        uint64_t h = fnv_add(FNV_BEGIN, elf, n);

        h = fnv_add(h, options, sizeof(options));
        for (size_t i = 0; i < probes_count; i++)
                h = fnv_add(h, probes[i].name, strlen(probes[i].name) + 1);
        return h;
}

/* What an earlier process left goes on, or ends here. @return whether it goes on; if not, the kernel side must begin */
static bool take_or_sweep(struct sensor *s, uint64_t build)
{
        uint64_t attached = 0;
        int found = pins_find(&s->pins, build, &attached), r = found > 0 ? take_over(s, attached) : found;

        if (found <= 0 || r < 0)
                s->pins.set[0] = 0;
        if (pins_sweep(&s->pins) && !s->taken)
                snprintf(s->not_taken, sizeof(s->not_taken), "%s",
                         r == 0          ? "another build of Vigil, or another kind of watch, has left it"
                         : r == -EBADMSG ? "it is not what this build pins"
                         : r == -ENOENT  ? "a part of it is missing"
                                         : strerror(-r));
        return s->taken;
}

/* Not being able to outlive this process is no reason not to watch. */
static int begin_kept(struct sensor *s, char *why)
{
        uint64_t build = build_id(s); /* of what was asked for, whatever can be had of it */

        if (pins_open(&s->pins, s->options.keep) < 0)
                return begin(s, why);
        if (take_or_sweep(s, build))
                return tell_own_exe(s);
        int r = begin(s, why);
        if (r == 0 && pins_save(s, build) < 0)
                pins_close(&s->pins);
        return r;
}

static struct sensor *sensor_new(const struct sensor_options *options)
{
        struct sensor *s = calloc(1, sizeof(*s));

        if (!s)
                return NULL;
        s->options = *options;
        s->pins = PINS_NONE;
        s->epoll = -1;
        for (size_t i = 0; i < SENSOR_MAX_PROBES; i++)
                s->taken_program[i] = -1;
        for (size_t i = 0; i < VIGIL_MAX_DBS; i++)
                s->db[i].dirfd = -1;
        libbpf_may_speak = options->verbose;
        libbpf_set_print(libbpf_print);
        libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
        return s;
}

int sensor_open(const struct sensor_options *options, struct sensor **ret, char why[SENSOR_WHY_LEN])
{
        struct sensor *s = sensor_new(options);
        int r;

        why[0] = 0;
        if (!s)
                return -ENOMEM;
        r = check_kernel(why);
        if (r == 0)
                r = options->keep ? begin_kept(s, why) : begin(s, why);
        if (r < 0) {
                if (!why[0])
                        explain(r, "cannot watch", why);
                sensor_close(s);
                return r;
        }
        *ret = s;
        return 0;
}

int sensor_try_attribution(char why[SENSOR_WHY_LEN])
{
        const struct sensor_options options = {.attribution = true};
        struct sensor *s = sensor_new(&options);
        int r = s ? load(s, why) : -ENOMEM;

        if (r == 0)
                r = attribution_try(s, why);
        else if (!s)
                explain(r, "cannot load the BPF programs", why);
        sensor_leave(s);
        return r;
}

const char *sensor_not_taken(const struct sensor *s)
{
        return s->not_taken[0] ? s->not_taken : NULL;
}

const char *sensor_not_kept(const struct sensor *s)
{
        return s->pins.set[0] ? NULL : s->pins.why;
}

int sensor_forget(const char *keep, char why[SENSOR_WHY_LEN])
{
        struct pins p;
        int r = pins_open(&p, keep);

        snprintf(why, SENSOR_WHY_LEN, "%s", p.why);
        if (r < 0)
                return r == -ENODEV ? 0 : r; /* without bpffs nothing can have been left */
        r = (int)pins_sweep(&p);
        pins_close(&p);
        return r;
}

int sensor_try_keeping(struct sensor *s, char why[SENSOR_WHY_LEN])
{
        char name[32];

        snprintf(name, sizeof(name), "try-%d", getpid());
        int r = pins_open(&s->pins, name);
        if (r == 0)
                r = pins_save(s, 0);
        s->pins.set[0] = 0;
        pins_sweep(&s->pins);
        pins_close(&s->pins);
        snprintf(why, SENSOR_WHY_LEN, "%s", s->pins.why);
        return r;
}

void sensor_leave(struct sensor *s)
{
        if (!s)
                return;
        for (size_t i = 0; i < SENSOR_MAX_PROBES; i++) {
                bpf_link__destroy(s->link[i]);
                if (s->taken_program[i] >= 0)
                        close(s->taken_program[i]);
        }
        rings_close(s);
        pins_close(&s->pins);
        vigil_bpf__destroy(s->skeleton);
        for (size_t i = 0; i < VIGIL_MAX_DBS; i++) {
                free(s->db[i].path);
                free(s->db[i].pending);
                if (s->db[i].dirfd >= 0)
                        close(s->db[i].dirfd);
        }
        mounts_done(&s->mounts);
        free(s->hist_idle);
        free(s->hist_retired);
        free(s->wait_stack);
        wait_symbols_done(&s->symbols);
        free(s);
}

void sensor_close(struct sensor *s)
{
        if (s) {
                s->pins.set[0] = 0;
                pins_sweep(&s->pins);
        }
        sensor_leave(s);
}

bool sensor_casts(const struct sensor *s)
{
        return s->skeleton->rodata->cfg_casts;
}

const char *sensor_tier(const struct sensor *s)
{
        (void)s;
        return "tracepoint";
}

unsigned sensor_probes_missing(const struct sensor *s)
{
        return s->missing;
}

const char *const *sensor_blind(const struct sensor *s)
{
        static const char *const blind[] = {
                "stores through mmap and msync",
                "I/O through io_uring",
                "descriptors received by SCM_RIGHTS or pidfd_getfd before their first lock or write",
                "system calls of 32-bit programs",
                "paths longer than 1023 bytes in unlink, rename, link and truncate",
                NULL,
        };

        (void)s;
        return blind;
}

uint64_t sensor_kernel_memory(const struct sensor *s)
{
        const struct bpf_map *map;
        uint64_t sum = 0;

        bpf_object__for_each_map(map, s->skeleton->obj)
        {
                char path[64], line[128];
                snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", bpf_map__fd(map));
                _cleanup_fclose_ FILE *f = fopen(path, "re");
                while (f && fgets(line, sizeof(line), f)) {
                        unsigned long bytes;
                        if (sscanf(line, "memlock: %lu", &bytes) == 1)
                                sum += bytes;
                }
        }
        return sum;
}
