/* finish.c - the accounts that the kernel kept, as records. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sensor/internal.h"
#include "sensor/proclocks.h"

static int map_fd(const struct bpf_map *map)
{
        return bpf_map__fd(map);
}

/* ---- participants: the dead that found their ring full, and the living ---- */

int sensor_read_part(struct sensor *s, uint32_t tgid, struct vigil_proc *ret)
{
        uint32_t slot;

        if (bpf_map_lookup_elem(map_fd(s->skeleton->maps.part_slots), &tgid, &slot) < 0 ||
            bpf_map_lookup_elem(map_fd(s->skeleton->maps.parts), &slot, ret) < 0)
                return -errno;
        return 0;
}

static void part_give_back(struct sensor *s, struct vigil_proc *p)
{
        uint32_t tgid = p->id.tgid, slot;

        if (bpf_map_lookup_elem(map_fd(s->skeleton->maps.part_slots), &tgid, &slot) < 0)
                return;
        bpf_map_delete_elem(map_fd(s->skeleton->maps.part_slots), &tgid);
        p->id.tgid = 0; /* or a CPU that remembers it would take it for the next process of this number */
        bpf_map_update_elem(map_fd(s->skeleton->maps.parts), &slot, p, BPF_ANY);
        bpf_map_update_elem(map_fd(s->skeleton->maps.free_parts), NULL, &slot, BPF_ANY);
}

/* What it holds locked now, read marks included. */
static void fill_locks(struct sensor *s, struct vigil_proc *p, const struct proc_lock *lock, size_t n)
{
        for (size_t i = 0; i < VIGIL_USES && p->use[i].db; i++) {
                uint32_t id = p->use[i].db;
                struct db_priv priv;

                p->use[i].locks_at_end = 0;
                if (bpf_map_lookup_elem(map_fd(s->skeleton->maps.dbp), &id, &priv) < 0)
                        continue;
                for (size_t j = 0; j < n; j++) {
                        static const uint32_t role[] = {VIGIL_ROLE_MAIN, VIGIL_ROLE_SHM};
                        for (size_t k = 0; k < 2; k++)
                                if (lock[j].tgid == p->id.tgid && lock[j].ino == priv.key[role[k]].ino &&
                                    lock[j].dev == priv.key[role[k]].dev)
                                        p->use[i].locks_at_end |= proclocks_bits(&lock[j], role[k]);
                }
        }
}

static int send_living(struct sensor *s, struct vigil_proc *p)
{
        _cleanup_free_ struct proc_lock *lock = NULL;
        size_t n = 0;
        int cut;

        if (proclocks_read(&lock, &n, &cut) == 0)
                fill_locks(s, p, lock, n);
        sensor_fill_hdr(s, &p->hdr, VIGIL_LIVE, sizeof(*p));
        return s->fn(&p->hdr, s->userdata);
}

/* A death that found the ring full still lies in the map. Its databases are told of by the ledgers that follow. */
static int send_dead(struct sensor *s, struct vigil_proc *p)
{
        int r = s->fn(&p->hdr, s->userdata);

        part_give_back(s, p);
        return r;
}

static int send_participants(struct sensor *s)
{
        _cleanup_free_ uint32_t *tgids = calloc(bpf_map__max_entries(s->skeleton->maps.part_slots), sizeof(*tgids));
        _cleanup_free_ struct vigil_proc *p = malloc(sizeof(*p));
        int fd = map_fd(s->skeleton->maps.part_slots), r = 0;
        uint32_t key, *prev = NULL;
        size_t n = 0;

        if (!tgids || !p)
                return -ENOMEM;
        /* First the keys: entries are removed on the way. */
        while (n < bpf_map__max_entries(s->skeleton->maps.part_slots) &&
               bpf_map_get_next_key(fd, prev, &key) == 0) {
                tgids[n] = key;
                prev = &tgids[n++];
        }
        for (size_t i = 0; r >= 0 && i < n; i++) {
                if (sensor_read_part(s, tgids[i], p) < 0 || p->flags & VIGIL_PROC_CANARY)
                        continue;
                r = p->flags & VIGIL_PROC_DEAD ? send_dead(s, p) : send_living(s, p);
        }
        return r;
}

/* ---- ledgers, histograms ---- */

static int send_ledgers(struct sensor *s)
{
        for (uint32_t id = 1; id < VIGIL_MAX_DBS; id++) {
                struct vigil_ledger_rec r = {0};
                uint64_t args[] = {id};

                control_run(s->skeleton->progs.raw_tp__settle, args, 1);
                if (bpf_map_lookup_elem(map_fd(s->skeleton->maps.dbs), &id, &r.db) < 0)
                        return -errno;
                if (!r.db.id)
                        continue;
                int err = sensor_send(s, &r.hdr, VIGIL_LEDGER, sizeof(r), s->fn, s->userdata);
                if (err < 0)
                        return err;
        }
        return 0;
}

