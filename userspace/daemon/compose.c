/* compose.c - out of what the memory kept, a stream. */
#include "daemon/compose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

int compose(struct episode *e, const void *record, uint16_t type, size_t size)
{
        struct vigil_hdr h = *(const struct vigil_hdr *)record;

        if (e->used + size > e->room) {
                size_t room = 2 * e->room + size + 4096;
                unsigned char *grown = realloc(e->bytes, room);
                if (!grown)
                        return -ENOMEM;
                e->bytes = grown;
                e->room = room;
        }
        h.magic = VIGIL_MAGIC;
        h.version = VIGIL_ABI_VERSION;
        h.type = type;
        h.size = (uint32_t)size;
        h.cpu = VIGIL_CPU_USER;
        h.seq = e->seq++;
        h.ns = h.ns ? h.ns : clock_boottime_ns();
        memcpy(e->bytes + e->used, record, size);
        memcpy(e->bytes + e->used, &h, sizeof(h));
        e->used += size;
        return 0;
}

/* ---- what it is about ---- */

static void add_db(struct episode *e, uint32_t db)
{
        if (e->has[db] || !e->memory->database[db])
                return;
        e->has[db] = true;
        e->db[e->ndbs++] = db;
}

static void add_look(struct episode *e, struct dead *dead, uint32_t db)
{
        dead->look[dead->nlooks++] = db;
        for (size_t i = 0; i < e->nlooks; i++)
                if (e->look[i] == db)
                        return;
        e->look[e->nlooks++] = db;
}

/* Who left nothing behind leaves nothing to look at. */
static bool left_something(const struct vigil_use *u)
{
        return u->locks_at_end || u->flags & (VIGIL_USE_OPEN_AT_END | VIGIL_USE_TXN_OWNER | VIGIL_USE_WROTE);
}

static void note_death(struct episode *e, const struct death *d)
{
        struct dead *dead = &e->dead[e->ndead++];

        dead->id = d->proc.id;
        dead->nuses = d->proc.nuses;
        if (d->proc.first_ns < e->since_ns)
                e->since_ns = d->proc.first_ns;
        for (size_t i = 0; i < d->proc.nuses; i++) {
                const struct vigil_use *u = d->part[i] ? &d->part[i]->use : &d->proc.use[i];
                dead->use[i].db = u->db;
                dead->use[i].seen_late = u->flags & VIGIL_USE_SEEN_LATE;
                dead->use[i].first_ns = u->first_ns;
                add_db(e, u->db);
                if (e->has[u->db] && left_something(u))
                        add_look(e, dead, u->db);
        }
}

/* ---- who they were, and who sent them what ---- */

static int on_person(const struct vigil_hdr *r, void *userdata)
{
        return compose(userdata, r, r->type, r->size);
}

static bool concerns(const struct vigil_ident *who, const struct death *d)
{
        for (; d; d = d->next) {
                if (same_ident(&d->proc.id, who))
                        return true;
                /* The killer of whoever killed: a PID namespace ends with its init. */
                for (uint32_t i = 0; i < d->proc.nsignals && i < VIGIL_SIGNALS; i++)
                        if (d->proc.signal[i].sender_tgid == who->tgid &&
                            d->proc.signal[i].sender_start_ns == who->start_ns)
                                return true;
        }
        return false;
}

static int compose_signals(struct episode *e, const struct death *d)
{
        const struct memory *m = e->memory;
        uint64_t first = m->nsignals > MEMORY_SIGNALS ? m->nsignals - MEMORY_SIGNALS : 0;
        int r = 0;

        for (uint64_t i = first; r == 0 && i < m->nsignals; i++) {
                const struct vigil_signal *s = &m->signal[i % MEMORY_SIGNALS];
                if (concerns(&s->id, d))
                        r = compose(e, s, VIGIL_SIGNAL, sizeof(*s));
        }
        return r;
}

/* Older kernels name the victim by its number alone: no older one than the memory keeps may be meant. */
static bool is_victim(const struct episode *e, const struct vigil_oom *o, const struct death *d)
{
        if (o->hdr.ns + MEMORY_KEPT_NS < e->now_ns)
                return false;
        for (; d; d = d->next)
                if (d->proc.id.tgid == o->id.tgid && (!o->id.start_ns || d->proc.id.start_ns == o->id.start_ns))
                        return true;
        return false;
}

static int compose_ooms(struct episode *e, const struct death *d)
{
        const struct memory *m = e->memory;
        uint64_t first = m->nooms > MEMORY_OOMS ? m->nooms - MEMORY_OOMS : 0;
        int r = 0;

        for (uint64_t i = first; r == 0 && i < m->nooms; i++)
                if (is_victim(e, &m->oom[i % MEMORY_OOMS], d))
                        r = compose(e, &m->oom[i % MEMORY_OOMS], VIGIL_OOM, sizeof(struct vigil_oom));
        return r;
}

static int compose_death(struct episode *e, const struct death *d)
{
        int r = compose(e, &d->proc, d->proc.hdr.type, sizeof(d->proc));

        for (size_t i = 0; r == 0 && i < VIGIL_USES; i++)
                if (d->part[i])
                        r = compose(e, d->part[i], VIGIL_EXIT_DB, sizeof(*d->part[i]));
        return r;
}

