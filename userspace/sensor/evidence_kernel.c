/* evidence_kernel.c - what the maps say of one process. They are read without a lock: a number may be one call older than the
 * next. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "sensor/evidence_private.h"
#include "sensor/holders.h"

static int map_fd(const struct bpf_map *map)
{
        return bpf_map__fd(map);
}

static bool same(const struct vigil_ident *a, const struct vigil_ident *b)
{
        return a->tgid == b->tgid && a->start_ns == b->start_ns;
}

/* ---- its account ---- */

static void use_fill(struct process_evidence *e, const struct vigil_use *use)
{
        e->use[e->nuses++] = (struct evidence_use){.db = use->db,
                                                   .locks = use->locks,
                                                   .first_ns = use->first_ns,
                                                   .last_ns = use->last_ns,
                                                   .writes = use->writes,
                                                   .bytes = use->bytes,
                                                   .commits = use->commits,
                                                   .write_lock_ns = use->write_lock_ns};
        e->db_writes += use->writes;
        e->commits += use->commits;
}

static uint64_t last_write(const struct vigil_proc *p)
{
        uint64_t ns = 0;

        for (size_t i = 0; i < VIGIL_OPS; i++)
                if (p->op[i].op == VIGIL_OP_WRITE && p->op[i].result > 0 && p->op[i].ns > ns)
                        ns = p->op[i].ns;
        return ns;
}

/* ---- whom it waits for ---- */

/* The identity of whoever held a lock a moment ago. A process that began later is another one. */
static void name_holder(struct sensor *s, const struct vigil_db *db, uint64_t seen_ns, struct evidence_holder *h)
{
        _cleanup_free_ struct vigil_proc *p = calloc(1, sizeof(*p));
        uint32_t tgid = h->id.tgid;
        uint64_t start;

        h->id = (struct vigil_ident){0};
        if (!p || !tgid)
                return;
        if (sensor_read_part(s, tgid, p) == 0 && !(p->flags & VIGIL_PROC_DEAD)) {
                h->id = p->id;
                for (size_t i = 0; i < VIGIL_USES && p->use[i].db; i++) {
                        const struct vigil_use *u = &p->use[i];
                        if (u->db != db->id)
                                continue;
                        h->commits = u->commits;
                        if (h->locks & (VIGIL_LOCK_RESERVED | VIGIL_LOCK_WAL_WRITE))
                                h->since_ns = u->write_lock_ns;
                        else if (h->locks & VIGIL_LOCK_WAL_CKPT)
                                h->since_ns = u->ckpt_lock_ns;
                }
        } else if (sensor_identify(s, (pid_t)tgid, &start) == 0) {
                h->id.tgid = tgid;
                h->id.start_ns = start;
                evidence_comm(&h->id);
        }
        if (h->id.start_ns > seen_ns)
                *h = (struct evidence_holder){.locks = h->locks};
        else if (!h->since_ns && db->txn_tgid == h->id.tgid && db->txn_start_ns == h->id.start_ns)
                h->since_ns = db->txn_since_ns;
}

static int find_holders(struct sensor *s, uint32_t tgid, struct evidence_wait *w, const struct proc_lock *lock,
                        size_t n, uint64_t seen_ns)
{
        struct vigil_db db;
        uint32_t id = w->db;

        if (bpf_map_lookup_elem(map_fd(s->skeleton->maps.dbs), &id, &db) < 0)
                return -errno;
        const struct vigil_ledger *main_file = &db.file[VIGIL_ROLE_MAIN], *shm = &db.file[VIGIL_ROLE_SHM];
        struct lock_files files = {.dev = {main_file->dev, shm->dev}, .ino = {main_file->ino, shm->ino}};
        holders_find(lock, n, &files, tgid, w);
        for (size_t i = 0; i < w->nholders && i < EVIDENCE_HOLDERS; i++)
                name_holder(s, &db, seen_ns, &w->holder[i]);
        return 0;
}

