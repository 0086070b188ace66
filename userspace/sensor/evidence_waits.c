/* evidence_waits.c - who waits for a lock, and who holds it. Refusals are read from the map, holders from /proc/locks. */
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

/* ---- whom it waits for ---- */

/* Only these have a thread that is known to have them: SQLite lets a process have them for one connection at a time. */
#define OF_ONE_THREAD (VIGIL_LOCK_RESERVED | VIGIL_LOCK_PENDING | VIGIL_LOCK_EXCLUSIVE | VIGIL_LOCK_WAL_WRITE)

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
                        if (u->write_lock_ns && !(h->conflicting & ~(uint32_t)OF_ONE_THREAD))
                                h->tid = u->lock_tid;
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

static void lock_list_read(struct lock_list *l)
{
        int cut = 0;

        if (l->ns)
                return;
        l->ns = clock_boottime_ns();
        l->cut = proclocks_read(&l->lock, &l->n, &cut) < 0 || cut;
}

void lock_list_done(struct lock_list *l)
{
        free(l->lock);
}

void evidence_waits(struct sensor *s, struct process_evidence *e, const struct obstacle *o, struct lock_list *l)
{
        for (size_t i = 0; i < OBSTACLE_WAITS; i++) {
                const struct lock_wait *from = &o->wait[i];
                if (!from->db || (!from->asleep && e->at_ns > from->last_ns + EVIDENCE_GIVE_UP_NS))
                        continue;
                lock_list_read(l);
                if (l->cut)
                        e->missing |= EVIDENCE_NO_HOLDERS;
                /* A sleep can be interrupted by a signal, which no probe sees. */
                if (from->asleep && !l->cut && !is_asleep(l->lock, l->n, e->id.tgid))
                        continue;
                struct evidence_wait *w = &e->wait[e->nwaits++];
                *w = (struct evidence_wait){.db = from->db,
                                            .lock = from->lock,
                                            .asleep = from->asleep,
                                            .tid = from->tid,
                                            .since_ns = from->since_ns,
                                            .last_ns = from->last_ns,
                                            .tries = from->tries};
                if (find_holders(s, e->id.tgid, w, l->lock, l->n, l->ns) < 0)
                        e->missing |= EVIDENCE_NO_HOLDERS;
        }
}

/* ---- everybody who waits ---- */

static bool may_wait(const struct obstacle *o, uint64_t now)
{
        for (size_t i = 0; i < OBSTACLE_WAITS && o->start_ns; i++)
                if (o->wait[i].db && (o->wait[i].asleep || now <= o->wait[i].last_ns + EVIDENCE_GIVE_UP_NS))
                        return true;
        return false;
}

/* The waits of the participant in @slot. */
static int waiter_fill(struct sensor *s, uint32_t slot, const struct obstacle *o, struct lock_list *locks,
                       struct process_evidence *e)
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
        for (size_t i = 0; i < VIGIL_USES && p->use[i].db; i++) {
                e->commits += p->use[i].commits;
                e->db_writes += p->use[i].writes;
        }
        evidence_waits(s, e, o, locks);
        return 0;
}

/* All obstacles by slot, in one call. */
static int obstacles_read(struct sensor *s, struct obstacle **ret)
{
        _cleanup_free_ struct obstacle *all = calloc(VIGIL_PARTS, sizeof(*all));
        _cleanup_free_ uint32_t *slots = calloc(VIGIL_PARTS, sizeof(*slots));
        uint32_t n = VIGIL_PARTS, at = 0;

        if (!all || !slots)
                return -ENOMEM;
        int r = bpf_map_lookup_batch(map_fd(s->skeleton->maps.obstacles), NULL, &at, slots, all, &n, NULL);
        if (r < 0 && errno != ENOENT) /* which says that this was all */
                return -errno;
        *ret = TAKE_PTR(all);
        return (int)n;
}

int sensor_waiters(struct sensor *s, struct lock_waiter *ret, size_t room, size_t *ret_n)
{
        _cleanup_(lock_list_done) struct lock_list locks = {0};
        _cleanup_free_ struct process_evidence *e = NULL;
        _cleanup_free_ struct obstacle *o = NULL;
        uint64_t now = clock_boottime_ns();
        int found = 0;

        *ret_n = 0;
        if (!s->skeleton->bss->slept_ns && now > s->skeleton->bss->refused_ns + EVIDENCE_GIVE_UP_NS)
                return 0;
        e = calloc(1, sizeof(*e));
        int slots = e ? obstacles_read(s, &o) : -ENOMEM;
        for (uint32_t slot = 0; o && (int)slot < slots; slot++) {
                if (!may_wait(&o[slot], now))
                        continue;
                int r = waiter_fill(s, slot, &o[slot], &locks, e);
                if (r < 0)
                        return r;
                for (size_t i = 0; i < e->nwaits; i++, found++)
                        if (*ret_n < room)
                                ret[(*ret_n)++] = (struct lock_waiter){
                                        .id = e->id, .work = e->commits + e->db_writes, .wait = e->wait[i]};
        }
        return slots < 0 ? slots : found;
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
