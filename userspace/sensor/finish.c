/* finish.c - the probes as they are now, and the end of a stream: the accounts that the kernel kept, as records. */
#include <errno.h>
#include <stdio.h>

#include "sensor/internal.h"

/* ---- probes ---- */

/* Runs that the kernel skipped (bpf_prog_info.recursion_misses, since 5.12); 0 where it does not count. */
static uint64_t missed_of(int fd)
{
        struct bpf_prog_info info = {0};
        uint32_t size = sizeof(info);

        return bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ? 0 : info.recursion_misses;
}

/* One program may hang on several tracepoints: its misses are told with the first of them. */
static uint64_t missed_by(const struct sensor *s, size_t i)
{
        for (size_t j = 0; j < i; j++)
                if (probes[j].program == probes[i].program)
                        return 0;
        if (!s->link[i])
                return 0;
        return missed_of(s->taken ? s->taken_program[i] : bpf_program__fd(probe_program(&probes[i], s->skeleton)));
}

bool probe_is_planned(const struct sensor *s, size_t i)
{
        return i < probes_count && (!(probes[i].flags & PROBE_READS) || s->options.reads) &&
               (!(probes[i].flags & PROBE_ATTRIBUTION) || s->options.attribution);
}

uint64_t probes_missed(const struct sensor *s, bool attribution)
{
        uint64_t sum = 0;

        for (size_t i = 0; i < probes_count; i++)
                if (probe_is_planned(s, i) && !(probes[i].flags & PROBE_ATTRIBUTION) == !attribution)
                        sum += missed_by(s, i);
        return sum;
}

size_t sensor_n_probes(const struct sensor *s)
{
        (void)s;
        return probes_count;
}

int sensor_probe_state(const struct sensor *s, size_t i, struct sensor_probe *ret)
{
        uint32_t key;
        uint64_t n = 0;

        if (!probe_is_planned(s, i))
                return -ENOENT;
        key = (uint32_t)probes[i].id;
        bpf_map_lookup_elem(bpf_map__fd(s->skeleton->maps.seen), &key, &n);
        *ret = (struct sensor_probe){.name = probes[i].name,
                                     .attached = s->link[i] != NULL,
                                     .triable = !(probes[i].flags & PROBE_UNTRIED),
                                     .seen = n > 0,
                                     .missed = missed_by(s, i)};
        return 0;
}

int sensor_probes(struct sensor *s, sensor_fn fn, void *userdata)
{
        for (size_t i = 0; i < probes_count; i++) {
                struct vigil_probe r = {0};
                struct sensor_probe p;

                if (sensor_probe_state(s, i, &p) < 0)
                        continue;
                r.attached = p.attached;
                r.seen = p.seen ? 1 : p.triable ? 0 : 2;
                r.missed = p.missed;
                snprintf(r.name, sizeof(r.name), "%s", p.name);
                int err = sensor_send(s, &r.hdr, VIGIL_PROBE, sizeof(r), fn, userdata);
                if (err < 0)
                        return err;
        }
        return 0;
}

/* ---- the end ---- */

#define NAMED 64 /* cgroups; beyond, one may be told more than once */

struct naming {
        struct sensor *s;
        sensor_fn fn;
        void *userdata;
        uint64_t id[NAMED];
        size_t n;
};

/* The name of a neighbour's cgroup goes before it. */
static int deliver_named(const struct vigil_hdr *record, void *userdata)
{
        struct naming *n = userdata;
        uint64_t id = ((const struct vigil_neighbour *)record)->cgroup_id;
        bool named = !id;
        int r = 0;

        for (size_t i = 0; i < n->n && !named; i++)
                named = n->id[i] == id;
        if (!named) {
                r = cgroup_deliver(n->s, id, n->fn, n->userdata);
                if (n->n < NAMED)
                        n->id[n->n++] = id;
        }
        return r < 0 ? r : n->fn(record, n->userdata);
}

static int attribution_deliver(struct sensor *s, sensor_fn fn, void *userdata)
{
        struct naming naming = {.s = s, .fn = fn, .userdata = userdata};
        int r = sensor_attribution(s, fn, userdata);

        if (r == 0)
                r = sensor_neighbours(s, deliver_named, &naming);
        return r == -EOPNOTSUPP ? 0 : r;
}

static int send_statistics(struct sensor *s, sensor_fn fn, void *userdata)
{
        struct vigil_stats r;
        int err = sensor_statistics(s, &r);

        return err < 0 ? err : sensor_send(s, &r.hdr, VIGIL_STATS, sizeof(r), fn, userdata);
}

int sensor_finish(struct sensor *s, sensor_fn fn, void *userdata)
{
        static int (*const step[])(struct sensor *, sensor_fn, void *) = {
                participants_deliver, ledgers_deliver, sensor_histograms,
                attribution_deliver,  sensor_probes,   send_statistics,
        };
        int r = sensor_poll(s, 0, fn, userdata);

        for (size_t i = 0; r >= 0 && i < sizeof(step) / sizeof(step[0]); i++)
                r = step[i](s, fn, userdata);
        return r < 0 ? r : 0;
}
