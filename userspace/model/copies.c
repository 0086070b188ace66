/* copies.c - who read a main file without SQLite's locks, and whether somebody changed it meanwhile. */
#include <errno.h>

#include "model/model_private.h"

static struct model_copy *find(struct model *m, const struct vigil_op *r)
{
        for (size_t i = 0; i < m->ncopies; i++)
                if (m->copy[i].database == r->e.db && m->copy[i].id.tgid == r->id.tgid &&
                    m->copy[i].id.start_ns == r->id.start_ns)
                        return &m->copy[i];
        if (m->ncopies == MODEL_MAX_COPIES) {
                m->full++;
                return NULL;
        }
        struct model_copy *grown = model_grow(m->copy, m->ncopies, sizeof(*grown));
        if (!grown)
                return NULL;
        m->copy = grown;
        grown[m->ncopies] = (struct model_copy){.ns = r->e.ns,
                                                .id = r->id,
                                                .database = r->e.db,
                                                .first_writes = r->file_writes,
                                                .last_writes = r->file_writes};
        return &grown[m->ncopies++];
}

int feed_copy(struct model *m, const struct vigil_op *r)
{
        uint64_t full = m->full;
        struct model_copy *c = find(m, r);

        if (!c)
                return m->full > full ? 0 : -ENOMEM;
        /* Records may come in any order: the earliest and the latest count. */
        if (r->e.ns < c->ns)
                c->ns = r->e.ns;
        if (r->file_writes < c->first_writes)
                c->first_writes = r->file_writes;
        if (r->file_writes > c->last_writes)
                c->last_writes = r->file_writes;
        if (r->txn_db_writes)
                c->in_transaction = true;
        if (r->e.op != VIGIL_OP_OPEN && r->e.result > 0)
                c->bytes += (uint64_t)r->e.result;
        return 0;
}

size_t model_n_copies(const struct model *m)
{
        return m->ncopies;
}

const struct model_copy *model_copy_of(const struct model *m, size_t i)
{
        return i < m->ncopies ? &m->copy[i] : NULL;
}
