/* feed_death.c - the end of a process, and the records that belong to it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/model_private.h"

/* Flight recorders are the bulk of what is kept. Up to this much they are kept whole, beyond it their last operations. */
#define OPS_BUDGET (4u * 1024 * 1024)
#define OPS_SHORT  16u

void death_free(struct model_death *d)
{
        if (!d)
                return;
        for (uint32_t i = 0; i < d->nuses; i++) {
                free((void *)d->use[i].db);
                free((void *)d->use[i].observed);
                free((void *)d->use[i].late);
        }
        free(d->use);
        free((void *)d->signal);
        free((void *)d->op);
        free(d);
}

/* Unrolls the ring of the flight recorder: oldest first. */
static int take_ops(struct model *m, struct model_death *d, const struct vigil_proc *p)
{
        uint32_t n = p->nops < VIGIL_OPS ? p->nops : VIGIL_OPS;
        if (m->op_bytes > OPS_BUDGET && n > OPS_SHORT)
                n = OPS_SHORT;
        if (n == 0)
                return 0;
        struct vigil_opent *ops = calloc(n, sizeof(*ops));
        if (!ops)
                return -ENOMEM;
        for (uint32_t i = 0; i < n; i++)
                ops[i] = p->op[(p->nops - n + i) % VIGIL_OPS];
        d->op = ops;
        d->nops = n;
        m->op_bytes += n * sizeof(*ops);
        return 0;
}

static int take_parts(struct model *m, struct model_death *d, const struct vigil_proc *p)
{
        uint32_t nkept = p->nsignals < VIGIL_SIGNALS ? p->nsignals : VIGIL_SIGNALS;
        if (nkept > 0) {
                d->signal = model_copy(p->signal, nkept * sizeof(p->signal[0]));
                if (!d->signal)
                        return -ENOMEM;
                d->nkept = nkept;
        }
        if (p->nuses > 0) {
                d->use = calloc(p->nuses, sizeof(*d->use));
                if (!d->use)
                        return -ENOMEM;
                d->nuses = p->nuses;
        }
        for (uint32_t i = 0; i < d->nuses; i++)
                d->use[i] = (struct model_use){.use = p->use[i], .database = SIZE_MAX, .recovered = -1};
        return take_ops(m, d, p);
}

/* User space may collect a death that it had also been sent: numbers of its records tell nothing, so the death does. */
static bool known(const struct model *m, const struct vigil_proc *p)
{
        for (size_t i = m->ndeaths; i-- > 0;)
                if (same_process(&m->death[i]->id, &p->id) && m->death[i]->by_exec == (p->hdr.type == VIGIL_EXEC) &&
                    (p->hdr.type == VIGIL_EXIT || m->death[i]->ns == p->hdr.ns))
                        return true;
        return false;
}

int feed_death(struct model *m, const struct vigil_proc *p)
{
        bool live = p->hdr.type == VIGIL_LIVE;
        struct model_death ***list = live ? &m->living : &m->death;
        size_t *n = live ? &m->nliving : &m->ndeaths;
        if (!live && known(m, p))
                return 0;
        if (*n == MODEL_MAX_DEATHS) {
                m->deaths_lost++;
                return 0;
        }
        struct model_death **grown = model_grow(*list, *n, sizeof(struct model_death *));
        if (!grown)
                return -ENOMEM;
        *list = grown;
        struct model_death *d = calloc(1, sizeof(*d));
        if (!d)
                return -ENOMEM;
        *d = (struct model_death){
                .by_exec = p->hdr.type == VIGIL_EXEC,
                .oom = (p->flags & VIGIL_PROC_OOM) != 0,
                .ns = p->hdr.ns,
                .id = p->id,
                .ppid = p->ppid,
                .uid = p->uid,
                .gid = p->gid,
                .flags = p->flags,
                .cgroup_id = p->cgroup_id,
                .exit_code = p->hdr.type == VIGIL_EXIT ? p->exit_code : 0,
                .uses_lost = p->uses_lost,
                .syncs_in_flight = p->syncs_in_flight,
                .nsignals = p->nsignals,
        };
        int r = take_parts(m, d, p);
        if (r < 0) {
                death_free(d);
                return r;
        }
        grown[(*n)++] = d;
        return 0;
}

