/* participants.c - who takes part, as the kernel side has it: the living, and the dead that found their ring full. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "sensor/internal.h"

static int map_fd(const struct bpf_map *map)
{
        return bpf_map__fd(map);
}

int sensor_read_part(struct sensor *s, uint32_t tgid, struct vigil_proc *ret)
{
        uint32_t slot;

        if (bpf_map_lookup_elem(map_fd(s->skeleton->maps.part_slots), &tgid, &slot) < 0 ||
            bpf_map_lookup_elem(map_fd(s->skeleton->maps.parts), &slot, ret) < 0)
                return -errno;
        return ret->id.tgid == tgid ? 0 : -ESRCH; /* it died in between */
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

static bool uses(const struct vigil_proc *p, unsigned db)
{
        for (size_t i = 0; i < VIGIL_USES && p->use[i].db; i++)
                if (p->use[i].db == db)
                        return true;
        return false;
}

/* One walk over the participants: what it is after, and what it needs for that. */
struct walk {
        bool living, dead;
        unsigned db; /* 0: any */
        int delivered;
        sensor_fn fn;
        void *userdata;
};

static int deliver_living(struct sensor *s, const struct walk *w, struct vigil_proc *p)
{
        held_fill(s, p);
        sensor_fill_hdr(s, &p->hdr, VIGIL_LIVE, sizeof(*p));
        return w->fn(&p->hdr, w->userdata);
}

/* A death that found the ring full still lies in the map. Its databases are told of by the ledgers that follow. */
static int deliver_dead(struct sensor *s, const struct walk *w, struct vigil_proc *p)
{
        int r = w->fn(&p->hdr, w->userdata);

        part_give_back(s, p);
        return r;
}

static int deliver(struct sensor *s, struct walk *w, uint32_t tgid, struct vigil_proc *p)
{
        if (sensor_read_part(s, tgid, p) < 0 || p->flags & VIGIL_PROC_CANARY)
                return 0;
        bool dead = p->flags & VIGIL_PROC_DEAD;
        if (!(dead ? w->dead : w->living) || (w->db && !uses(p, w->db)))
                return 0;
        w->delivered++;
        return dead ? deliver_dead(s, w, p) : deliver_living(s, w, p);
}

int participants(struct sensor *s, uint32_t **ret, size_t *ret_n)
{
        int fd = map_fd(s->skeleton->maps.part_slots);
        uint32_t n = bpf_map__max_entries(s->skeleton->maps.part_slots);
        _cleanup_free_ uint32_t *slots = calloc(n, sizeof(*slots)), *tgids = calloc(n, sizeof(*tgids));
        uint32_t at = 0;

        if (!tgids || !slots)
                return -ENOMEM;
        /* In one call: after a key that has gone the next one is the first again. */
        if (bpf_map_lookup_batch(fd, NULL, &at, tgids, slots, &n, NULL) < 0 && errno != ENOENT)
                return -errno;
        *ret = TAKE_PTR(tgids);
        *ret_n = n;
        return 0;
}

static int walk(struct sensor *s, struct walk *w)
{
        _cleanup_free_ uint32_t *tgids = NULL;
        _cleanup_free_ struct vigil_proc *p = calloc(1, sizeof(*p));
        size_t n = 0;
        /* First the keys: entries are removed on the way. */
        int r = p ? participants(s, &tgids, &n) : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = deliver(s, w, tgids[i], p);
        return r < 0 ? r : w->delivered;
}

int participants_deliver(struct sensor *s, sensor_fn fn, void *userdata)
{
        struct walk w = {.living = true, .dead = true, .fn = fn, .userdata = userdata};

        return walk(s, &w);
}

int sensor_living(struct sensor *s, unsigned id, sensor_fn fn, void *userdata)
{
        struct walk w = {.living = true, .db = id, .fn = fn, .userdata = userdata};

        return walk(s, &w);
}

int sensor_collect(struct sensor *s, sensor_fn fn, void *userdata)
{
        struct walk w = {.dead = true, .fn = fn, .userdata = userdata};

        return walk(s, &w);
}
