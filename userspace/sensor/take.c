/* take.c - the kernel side that an earlier process has left, put to use again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sensor/internal.h"

static int map_fd(const struct bpf_map *map)
{
        return bpf_map__fd(map);
}

/* ---- loading: the programs that are attached already are not loaded once more ---- */

static int load_rest(struct sensor *s, uint64_t attached)
{
        attribution_taken(s, attached);
        s->skeleton = vigil_bpf__open();
        if (!s->skeleton)
                return -errno;
        for (size_t i = 0; i < probes_count; i++)
                bpf_program__set_autoload(probe_program(&probes[i], s->skeleton), false);
        attribution_prepare(s);
        int r = pins_take_maps(s);
        return r < 0 ? r : vigil_bpf__load(s->skeleton);
}

static void forget_links(struct sensor *s)
{
        for (size_t i = 0; i < SENSOR_MAX_PROBES; i++) {
                bpf_link__destroy(TAKE_PTR(s->link[i]));
                if (s->taken_program[i] >= 0)
                        close(TAKE_FD(s->taken_program[i]));
                s->taken_program[i] = -1;
        }
}

static void count_missing(struct sensor *s)
{
        for (size_t i = 0; i < probes_count; i++)
                if (!s->link[i] && probe_is_planned(s, i) && !(probes[i].flags & PROBE_ATTRIBUTION))
                        s->missing++;
}

/* ---- what the earlier process may have been in the middle of ---- */

/* Where nothing is adopted, only user space gives ids out: what it had in hand when it died is free. */
static int refill_ids(struct sensor *s)
{
        int fd = map_fd(s->skeleton->maps.free_dbs);
        _cleanup_free_ struct vigil_db *db = malloc(sizeof(*db));
        uint32_t id;

        if (!db)
                return -ENOMEM;
        while (bpf_map_lookup_and_delete_elem(fd, NULL, &id) == 0)
                ;
        for (id = 1; id < VIGIL_MAX_DBS; id++) {
                if (bpf_map_lookup_elem(map_fd(s->skeleton->maps.dbs), &id, db) < 0 ||
                    (!db->id && bpf_map_update_elem(fd, NULL, &id, BPF_ANY) < 0))
                        return -errno;
        }
        return 0;
}

/* Watched to the end of the earlier process, and wholly: its users had been looked for. */
static bool was_watched(struct sensor *s, unsigned id)
{
        _cleanup_free_ struct vigil_db *db = malloc(sizeof(*db));
        struct db_priv priv;

        return db && bpf_map_lookup_elem(map_fd(s->skeleton->maps.dbs), &id, db) == 0 && db->id == id &&
               !(db->flags & VIGIL_DB_CANARY) &&
               bpf_map_lookup_elem(map_fd(s->skeleton->maps.dbp), &id, &priv) == 0 && priv.seeded;
}

unsigned taken_database(struct sensor *s, const struct seed_entry *dir, const char *name)
{
        struct name_key key = {.dir = {.ino = dir->ino, .dev = dir->dev}};
        struct name_ref ref;

        if (!s->taken || strlen(name) >= sizeof(key.name))
                return 0;
        strcpy(key.name, name);
        if (bpf_map_lookup_elem(map_fd(s->skeleton->maps.names), &key, &ref) < 0 || ref.role != VIGIL_ROLE_MAIN ||
            ref.db >= VIGIL_MAX_DBS || s->db[ref.db].path)
                return 0;
        return was_watched(s, ref.db) ? ref.db : 0;
}

/* Names database @id, that nobody asked for, so that it can leave the watch. */
static int let_go(struct sensor *s, unsigned id)
{
        struct db_priv priv;

        if (bpf_map_lookup_elem(map_fd(s->skeleton->maps.dbp), &id, &priv) < 0)
                return -errno;
        s->db[id].path = strndup(priv.name, sizeof(priv.name));
        return s->db[id].path ? sensor_unwatch(s, id) : -ENOMEM;
}

int sensor_let_go(struct sensor *s)
{
        _cleanup_free_ struct vigil_db *db = malloc(sizeof(*db));
        int r = db ? 0 : -ENOMEM;

        for (unsigned id = 1; r == 0 && s->taken && id < VIGIL_MAX_DBS; id++) {
                if (s->db[id].path)
                        continue;
                if (bpf_map_lookup_elem(map_fd(s->skeleton->maps.dbs), &id, db) < 0)
                        r = -errno;
                else if (db->id)
                        r = let_go(s, id);
        }
        return r;
}

/* What fired for the canary of the earlier process proves nothing of now. */
static int forget_seen(struct sensor *s)
{
        const uint64_t none = 0;

        for (uint32_t i = 0; i < PROBE_COUNT; i++)
                if (bpf_map_update_elem(map_fd(s->skeleton->maps.seen), &i, &none, BPF_EXIST) < 0)
                        return -errno;
        return 0;
}

/* ---- */

int take_over(struct sensor *s, uint64_t attached)
{
        bool wanted = s->options.attribution;
        int r = load_rest(s, attached);

        if (r == 0)
                r = pins_take_links(s, attached);
        if (r == 0)
                r = rings_open(s);
        s->taken = r == 0;
        if (r == 0)
                r = sensor_mark(s, getpid(), SENSOR_OWN);
        if (r == 0)
                r = forget_seen(s);
        if (r == 0)
                r = refill_ids(s);
        if (r == 0) {
                count_missing(s);
                return 0;
        }
        s->taken = false;
        s->options.attribution = wanted;
        rings_close(s);
        forget_links(s);
        vigil_bpf__destroy(TAKE_PTR(s->skeleton));
        return r;
}

bool sensor_taken_over(const struct sensor *s, bool *ret_let_go)
{
        *ret_let_go = s->taken && s->skeleton->bss->let_go;
        return s->taken;
}