int sensor_holders(struct sensor *s, unsigned db, uint32_t wanted, struct evidence_wait *ret)
{
        struct evidence_wait w = {.db = db, .lock = wanted};
        _cleanup_free_ struct proc_lock *lock = NULL;
        size_t n = 0;
        int cut = 0;

        if (db == 0 || db >= VIGIL_MAX_DBS)
                return -ENOENT;
        int r = proclocks_read(&lock, &n, &cut);
        if (r == 0)
                r = cut ? -EFBIG : find_holders(s, 0, &w, lock, n, clock_boottime_ns());
        if (r == 0)
                *ret = w;
        return r;
}

static bool is_asleep(const struct proc_lock *lock, size_t n, uint32_t tgid)
{
        for (size_t i = 0; i < n; i++)
                if (lock[i].waits && lock[i].tgid == tgid)
                        return true;
        return false;
}

static void waits_fill(struct sensor *s, struct process_evidence *e, const struct obstacle *o)
{
        _cleanup_free_ struct proc_lock *lock = NULL;
        size_t n = 0;
        int cut = 0;

        for (size_t i = 0; i < OBSTACLE_WAITS; i++) {
                const struct lock_wait *from = &o->wait[i];
                if (!from->db || (!from->asleep && e->at_ns > from->last_ns + EVIDENCE_GIVE_UP_NS))
                        continue;
                if (!lock && (proclocks_read(&lock, &n, &cut) < 0 || cut))
                        e->missing |= EVIDENCE_NO_HOLDERS;
                /* A sleep can be interrupted by a signal, which no probe sees. */
                if (from->asleep && !cut && lock && !is_asleep(lock, n, e->id.tgid))
                        continue;
                struct evidence_wait *w = &e->wait[e->nwaits++];
                *w = (struct evidence_wait){.db = from->db,
                                            .lock = from->lock,
                                            .asleep = from->asleep,
                                            .tid = from->tid,
                                            .since_ns = from->since_ns,
                                            .last_ns = from->last_ns,
                                            .tries = from->tries};
                if (lock && find_holders(s, e->id.tgid, w, lock, n, clock_boottime_ns()) < 0)
                        e->missing |= EVIDENCE_NO_HOLDERS;
        }
}

static void stop_fill(struct process_evidence *e, const struct obstacle *o)
{
        if (!o->stop_ns)
                return;
        e->stop.sig = o->stop_sig;
        e->stop.ns = o->stop_ns;
        if (!o->stop_sender_tgid)
                return;
        e->stop.by = (struct vigil_ident){.tgid = o->stop_sender_tgid, .start_ns = o->stop_sender_start_ns};
        memcpy(e->stop.by.comm, o->stop_sender_comm, sizeof(e->stop.by.comm));
}

/* ---- the sync it is in ---- */

static uint32_t file_dev(struct sensor *s, const struct sync_flight *f)
{
        struct vigil_db db;

        if (!f->db)
                return f->key.dev;
        if (f->role >= VIGIL_ROLES || bpf_map_lookup_elem(map_fd(s->skeleton->maps.dbs), &f->db, &db) < 0)
                return 0;
        return db.file[f->role].dev;
}

static void sync_fill(struct sensor *s, struct process_evidence *e)
{
        int fd = map_fd(s->skeleton->maps.syncs);
        size_t max = bpf_map__max_entries(s->skeleton->maps.syncs);
        uint64_t *prev = NULL, key, last;
        struct sync_flight f;

        for (size_t i = 0; i < max && bpf_map_get_next_key(fd, prev, &key) == 0; last = key, prev = &last, i++) {
                if (key >> 32 != e->id.tgid || bpf_map_lookup_elem(fd, &key, &f) < 0 ||
                    f.entered_ns < e->id.start_ns)
                        continue;
                e->sync.in_flight++;
                if (e->sync.since_ns && e->sync.since_ns <= f.entered_ns)
                        continue;
                e->sync.since_ns = f.entered_ns;
                e->sync.db = f.db;
                e->sync.whole = f.role == SYNC_WHOLE_FS;
                e->sync.role = f.role < VIGIL_ROLES ? f.role : VIGIL_ROLE_OTHER;
                e->sync.tid = (uint32_t)key;
                e->sync.dev = file_dev(s, &f);
        }
        evidence_device_name(e->sync.dev, e->sync.device, sizeof(e->sync.device));
}

