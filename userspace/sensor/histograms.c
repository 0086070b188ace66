/* histograms.c - histograms as the kernel has them, and room for new ones when a watch lasts for months. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "sensor/internal.h"

#define IDLE_NS (600ull * 1000000000)
#define CROWDED (VIGIL_HISTS / 4 * 3) /* keys */

static int map_fd(const struct bpf_map *map)
{
        return bpf_map__fd(map);
}

/* @return since when nothing was added */
static uint64_t idle_since(struct sensor *s, uint32_t slot, uint64_t count, uint64_t now_ns)
{
        struct hist_idle *idle = &s->hist_idle[slot];

        if (!idle->since_ns || idle->count != count)
                *idle = (struct hist_idle){.count = count, .since_ns = now_ns};
        return idle->since_ns;
}

/* Slots whose keys were taken away long enough ago are free. */
static void give_back(struct sensor *s, uint64_t now_ns)
{
        static const struct vigil_hist none;

        if (now_ns - s->hist_retired_ns < SENSOR_GRACE_NS)
                return;
        for (size_t i = 0; i < s->hist_nretired; i++) {
                uint32_t slot = s->hist_retired[i];
                bpf_map_update_elem(map_fd(s->skeleton->maps.hists), &slot, &none, BPF_EXIST);
                bpf_map_update_elem(map_fd(s->skeleton->maps.free_hists), NULL, &slot, BPF_ANY);
                s->hist_idle[slot] = (struct hist_idle){0};
        }
        s->hist_nretired = 0;
}

struct idle_key {
        struct vigil_hist_key key;
        uint32_t slot;
};

static void retire(struct sensor *s, const struct idle_key *idle, size_t n, uint64_t now_ns)
{
        for (size_t i = 0; i < n; i++)
                if (bpf_map_delete_elem(map_fd(s->skeleton->maps.hist_slots), &idle[i].key) == 0)
                        s->hist_retired[s->hist_nretired++] = idle[i].slot;
        /* What a CPU remembers of places is worth nothing from here on (bpf/hist.h). */
        __atomic_fetch_add(&s->skeleton->bss->hist_epoch, 1, __ATOMIC_SEQ_CST);
        s->hist_retired_ns = now_ns;
}

static int prepare(struct sensor *s)
{
        if (!s->hist_idle)
                s->hist_idle = calloc(VIGIL_HISTS, sizeof(*s->hist_idle));
        if (!s->hist_retired)
                s->hist_retired = calloc(VIGIL_HISTS, sizeof(*s->hist_retired));
        return s->hist_idle && s->hist_retired ? 0 : -ENOMEM;
}

int sensor_histograms(struct sensor *s, sensor_fn fn, void *userdata)
{
        int slots = map_fd(s->skeleton->maps.hist_slots), hists = map_fd(s->skeleton->maps.hists);
        struct vigil_hist_key *prev = NULL, key, last;
        _cleanup_free_ struct idle_key *idle = calloc(VIGIL_HISTS, sizeof(*idle));
        uint64_t now = clock_boottime_ns();
        size_t nidle = 0, n = 0;
        uint32_t slot;

        if (!idle || prepare(s) < 0)
                return -ENOMEM;
        give_back(s, now);
        for (; n < VIGIL_HISTS && bpf_map_get_next_key(slots, prev, &key) == 0; last = key, prev = &last, n++) {
                struct vigil_hist_rec r = {.key = key};
                if (bpf_map_lookup_elem(slots, &key, &slot) < 0 || slot >= VIGIL_HISTS ||
                    bpf_map_lookup_elem(hists, &slot, &r.hist) < 0)
                        continue;
                if (now - idle_since(s, slot, r.hist.count, now) >= IDLE_NS)
                        idle[nidle++] = (struct idle_key){.key = key, .slot = slot};
                int err = sensor_send(s, &r.hdr, VIGIL_HIST, sizeof(r), fn, userdata);
                if (err < 0)
                        return err;
        }
        if (n > CROWDED && s->hist_nretired == 0)
                retire(s, idle, nidle, now);
        return 0;
}