/* The youngest death of @p id that used @p db and still lacks this part: an exec and the exit after it have one identity. */
static struct model_use *find_use(struct model *m, const struct vigil_ident *id, uint32_t db, bool observed)
{
        for (size_t i = m->ndeaths; i-- > 0;) {
                struct model_death *d = m->death[i];
                if (!same_process(&d->id, id))
                        continue;
                for (uint32_t k = 0; k < d->nuses; k++) {
                        struct model_use *u = &d->use[k];
                        if (u->use.db == db && !(observed ? u->observed || u->late : u->db != NULL))
                                return u;
                }
        }
        return NULL;
}

/* What a look shows is what the dead left only while nobody has changed it, nor begun to by a recovery. */
static bool has_changed(const struct vigil_db *then, const struct vigil_db *now)
{
        static const unsigned roles[] = {VIGIL_ROLE_MAIN, VIGIL_ROLE_WAL, VIGIL_ROLE_JOURNAL};
        bool changed = then->wal_recoveries != now->wal_recoveries;

        for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
                changed = changed || then->file[roles[i]].writes != now->file[roles[i]].writes ||
                          then->file[roles[i]].truncates != now->file[roles[i]].truncates;
        return changed;
}

/* @account: when it was looked; NULL: not known. @return 1 when the death was there, 0 when not, -ENOMEM */
static int attach(struct model *m, const struct vigil_hdr *h, const struct vigil_db *account)
{
        if (h->type == VIGIL_OBSERVED) {
                const struct vigil_observed *o = (const void *)h;
                struct model_use *u = find_use(m, &o->id, o->db, true);
                if (!u)
                        return 0;
                const struct vigil_observed *copy = model_copy(o, sizeof(*o));
                if (account && u->db && has_changed(u->db, account))
                        u->late = copy;
                else
                        u->observed = copy;
                return copy ? 1 : -ENOMEM;
        }
        const struct vigil_exit_db *e = (const void *)h;
        struct model_use *u = find_use(m, &e->id, e->use.db, false);
        if (!u)
                return 0;
        u->db = model_copy(&e->db, sizeof(e->db));
        if (!u->db)
                return -ENOMEM;
        uint32_t flags = u->use.flags, locks = u->use.locks_at_end;
        u->use = e->use;
        u->use.flags |= flags;
        u->use.locks_at_end |= locks;
        return 1;
}

int feed_death_part(struct model *m, const struct vigil_hdr *h)
{
        int r;
        bool of_death = true;
        if (h->type == VIGIL_OBSERVED) {
                of_death = ((const struct vigil_observed *)(const void *)h)->id.tgid != 0;
                r = slot_take_observed(m, (const void *)h);
        } else {
                r = slot_take_db(m, &((const struct vigil_exit_db *)(const void *)h)->db, h->ns);
        }
        if (r < 0 || !of_death)
                return r;
        r = attach(m, h,
                   h->type == VIGIL_OBSERVED ? m->slot[((const struct vigil_observed *)(const void *)h)->db].db
                                             : NULL);
        if (r != 0)
                return r < 0 ? r : 0;
        if (m->norphans == MAX_ORPHANS) {
                m->full++;
                return 0;
        }
        struct vigil_hdr *copy = model_copy(h, h->type == VIGIL_OBSERVED ? sizeof(struct vigil_observed)
                                                                         : sizeof(struct vigil_exit_db));
        if (!copy)
                return -ENOMEM;
        m->orphan[m->norphans++] = copy;
        return 0;
}

int attach_orphans(struct model *m)
{
        for (size_t i = 0; i < m->norphans; i++) {
                int r = attach(m, m->orphan[i], NULL);
                if (r < 0)
                        return r;
        }
        return 0;
}