/* ---- the beginning ---- */

static int compose_head(struct episode *e)
{
        const struct memory *m = e->memory;
        struct vigil_session s = m->session;

        s.realtime_offset_ns = clock_realtime_offset_ns();
        int r = compose(e, &s, VIGIL_SESSION, sizeof(s));
        for (size_t i = 0; r == 0 && i < m->nprobes; i++)
                r = compose(e, &m->probe[i], VIGIL_PROBE, sizeof(m->probe[i]));
        for (size_t i = 0; r == 0 && i < e->ndbs; i++)
                r = compose(e, m->database[e->db[i]], VIGIL_DATABASE, sizeof(struct vigil_database));
        return r;
}

static size_t size_of(const struct trouble *t)
{
        return t->hdr.type == VIGIL_WBERR ? sizeof(t->wberr) : sizeof(t->op);
}

static void note_removals(struct episode *e, const bool due[VIGIL_MAX_DBS])
{
        for (uint32_t db = 0; db < VIGIL_MAX_DBS; db++) {
                const struct removals *s = due[db] ? e->memory->removals[db] : NULL;
                if (s)
                        add_db(e, db);
                for (size_t i = 0; s && i < s->n; i++)
                        if (!s->kept[i].judged && removal_ns(&s->kept[i]) < e->since_ns)
                                e->since_ns = removal_ns(&s->kept[i]);
        }
}

int compose_beginning(struct episode *e, const struct death *deaths, const struct trouble *t, size_t n,
                      const bool due[VIGIL_MAX_DBS])
{
        e->since_ns = e->now_ns;
        for (const struct death *d = deaths; d; d = d->next)
                note_death(e, d);
        for (size_t i = 0; i < n; i++) {
                add_db(e, t[i].db);
                if (t[i].hdr.ns < e->since_ns)
                        e->since_ns = t[i].hdr.ns;
        }
        note_removals(e, due);
        int r = compose_head(e);
        for (const struct death *d = deaths; r == 0 && d; d = d->next)
                r = people_tell(&e->memory->people, &d->proc.id, on_person, e);
        if (r == 0)
                r = compose_signals(e, deaths);
        if (r == 0)
                r = compose_ooms(e, deaths);
        for (const struct death *d = deaths; r == 0 && d; d = d->next)
                r = compose_death(e, d);
        for (size_t i = 0; r == 0 && i < n; i++)
                r = compose(e, &t[i].hdr, t[i].hdr.type, size_of(&t[i]));
        return r < 0 ? r : removals_compose(e, due);
}

/* ---- the end ---- */

#define TOLD_FLAGS (VIGIL_LEDGER_LIED | VIGIL_LEDGER_SWALLOWED)

/* The detectors read the account as one of a run: what was told before this episode is no news. */
int compose_account(struct episode *e, const struct vigil_db *account, uint64_t ns)
{
        struct told *told = memory_told(e->memory, account->id);
        struct vigil_ledger_rec r = {.hdr.ns = ns, .db = *account};

        if (!told)
                return -ENOMEM;
        for (size_t i = 0; i < VIGIL_ROLES; i++) {
                struct vigil_ledger *l = &r.db.file[i];
                uint64_t syncs = l->sync_errors, flags = l->flags & TOLD_FLAGS;
                uint32_t wb = l->wb_errors;

                if (told->file[i].sync_errors || told->file[i].wb_errors)
                        l->first_error_ns = 0; /* of an error that was told */
                l->sync_errors -= told->file[i].sync_errors < syncs ? told->file[i].sync_errors : syncs;
                l->wb_errors -= told->file[i].wb_errors < wb ? told->file[i].wb_errors : wb;
                l->flags &= ~told->file[i].flags;
                told->file[i].sync_errors = syncs;
                told->file[i].wb_errors = wb;
                told->file[i].flags |= (uint32_t)flags;
        }
        told->account_ns = ns;
        told->changed = e->memory->told_changed = true;
        return compose(e, &r, VIGIL_LEDGER, sizeof(r));
}

static bool uses_any(const struct episode *e, const struct vigil_proc *p)
{
        for (size_t i = 0; i < VIGIL_USES && p->use[i].db; i++)
                if (e->has[p->use[i].db])
                        return true;
        return false;
}

int compose_survivors(struct episode *e)
{
        int r = 0;

        for (const struct death *d = e->memory->first; r == 0 && d; d = d->next)
                if (uses_any(e, &d->proc))
                        r = compose(e, &d->proc, VIGIL_LIVE, sizeof(d->proc));
        return r;
}

int compose_end(struct episode *e)
{
        struct vigil_stats s = losses_since(&e->memory->losses, e->since_ns);
        struct vigil_end end = {.status = -1};

        s.hdr = (struct vigil_hdr){0};
        int r = compose(e, &s, VIGIL_STATS, sizeof(s));
        return r < 0 ? r : compose(e, &end, VIGIL_END, sizeof(end));
}
