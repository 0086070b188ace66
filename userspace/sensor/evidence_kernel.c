/* evidence_kernel.c - what the maps say of one process. They are read without a lock: a number may be one call older than the
 * next. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sensor/evidence_private.h"

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

/* ---- who stopped it ---- */

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

/* Thread @tid is in @f, if it is in a sync at all; told is the one that has lasted longest. */
static void flight_fill(struct sensor *s, struct process_evidence *e, const struct sync_flight *f, uint32_t tid)
{
        if (f->entered_ns < e->id.start_ns)
                return;
        e->sync.in_flight++;
        if (e->sync.since_ns && e->sync.since_ns <= f->entered_ns)
                return;
        e->sync.since_ns = f->entered_ns;
        e->sync.db = f->db;
        e->sync.whole = f->role == SYNC_WHOLE_FS;
        e->sync.role = f->role < VIGIL_ROLES ? f->role : VIGIL_ROLE_OTHER;
        e->sync.tid = tid;
        e->sync.dev = file_dev(s, f);
}

static void sync_fill(struct sensor *s, struct process_evidence *e)
{
        int fd = map_fd(s->skeleton->maps.syncs);
        size_t max = bpf_map__max_entries(s->skeleton->maps.syncs);
        uint64_t *prev = NULL, key, last;
        struct sync_flight f;
        uint32_t slot;

        for (size_t i = 0; i < max && bpf_map_get_next_key(fd, prev, &key) == 0; last = key, prev = &last, i++)
                if (key >> 32 == e->id.tgid && bpf_map_lookup_elem(fd, &key, &f) == 0)
                        flight_fill(s, e, &f, (uint32_t)key);
        if (bpf_map_lookup_elem(map_fd(s->skeleton->maps.part_slots), &e->id.tgid, &slot) == 0 &&
            bpf_map_lookup_elem(map_fd(s->skeleton->maps.first_syncs), &slot, &f) == 0)
                flight_fill(s, e, &f, e->id.tgid);
        evidence_device_name(e->sync.dev, e->sync.device, sizeof(e->sync.device));
}

void evidence_kernel(struct sensor *s, struct process_evidence *e)
{
        _cleanup_free_ struct vigil_proc *p = calloc(1, sizeof(*p));
        _cleanup_(lock_list_done) struct lock_list locks = {0};
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
                evidence_waits(s, e, &o, &locks);
                stop_fill(e, &o);
                e->connect_ns = o.connect_ns;
        }
}
