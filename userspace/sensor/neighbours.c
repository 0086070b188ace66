/* neighbours.c - who held locks that others waited for, and who used the disks of databases (bpf/span.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sensor/internal.h"

/* Everything that is in @map, in one call. @return how many, or -errno */
static int read_all(const struct bpf_map *map, void **ret_keys, void **ret_values)
{
        uint32_t n = bpf_map__max_entries(map), at = 0;
        _cleanup_free_ void *keys = calloc(n, bpf_map__key_size(map));
        _cleanup_free_ void *values = calloc(n, bpf_map__value_size(map));

        if (!keys || !values)
                return -ENOMEM;
        if (bpf_map_lookup_batch(bpf_map__fd(map), NULL, &at, keys, values, &n, NULL) < 0 &&
            errno != ENOENT) /* which says that this was all */
                return -errno;
        *ret_keys = TAKE_PTR(keys);
        *ret_values = TAKE_PTR(values);
        return (int)n;
}

static int send(struct sensor *s, struct vigil_neighbour *r, sensor_fn fn, void *userdata)
{
        return sensor_send(s, &r->hdr, VIGIL_NEIGHBOUR, sizeof(*r), fn, userdata);
}

static int holders_deliver(struct sensor *s, sensor_fn fn, void *userdata)
{
        _cleanup_free_ void *keys = NULL, *values = NULL;
        int n = read_all(s->skeleton->maps.lock_holders, &keys, &values), r = n < 0 ? n : 0;
        const struct lock_holder_key *k = keys;
        const struct lock_holder *h = values;

        for (int i = 0; k && h && r >= 0 && i < n; i++) {
                struct vigil_neighbour neighbour = {
                        .db = k[i].db, .waited_ns = h[i].waited_ns, .cgroup_id = h[i].cgroup_id};
                neighbour.id.tgid = k[i].tgid;
                neighbour.id.start_ns = k[i].start_ns;
                memcpy(neighbour.id.comm, h[i].comm, sizeof(neighbour.id.comm) - 1);
                if (k[i].db < VIGIL_MAX_DBS && s->db[k[i].db].path)
                        r = send(s, &neighbour, fn, userdata);
        }
        return r;
}

static int users_deliver(struct sensor *s, sensor_fn fn, void *userdata)
{
        _cleanup_free_ void *keys = NULL, *values = NULL;
        int n = read_all(s->skeleton->maps.disk_users, &keys, &values), r = n < 0 ? n : 0;
        const struct disk_user_key *k = keys;
        const struct disk_user *u = values;

        for (int i = 0; k && u && r >= 0 && i < n; i++) {
                struct vigil_neighbour neighbour = {.disk = k[i].disk,
                                                    .write_bytes = u[i].write_bytes,
                                                    .read_bytes = u[i].read_bytes,
                                                    .writes = u[i].writes,
                                                    .syncs = u[i].syncs,
                                                    .cgroup_id = u[i].cgroup_id};
                neighbour.id.tgid = k[i].tgid;
                neighbour.id.start_ns = k[i].start_ns;
                memcpy(neighbour.id.comm, u[i].comm, sizeof(neighbour.id.comm) - 1);
                memcpy(neighbour.uses, u[i].uses, sizeof(neighbour.uses));
                r = send(s, &neighbour, fn, userdata);
        }
        return r;
}

int sensor_neighbours(struct sensor *s, sensor_fn fn, void *userdata)
{
        int r = s->options.attribution ? holders_deliver(s, fn, userdata) : -EOPNOTSUPP;

        if (r >= 0)
                r = users_deliver(s, fn, userdata);
        return r < 0 ? r : 0;
}
