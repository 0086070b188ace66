/* watch.c - databases under watch: named ones, and those that the kernel side adopted. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/resolve.h"
#include "sensor/internal.h"

/* An id that no other has: the map decides, as it does for the programs. */
static int take_id(struct sensor *s, unsigned *ret)
{
        uint32_t id;

        if (bpf_map_lookup_and_delete_elem(bpf_map__fd(s->skeleton->maps.free_dbs), NULL, &id) < 0)
                return errno == ENOENT ? -E2BIG : -errno;
        *ret = id;
        return 0;
}

int watch_names(struct sensor *s, const struct seed_entry *dir, const char *name, uint32_t flags, unsigned *ret_id)
{
        struct vigil_db *db = NULL;
        struct db_priv priv = {.dir = {.ino = dir->ino, .dev = dir->dev}};
        struct dir no_ops = {0};
        unsigned id = 0;

        unwatched_release(s);
        int r = take_id(s, &id);

        if (r < 0)
                return r;
        db = calloc(1, sizeof(*db));
        if (!db)
                return -ENOMEM;
        db->id = id;
        db->flags = flags;
        priv.name_len = (uint32_t)strlen(name);
        memcpy(priv.name, name, priv.name_len);
        r = bpf_map_update_elem(bpf_map__fd(s->skeleton->maps.dbp), &id, &priv, BPF_ANY);
        if (r == 0 &&
            bpf_map_update_elem(bpf_map__fd(s->skeleton->maps.dirs), &priv.dir, &no_ops, BPF_NOEXIST) < 0 &&
            errno != EEXIST)
                r = -1;
        if (r == 0)
                r = bpf_map_update_elem(bpf_map__fd(s->skeleton->maps.dbs), &id, db, BPF_ANY);
        free(db);
        if (r < 0)
                return -errno;
        uint64_t args[] = {id};
        if (control_run(s->skeleton->progs.raw_tp__watch_names, args, 1) != 0)
                return -E2BIG;
        *ret_id = id;
        return 0;
}

int watch_numbers(struct sensor *s, const char *path, struct seed_entry *ret)
{
        _cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        struct stat st;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
        return seed_own_fd(s, fd, ret);
}

int watch_bind(struct sensor *s, unsigned id, const char *path, struct seed_entry *ret)
{
        /* Held open while the kernel side looks at the address of its inode. */
        _cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        int r = watch_numbers(s, path, ret);
        if (r < 0)
                return r;
        uint64_t args[] = {id, VIGIL_ROLE_MAIN, ret->inode};
        r = control_run(s->skeleton->progs.raw_tp__bind_file, args, 3);
        return r < 0 ? r : 0;
}

static const struct {
        const char *suffix;
        uint64_t role;
} file_of[] = {{"", VIGIL_ROLE_MAIN},
               {"-wal", VIGIL_ROLE_WAL},
               {"-shm", VIGIL_ROLE_SHM},
               {"-journal", VIGIL_ROLE_JOURNAL}};

#define FILES (sizeof(file_of) / sizeof(file_of[0]))

/* File number @i of the database at @path, with O_PATH. Returns its descriptor, -1: there is none. */
static int open_file_of(const char *path, size_t i)
{
        char name[PATH_MAX];

        if ((size_t)snprintf(name, sizeof(name), "%s%s", path, file_of[i].suffix) >= sizeof(name))
                return -1;
        return open(name, O_PATH | O_CLOEXEC | O_NOFOLLOW);
}

/* Companions that exist already; one that is missing is none. */
static void bind_companions(struct sensor *s, unsigned id, const char *path)
{
        for (size_t i = 1; i < FILES; i++) {
                struct seed_entry e;
                _cleanup_close_ int fd = open_file_of(path, i);
                if (fd < 0 || seed_own_fd(s, fd, &e) < 0)
                        continue;
                uint64_t args[] = {id, file_of[i].role, e.inode};
                control_run(s->skeleton->progs.raw_tp__bind_file, args, 3);
        }
}

