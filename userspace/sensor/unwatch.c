/* unwatch.c - a database leaves the watch, or its directory leaves the place where it was. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/resolve.h"
#include "sensor/internal.h"

static int map_fd(const struct bpf_map *map)
{
        return bpf_map__fd(map);
}

static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};

/* ---- names ---- */

/* Another database whose main file has the same name; 0: none. */
static unsigned namesake(struct sensor *s, unsigned id, const struct db_priv *of)
{
        for (unsigned other = 1; other < VIGIL_MAX_DBS; other++) {
                struct db_priv priv;
                if (other != id && s->db[other].path && !s->db[other].left_ns &&
                    bpf_map_lookup_elem(map_fd(s->skeleton->maps.dbp), &other, &priv) == 0 &&
                    strcmp(priv.name, of->name) == 0)
                        return other;
        }
        return 0;
}

static void forget_basename(struct sensor *s, const char name[VIGIL_NAME_MAX], unsigned id, unsigned other)
{
        int fd = map_fd(s->skeleton->maps.basenames);
        struct basename_ref ref;

        if (bpf_map_lookup_elem(fd, name, &ref) < 0)
                return;
        ref.count -= ref.count > 0;
        if (ref.db == id)
                ref.db = other;
        if (ref.count == 0 || ref.db == 0)
                bpf_map_delete_elem(fd, name);
        else
                bpf_map_update_elem(fd, name, &ref, BPF_EXIST);
}

/* Of a database that left the watch before, or never quite came under it, another one may have the name by now. */
static bool is_its_name(struct sensor *s, const struct name_key *key, unsigned id)
{
        struct name_ref ref;

        return bpf_map_lookup_elem(map_fd(s->skeleton->maps.names), key, &ref) == 0 && ref.db == id;
}

static void forget_names(struct sensor *s, unsigned id, const struct db_priv *priv)
{
        unsigned other = namesake(s, id, priv);

        for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
                struct name_key key = {.dir = priv->dir};
                size_t n = strnlen(priv->name, sizeof(key.name)), m = strlen(suffixes[i]);

                if (n + m >= sizeof(key.name))
                        continue;
                memcpy(key.name, priv->name, n);
                memcpy(key.name + n, suffixes[i], m);
                if (!is_its_name(s, &key, id))
                        continue;
                bpf_map_delete_elem(map_fd(s->skeleton->maps.names), &key);
                forget_basename(s, key.name, id, other);
        }
}

/* ---- files, directory ---- */

/* The main file stays with the database that shares it, as in the programs (bpf/adopt.h). */
static int hand_over(struct sensor *s, struct file_ref *ref)
{
        uint32_t next = ref->second;
        struct vigil_db *db = malloc(sizeof(*db));
        int r = db ? bpf_map_lookup_elem(map_fd(s->skeleton->maps.dbs), &next, db) : -ENOMEM;

        if (r == 0) {
                ref->incarnation = db->file[VIGIL_ROLE_MAIN].incarnation;
                ref->db = next;
                ref->second = 0;
        }
        free(db);
        return r;
}

/* All of them, those of older incarnations and super-journals too. */
static int forget_files(struct sensor *s, unsigned id)
{
        int fd = map_fd(s->skeleton->maps.files);
        size_t max = bpf_map__max_entries(s->skeleton->maps.files), n = 0;
        _cleanup_free_ struct file_key *keys = calloc(max, sizeof(*keys));
        struct file_key *prev = NULL;
        struct file_ref ref;

        if (!keys)
                return -ENOMEM;
        while (n < max && bpf_map_get_next_key(fd, prev, &keys[n]) == 0)
                prev = &keys[n++];
        for (size_t i = 0; i < n; i++) {
                if (bpf_map_lookup_elem(fd, &keys[i], &ref) < 0)
                        continue;
                if (ref.db != id && ref.second == id) {
                        ref.second = 0;
                        bpf_map_update_elem(fd, &keys[i], &ref, BPF_EXIST);
                } else if (ref.db == id && (!ref.second || hand_over(s, &ref) < 0 ||
                                            bpf_map_update_elem(fd, &keys[i], &ref, BPF_EXIST) < 0)) {
                        bpf_map_delete_elem(fd, &keys[i]);
                }
        }
        /* What a CPU remembers of files is worth nothing from here on (bpf/maps.h, struct last_file). */
        __atomic_fetch_add(&s->skeleton->bss->binding_epoch, 1, __ATOMIC_SEQ_CST);
        return 0;
}

static bool same_key(const struct file_key *a, const struct file_key *b)
{
        return a->ino == b->ino && a->dev == b->dev;
}

