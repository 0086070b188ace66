/* takings.c - files of a database that were taken from whoever relied on them. */
#include <errno.h>
#include <string.h>

#include "model/model_private.h"

/* A main file that nobody used and that had nothing beside it is nobody's loss: only when it went is kept. */
static bool concerns(const struct model_taking *t)
{
        return t->taken & (VIGIL_TAKEN_IN_USE | VIGIL_TAKEN_WAL | VIGIL_TAKEN_HOT | VIGIL_TAKEN_LOST);
}

static void note_gone(struct model *m, uint32_t db, uint8_t role, uint64_t ns)
{
        m->gone[m->ngone++ % MODEL_GONE] = (struct gone){.ns = ns, .db = db, .role = role};
}

/* A program that makes and removes the same database again and again, each time with the connection still open: the last time
 * stands for all. */
static struct model_taking *own_unlink(struct model *m, const struct model_taking *t)
{
        const uint32_t own = VIGIL_TAKEN_OWN | VIGIL_TAKEN_IN_USE;
        bool is_one = t->role == VIGIL_ROLE_MAIN && t->op == VIGIL_OP_UNLINK && (t->taken & own) == own;

        for (size_t i = 0; is_one && i < m->ntakings; i++) {
                struct model_taking *o = &m->taking[i];
                if (o->db == t->db && o->role == t->role && o->op == t->op && o->taken == t->taken &&
                    same_process(&o->id, &t->id))
                        return o;
        }
        return NULL;
}

static int keep(struct model *m, const struct model_taking *t)
{
        struct slot *s = &m->slot[t->db];

        if (t->taken & VIGIL_TAKEN)
                note_gone(m, t->db, t->role, t->ns);
        if (!concerns(t))
                return 0;
        s->sqlite = true; /* whatever it looks like now */
        struct model_taking *again = own_unlink(m, t);
        if (again) {
                *again = *t;
                return 0;
        }
        if (m->ntakings == MODEL_MAX_TAKINGS) {
                m->full++;
                return 0;
        }
        struct model_taking *grown = model_grow(m->taking, m->ntakings, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        m->taking = grown;
        grown[m->ntakings++] = *t;
        return 0;
}

int feed_taken_path(struct model *m, const struct vigil_pathop *r)
{
        struct model_taking t = {
                .ns = r->hdr.ns, .id = r->id, .db = r->db, .role = r->role, .op = r->op, .taken = r->taken};

        memcpy(t.other, r->other, sizeof(t.other));
        /* Also what harmed nobody: that a companion went with its main file tells that the whole database was meant. */
        if (r->op == VIGIL_OP_UNLINK && r->confirmed && !r->taken)
                note_gone(m, r->db, r->role, r->hdr.ns);
        return keep(m, &t);
}

int feed_taken_op(struct model *m, const struct vigil_op *r)
{
        struct model_taking t = {.ns = r->e.ns ? r->e.ns : r->hdr.ns,
                                 .id = r->id,
                                 .db = r->e.db,
                                 .role = r->e.role,
                                 .op = r->e.op,
                                 .taken = r->taken};

        return keep(m, &t);
}

size_t model_n_takings(const struct model *m)
{
        return m->ntakings;
}

const struct model_taking *model_taking_of(const struct model *m, size_t i)
{
        return i < m->ntakings ? &m->taking[i] : NULL;
}

bool model_gone(const struct model *m, uint32_t db, unsigned role, uint64_t ns, uint64_t *ret_before,
                uint64_t *ret_after)
{
        uint64_t before = 0, after = 0;

        for (size_t i = 0; i < m->ngone && i < MODEL_GONE; i++) {
                const struct gone *g = &m->gone[i];
                if (g->db != db || g->role != role)
                        continue;
                if (g->ns < ns && g->ns > before)
                        before = g->ns;
                if (g->ns > ns && (!after || g->ns < after))
                        after = g->ns;
        }
        *ret_before = before;
        *ret_after = after;
        return before || after;
}