int sensor_renew(struct sensor *s, unsigned id)
{
        int n = 0;

        if (id == 0 || id >= VIGIL_MAX_DBS || !s->db[id].path || s->db[id].left_ns)
                return -ENOENT;
        for (size_t i = 0; i < FILES; i++) {
                _cleanup_close_ int fd = open_file_of(s->db[id].path, i);
                if (fd < 0)
                        continue;
                uint64_t args[] = {id, file_of[i].role, (uint64_t)fd};
                n += control_run(s->skeleton->progs.raw_tp__renew_file, args, 3) == 1;
        }
        return n;
}

static int already_watched(const struct sensor *s, const char *path, unsigned *ret_id)
{
        for (unsigned i = 1; i < VIGIL_MAX_DBS; i++) {
                if (!s->db[i].path || s->db[i].left_ns || strcmp(s->db[i].path, path) != 0)
                        continue;
                *ret_id = i;
                return -EEXIST;
        }
        return 0;
}

static int queue_record(struct sensor *s, unsigned id, const struct seed_entry *dir, const struct seed_entry *file,
                        uint32_t flags)
{
        struct vigil_database *r = calloc(1, sizeof(*r));

        if (!r)
                return -ENOMEM;
        r->db = id;
        r->flags = flags;
        r->ino = file->ino;
        r->dev = file->dev;
        r->dir_ino = dir->ino;
        r->dir_dev = dir->dev;
        r->fs_magic = dir->fs_magic;
        if (strlen(s->db[id].path) >= sizeof(r->path)) {
                r->path_flags |= VIGIL_PATH_CUT;
                strcpy(r->path, s->db[id].path + strlen(s->db[id].path) - (sizeof(r->path) - 1));
        } else {
                strcpy(r->path, s->db[id].path);
        }
        s->db[id].pending = r;
        return 0;
}

int watch_path(struct sensor *s, const char *path, uint32_t flags, unsigned *ret_id)
{
        char full[PATH_MAX], parent[PATH_MAX], name[PATH_MAX];
        struct seed_entry dir, file = {0};
        struct stat st;
        int r = resolve_file(path, full);

        if (r == 0)
                r = already_watched(s, full, ret_id);
        if (r < 0)
                return r;
        if (stat(full, &st) == 0 && !S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
        strcpy(parent, full);
        strcpy(name, full);
        const char *base = basename(name);
        if (strlen(base) >= VIGIL_NAME_MAX)
                return -ENAMETOOLONG;
        _cleanup_close_ int dirfd = open(dirname(parent), O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dirfd < 0)
                return -errno;
        r = seed_own_fd(s, dirfd, &dir);
        if (r < 0)
                return r;
        unsigned id = taken_database(s, &dir, base);
        bool taken = id != 0;
        r = taken ? 0 : watch_names(s, &dir, base, flags, &id);
        if (r < 0)
                return r;
        s->db[id].path = strdup(full);
        if (!s->db[id].path)
                return -ENOMEM;
        s->db[id].canary = flags == VIGIL_DB_CANARY;
        if (fstat(dirfd, &st) == 0) {
                s->db[id].dir_dev = st.st_dev;
                s->db[id].dir_ino = st.st_ino;
        }
        r = taken ? watch_numbers(s, full, &file) : watch_bind(s, id, full, &file);
        if (r < 0 && r != -ENOENT)
                return r;
        if (!taken)
                bind_companions(s, id, full);
        *ret_id = id;
        return queue_record(s, id, &dir, &file, flags);
}

int sensor_watch(struct sensor *s, const char *path, unsigned *ret_id)
{
        return watch_path(s, path, VIGIL_DB_ASKED, ret_id);
}

const char *sensor_path(const struct sensor *s, unsigned id)
{
        return id < VIGIL_MAX_DBS ? s->db[id].path : NULL;
}

bool sensor_is_canary(const struct sensor *s, unsigned id)
{
        return id < VIGIL_MAX_DBS && s->db[id].canary;
}