void evidence_kernel(struct sensor *s, struct process_evidence *e)
{
        _cleanup_free_ struct vigil_proc *p = calloc(1, sizeof(*p));
        struct obstacle o = {0};
        uint32_t tgid = e->id.tgid, slot;

        sync_fill(s, e);
        if (!p || bpf_map_lookup_elem(map_fd(s->skeleton->maps.part_slots), &tgid, &slot) < 0 ||
            bpf_map_lookup_elem(map_fd(s->skeleton->maps.parts), &slot, p) < 0 || !same(&p->id, &e->id)) {
                e->missing |= EVIDENCE_NO_ACCOUNT;
                return;
        }
        for (size_t i = 0; i < VIGIL_USES && p->use[i].db; i++)
                use_fill(e, &p->use[i]);
        e->uses_lost = p->uses_lost;
        e->last_write_ns = last_write(p);
        if (bpf_map_lookup_elem(map_fd(s->skeleton->maps.obstacles), &slot, &o) == 0 &&
            o.start_ns == e->id.start_ns) {
                waits_fill(s, e, &o);
                stop_fill(e, &o);
        }
}

/* ---- everybody who waits ---- */

static bool may_wait(const struct obstacle *o, uint64_t now)
{
        for (size_t i = 0; i < OBSTACLE_WAITS; i++)
                if (o->wait[i].db && (o->wait[i].asleep || now <= o->wait[i].last_ns + EVIDENCE_GIVE_UP_NS))
                        return true;
        return false;
}

/* The waits of the participant in @slot. */
static int waiter_fill(struct sensor *s, uint32_t slot, const struct obstacle *o, struct process_evidence *e)
{
        _cleanup_free_ struct vigil_proc *p = calloc(1, sizeof(*p));

        if (!p)
                return -ENOMEM;
        *e = (struct process_evidence){.at_ns = clock_boottime_ns()};
        if (bpf_map_lookup_elem(map_fd(s->skeleton->maps.parts), &slot, p) < 0)
                return -errno;
        if (!p->id.tgid || p->id.start_ns != o->start_ns || p->flags & (VIGIL_PROC_DEAD | VIGIL_PROC_CANARY))
                return 0;
        e->id = p->id;
        waits_fill(s, e, o);
        return 0;
}

int sensor_waiters(struct sensor *s, struct lock_waiter *ret, size_t room, size_t *ret_n)
{
        int fd = map_fd(s->skeleton->maps.obstacles), found = 0;
        _cleanup_free_ struct process_evidence *e = calloc(1, sizeof(*e));
        uint64_t now = clock_boottime_ns();

        *ret_n = 0;
        if (!e)
                return -ENOMEM;
        for (uint32_t slot = 0; slot < VIGIL_PARTS; slot++) {
                struct obstacle o;
                if (bpf_map_lookup_elem(fd, &slot, &o) < 0 || !o.start_ns || !may_wait(&o, now))
                        continue;
                int r = waiter_fill(s, slot, &o, e);
                if (r < 0)
                        return r;
                for (size_t i = 0; i < e->nwaits; i++, found++)
                        if (*ret_n < room)
                                ret[(*ret_n)++] = (struct lock_waiter){.id = e->id, .wait = e->wait[i]};
        }
        return found;
}

/* ---- checkpoints ---- */

int sensor_checkpoint_refusals(struct sensor *s, unsigned db, struct checkpoint_refusals *ret)
{
        struct ckpt_refusals c;
        uint32_t id = db;

        if (db == 0 || db >= VIGIL_MAX_DBS)
                return -ENOENT;
        if (bpf_map_lookup_elem(map_fd(s->skeleton->maps.ckpts), &id, &c) < 0)
                return -errno;
        *ret = (struct checkpoint_refusals){
                .lock = c.lock, .mark_ns = c.mark_ns, .last_mark = c.last_mark, .reset = c.reset};
        memcpy(ret->mark, c.mark, sizeof(ret->mark));
        return 0;
}