static int send_hists(struct sensor *s)
{
        struct vigil_hist_rec r;
        struct vigil_hist_key *prev = NULL, key, last;

        int slots = map_fd(s->skeleton->maps.hist_slots), hists = map_fd(s->skeleton->maps.hists);
        uint32_t slot;

        for (; bpf_map_get_next_key(slots, prev, &key) == 0; last = key, prev = &last) {
                memset(&r, 0, sizeof(r));
                r.key = key;
                if (bpf_map_lookup_elem(slots, &key, &slot) < 0 || bpf_map_lookup_elem(hists, &slot, &r.hist) < 0)
                        continue;
                int err = sensor_send(s, &r.hdr, VIGIL_HIST, sizeof(r), s->fn, s->userdata);
                if (err < 0)
                        return err;
        }
        return 0;
}

/* ---- probes ---- */

/* Runs that the kernel skipped, from "recursion_misses:" of the program's fdinfo (since 5.12); 0 where it does not count. */
static uint64_t missed_of(int fd)
{
        char path[64], line[128];
        unsigned long long n = 0;

        snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
        _cleanup_fclose_ FILE *f = fopen(path, "re");
        while (f && fgets(line, sizeof(line), f))
                if (sscanf(line, "recursion_misses: %llu", &n) == 1)
                        break;
        return n;
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

        if (i >= probes_count || (probes[i].flags & PROBE_READS && !s->options.reads))
                return -ENOENT;
        key = (uint32_t)probes[i].id;
        bpf_map_lookup_elem(map_fd(s->skeleton->maps.seen), &key, &n);
        /* One program may hang on several tracepoints: its misses are told with the first of them. */
        bool first = true;
        for (size_t j = 0; j < i; j++)
                first = first && probes[j].program != probes[i].program;
        *ret = (struct sensor_probe){.name = probes[i].name,
                                     .attached = s->link[i] != NULL,
                                     .triable = !(probes[i].flags & PROBE_UNTRIED),
                                     .seen = n > 0};
        if (s->link[i] && first)
                ret->missed = missed_of(bpf_program__fd(probe_program(&probes[i], s->skeleton)));
        return 0;
}

static int send_probes(struct sensor *s, uint64_t *ret_missed)
{
        for (size_t i = 0; i < probes_count; i++) {
                struct vigil_probe r = {0};
                struct sensor_probe p;

                if (sensor_probe_state(s, i, &p) < 0)
                        continue;
                r.attached = p.attached;
                r.seen = p.seen ? 1 : p.triable ? 0 : 2;
                r.missed = p.missed;
                *ret_missed += p.missed;
                snprintf(r.name, sizeof(r.name), "%s", p.name);
                int err = sensor_send(s, &r.hdr, VIGIL_PROBE, sizeof(r), s->fn, s->userdata);
                if (err < 0)
                        return err;
        }
        return 0;
}

/* ---- counters ---- */

static int sum_counters(struct sensor *s, struct vigil_counters *ret)
{
        int cpus = libbpf_num_possible_cpus();
        uint32_t zero = 0;

        if (cpus < 0)
                return cpus;
        _cleanup_free_ struct vigil_counters *each = calloc((size_t)cpus, sizeof(*each));
        if (!each)
                return -ENOMEM;
        if (bpf_map_lookup_elem(map_fd(s->skeleton->maps.counters), &zero, each) < 0)
                return -errno;
        for (int cpu = 0; cpu < cpus; cpu++) {
                const uint64_t *from = (const uint64_t *)&each[cpu];
                uint64_t *to = (uint64_t *)ret;
                for (size_t i = 0; i < sizeof(*ret) / sizeof(*to); i++)
                        to[i] += from[i];
        }
        return 0;
}

static int send_stats(struct sensor *s, uint64_t missed)
{
        struct vigil_stats r = {.missed = missed,
                                .records = s->records,
                                .canary = s->canary_seen,
                                .probes_missing = s->missing,
                                .probes_silent = s->silent};
        int err = sum_counters(s, &r.c);

        return err < 0 ? err : sensor_send(s, &r.hdr, VIGIL_STATS, sizeof(r), s->fn, s->userdata);
}

int sensor_finish(struct sensor *s, sensor_fn fn, void *userdata)
{
        uint64_t missed = 0;
        int r = sensor_poll(s, 0, fn, userdata);

        if (r < 0)
                return r;
        s->fn = fn;
        s->userdata = userdata;
        r = send_participants(s);
        if (r >= 0)
                r = send_ledgers(s);
        if (r >= 0)
                r = send_hists(s);
        if (r >= 0)
                r = send_probes(s, &missed);
        if (r >= 0)
                r = send_stats(s, missed);
        s->fn = NULL;
        return r < 0 ? r : 0;
}