static void forget_directory(struct sensor *s, unsigned id, const struct db_priv *of)
{
        for (unsigned other = 1; other < VIGIL_MAX_DBS; other++) {
                struct db_priv priv;
                if (other != id && s->db[other].path && !s->db[other].left_ns &&
                    bpf_map_lookup_elem(map_fd(s->skeleton->maps.dbp), &other, &priv) == 0 &&
                    same_key(&priv.dir, &of->dir))
                        return;
        }
        bpf_map_delete_elem(map_fd(s->skeleton->maps.dirs), &of->dir);
}

int sensor_unwatch(struct sensor *s, unsigned id)
{
        struct db_priv priv;

        if (id == 0 || id >= VIGIL_MAX_DBS || !s->db[id].path || s->db[id].left_ns)
                return -ENOENT;
        if (bpf_map_lookup_elem(map_fd(s->skeleton->maps.dbp), &id, &priv) < 0)
                return -errno;
        forget_names(s, id, &priv);
        int r = forget_files(s, id);
        if (r < 0)
                return r;
        forget_directory(s, id, &priv);
        free(TAKE_PTR(s->db[id].pending));
        s->db[id].left_ns = clock_boottime_ns();
        return 0;
}

/* ---- ids are given out again ---- */

static int on_user(const struct vigil_hdr *record, void *userdata)
{
        (void)record;
        (void)userdata;
        return -EBUSY;
}

/* Histograms stay where they are, since a CPU may remember the place; the next database of that id begins at zero. */
static void zero_histograms(struct sensor *s, unsigned id)
{
        static const struct vigil_hist none;
        int slots = map_fd(s->skeleton->maps.hist_slots);
        struct vigil_hist_key *prev = NULL, key, last;
        uint32_t slot;

        for (; bpf_map_get_next_key(slots, prev, &key) == 0; last = key, prev = &last)
                if (key.db == id && bpf_map_lookup_elem(slots, &key, &slot) == 0)
                        bpf_map_update_elem(map_fd(s->skeleton->maps.hists), &slot, &none, BPF_EXIST);
}

static void release(struct sensor *s, unsigned id)
{
        static const struct vigil_db no_db;
        static const struct db_priv no_priv;
        uint32_t key = id;

        zero_histograms(s, id);
        sensor_note(s, id, NULL, 0);
        attribution_forget(s, id);
        if (bpf_map_update_elem(map_fd(s->skeleton->maps.dbs), &key, &no_db, BPF_EXIST) < 0 ||
            bpf_map_update_elem(map_fd(s->skeleton->maps.dbp), &key, &no_priv, BPF_EXIST) < 0 ||
            bpf_map_update_elem(map_fd(s->skeleton->maps.free_dbs), NULL, &key, BPF_ANY) < 0)
                return;
        free(s->db[id].path);
        if (s->db[id].dirfd >= 0)
                close(s->db[id].dirfd);
        s->db[id] = (struct sensor_db){.dirfd = -1};
}

void unwatched_release(struct sensor *s)
{
        uint64_t now = clock_boottime_ns();

        for (unsigned id = 1; id < VIGIL_MAX_DBS; id++)
                if (s->db[id].left_ns && now - s->db[id].left_ns >= SENSOR_GRACE_NS &&
                    sensor_living(s, id, on_user, NULL) == 0)
                        release(s, id);
}

/* ---- moved ---- */

int sensor_moved(struct sensor *s, unsigned id, const char *path)
{
        char full[PATH_MAX], parent[PATH_MAX];
        struct seed_entry dir;
        struct db_priv priv;
        struct stat st;

        if (id == 0 || id >= VIGIL_MAX_DBS || !s->db[id].path)
                return -ENOENT;
        int r = resolve_file(path, full);
        if (r < 0)
                return r;
        if (strcmp(full, s->db[id].path) != 0)
                return 1;
        strcpy(parent, full);
        _cleanup_close_ int dirfd = open(dirname(parent), O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dirfd < 0 || fstat(dirfd, &st) < 0)
                return -errno;
        /* Numbers of stat(2) that have stayed are those of the same directory; others may be no more than overlayfs has. */
        if (st.st_dev == s->db[id].dir_dev && st.st_ino == s->db[id].dir_ino)
                return 0;
        r = seed_own_fd(s, dirfd, &dir);
        if (r < 0)
                return r;
        if (bpf_map_lookup_elem(map_fd(s->skeleton->maps.dbp), &id, &priv) < 0)
                return -errno;
        return !same_key(&priv.dir, &(struct file_key){.ino = dir.ino, .dev = dir.dev});
}
