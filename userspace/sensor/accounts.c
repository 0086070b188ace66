/* accounts.c - what the kernel side has counted: ledgers, losses. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sensor/internal.h"

static int map_fd(const struct bpf_map *map)
{
        return bpf_map__fd(map);
}

/* @return 0, also for an id that no database has: then ret->id is 0 */
static int read_account(struct sensor *s, uint32_t id, struct vigil_db *ret)
{
        uint64_t args[] = {id};

        control_run(s->skeleton->progs.raw_tp__settle, args, 1);
        return bpf_map_lookup_elem(map_fd(s->skeleton->maps.dbs), &id, ret) < 0 ? -errno : 0;
}

int sensor_account(struct sensor *s, unsigned id, struct vigil_db *ret)
{
        struct vigil_db db;

        if (id == 0 || id >= VIGIL_MAX_DBS)
                return -ENOENT;
        int r = read_account(s, id, &db);
        if (r < 0)
                return r;
        if (!db.id)
                return -ENOENT;
        *ret = db;
        return 0;
}

int ledgers_deliver(struct sensor *s, sensor_fn fn, void *userdata)
{
        for (uint32_t id = 1; id < VIGIL_MAX_DBS; id++) {
                struct vigil_ledger_rec r = {0};
                int err = read_account(s, id, &r.db);

                if (err < 0)
                        return err;
                if (!r.db.id)
                        continue;
                err = sensor_send(s, &r.hdr, VIGIL_LEDGER, sizeof(r), fn, userdata);
                if (err < 0)
                        return err;
        }
        return 0;
}

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

int sensor_statistics(struct sensor *s, struct vigil_stats *ret)
{
        struct vigil_stats now = {.missed = probes_missed(s, false),
                                  .records = s->records,
                                  .canary = s->canary_seen,
                                  .probes_missing = s->missing,
                                  .probes_silent = s->silent};
        int r = sum_counters(s, &now.c);

        if (r == 0)
                *ret = now;
        return r;
}

/* ---- notes ---- */

int sensor_note(struct sensor *s, unsigned id, const void *bytes, size_t n)
{
        struct note note = {0};

        if (n > sizeof(note.bytes))
                return -E2BIG;
        if (n)
                memcpy(note.bytes, bytes, n);
        return bpf_map_update_elem(map_fd(s->skeleton->maps.notes), &id, &note, BPF_EXIST) < 0 ? -errno : 0;
}

int sensor_noted(struct sensor *s, unsigned id, void *ret, size_t n)
{
        struct note note;

        if (n > sizeof(note.bytes))
                return -E2BIG;
        if (bpf_map_lookup_elem(map_fd(s->skeleton->maps.notes), &id, &note) < 0)
                return -errno;
        memcpy(ret, note.bytes, n);
        return 0;
}
